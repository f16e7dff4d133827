/** The log of another system, imported: the four APIs and the command line tell its story. And a log that is followed. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { newInstallation } from '../cli/run-waybill.ts';
import { kaleyraLogs, kaleyraStats, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-logs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const line = (at: number, daemon: string, text: string) =>
  `${new Date(at).toISOString()} mx1 postfix/${daemon}[1]: ${text}\n`;

/** One mail to three people, a quarter of an hour ago. */
function story(at: number, id: string): string {
  const to = (seconds: number, address: string, rest: string) =>
    line(
      at + seconds * 1000,
      'smtp',
      `${id}: to=<${address}>, relay=mx.example.org[198.51.100.5]:25, delay=1, delays=0/0/0.5/0.5, ${rest}`,
    );
  return [
    line(at, 'smtpd', `${id}: client=c.example.com[192.0.2.10], sasl_method=PLAIN, sasl_username=app`),
    line(at, 'cleanup', `${id}: message-id=<${id}@acme.test>`),
    line(at, 'qmgr', `${id}: from=<app@acme.test>, size=1234, nrcpt=3 (queue active)`),
    to(1, 'jane@example.org', 'dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 99)'),
    to(
      1,
      'bob@example.org',
      'dsn=5.1.1, status=bounced (host mx.example.org[198.51.100.5] said: 550 5.1.1 no such user (in reply to RCPT TO command))',
    ),
    to(
      2,
      'slow@example.org',
      'dsn=4.7.1, status=deferred (host mx.example.org[198.51.100.5] said: 450 4.7.1 Greylisted (in reply to RCPT TO command))',
    ),
    to(302, 'slow@example.org', 'dsn=2.0.0, status=sent (250 ok)'),
    line(at + 302_000, 'qmgr', `${id}: removed`),
  ].join('');
}

test('an imported log is told by four APIs, and importing it again changes nothing', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const path = join(folderOf(t), 'mail.log');
  writeFileSync(path, story(Date.now() - 15 * 60_000, 'AAAAA1'));
  for (const newEvents of [7, 0]) {
    const { code, stdout, stderr } = await waybill.cli(
      'import',
      'postfix',
      path,
      '--tenant',
      'acme',
      '--json',
    );
    assert.equal(code, 0, stderr);
    const { lines, mails, deliveries, delivered, deferred, failed, expired, unparsed, ...more } =
      JSON.parse(stdout);
    assert.deepEqual(
      [lines, mails, deliveries, delivered, deferred, failed, expired, unparsed],
      [8, 1, 3, 2, 0, 1, 0, 0],
    );
    assert.deepEqual([more.newEvents, more.complete], [newEvents, true]);

    const mailbaby = await mailbabyLog(waybill, tenant);
    assert.equal(mailbaby.total, 3);
    assert.deepEqual(
      mailbaby.emails
        .map(({ recipient, delivered: told, code: replyCode }) => [recipient, told, replyCode])
        .sort(),
      [
        ['bob@example.org', 0, 550],
        ['jane@example.org', 1, 250],
        ['slow@example.org', 1, 250],
      ],
    );
    const [email] = mailbaby.emails;
    assert.equal((await mailbabyLog(waybill, tenant, { mailid: email?.id ?? '' })).total, 3);
    const submail = await submailLog(waybill, tenant);
    assert.deepEqual([submail.total, submail.data.filter(({ status }) => status === 6).length], [3, 2]);
    const kaleyra = await kaleyraLogs(waybill, tenant);
    assert.deepEqual(kaleyra.data.map(({ status }) => status).sort(), ['BOUNCE', 'DELIVERED', 'DELIVERED']);
    const bounced = kaleyra.data.find(({ status }) => status === 'BOUNCE');
    assert.match(JSON.stringify(await kaleyraStats(waybill, tenant, bounced?.message_id ?? '')), /BOUNCE/);
    const totals = await mailgunTotals(waybill, tenant);
    assert.deepEqual(
      [totals.accepted?.total, totals.delivered?.smtp, totals.failed?.temporary.total],
      [3, 2, 1],
    );
    assert.equal(totals.failed?.permanent['bounce'], 1);
  }
  const listed = await waybill.cli('log', '--to', 'slow@example.org', '--json');
  const [entry] = JSON.parse(listed.stdout).deliveries ?? JSON.parse(listed.stdout);
  const told = await waybill.cli('log', String(entry.id).split(':')[0] ?? '');
  assert.match(told.stdout, /450 4\.7\.1 Greylisted/);
  assert.match(told.stdout, /550 5\.1\.1 no such user/);
});

test('a log is followed through both kinds of rotation and a restart', async (t) => {
  const waybill = await startWaybill(t);
  await waybill.createTenant('acme', 'acme.test');
  const folder = folderOf(t);
  const path = join(folder, 'mail.log');
  const command = newInstallation();
  t.after(() => command.remove());
  const start = () =>
    command.start(['import', 'postfix', '--follow', path, '--tenant', 'acme', '--json'], {
      environment: { WAYBILL_DATA_DIR: waybill.dataDir },
    });
  const told = async (mails: number) =>
    until(
      `${mails} mails are in the log`,
      async () => {
        const { stdout } = await waybill.cli('log', '--limit', '1000', '--json');
        return (stdout.match(/"forwardPath"/g) ?? []).length === mails * 3;
      },
      60_000,
    );
  const now = Date.now() - 15 * 60_000;
  const [one, two, three, four, five, six] = Array.from({ length: 6 }, (_, n) => story(now + n, `AAAAA${n}`));
  assert.ok(one && two && three && four && five && six);
  writeFileSync(path, one + two.slice(0, 100));
  const first = start();
  await told(1);
  appendFileSync(path, two.slice(100));
  await told(2);
  appendFileSync(path, three.slice(0, -20));
  renameSync(path, `${path}.1`);
  writeFileSync(path, four);
  appendFileSync(`${path}.1`, three.slice(-20));
  await told(4);
  truncateSync(path, 0);
  await until('the file is seen to be empty', async () => {
    appendFileSync(path, five.slice(0, 200));
    return true;
  });
  appendFileSync(path, five.slice(200));
  await told(5);
  first.process.kill('SIGINT');
  const ended = await first.ended;
  assert.equal(ended.code, 0, ended.err);
  assert.equal(JSON.parse(ended.out).mails, 5);
  appendFileSync(path, six);
  renameSync(path, `${path}.1`);
  writeFileSync(path, '');
  const second = start();
  await told(6);
  second.process.kill('SIGTERM');
  const { mails, newEvents } = JSON.parse((await second.ended).out);
  assert.deepEqual([mails, newEvents], [6, 7]);
  assert.equal(readFileSync(path, 'utf8'), '');
});
