/** The log of a real Postfix, imported, against what is known of the mails that it was given. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import nodemailer from 'nodemailer';
import { systemClock } from '../../src/base/clock.ts';
import { postfix } from '../../src/imports/formats/postfix.ts';
import { peerCommand, skipWithout } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { newImportWorld } from '../support/import-world.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const rootOnly = process.getuid?.() === 0 ? false : 'Postfix is started by root only';

/** A private instance that relays everything to `sink`; its log is read while it runs. */
async function startPostfix(
  t: TestContext,
  sink: number,
): Promise<{ port: number; log: string; postfix(...words: string[]): Promise<unknown> }> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-postfix-'));
  chmodSync(folder, 0o755);
  const [etc, spool, data, log] = ['etc', 'spool', 'data', 'mail.log'].map((name) => join(folder, name));
  assert.ok(etc && spool && data && log);
  for (const path of [etc, spool, data]) mkdirSync(path);
  const uid = Number((await run('id', ['-u', 'postfix'])).stdout);
  chownSync(data, uid, -1);
  const port = await freePort();
  writeFileSync(join(etc, 'main.cf'), mainCf({ folder, spool, data, log, sink }));
  writeFileSync(join(etc, 'master.cf'), masterCf(port));
  const environment = { env: { ...process.env, TZ: 'UTC', MAIL_CONFIG: etc } };
  const control = (...words: string[]) => run(peerCommand('postfix'), ['-c', etc, ...words], environment);
  await control('start');
  t.after(async () => {
    await control('stop').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return { port, log, postfix: control };
}

interface Places {
  folder: string;
  spool: string;
  data: string;
  log: string;
  sink: number;
}

function mainCf({ folder, spool, data, log, sink }: Places): string {
  return `compatibility_level = 3.6
queue_directory = ${spool}
data_directory = ${data}
maillog_file = ${log}
maillog_file_prefixes = ${folder}
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ=UTC LANG=C
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.test
mydestination =
local_recipient_maps =
local_transport = error:no local delivery
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{refused@example.org=REJECT}}
smtp_dns_support_level = disabled
smtp_host_lookup = native
relayhost = [127.0.0.1]:${sink}
smtp_tls_security_level = none
smtpd_tls_security_level = none
enable_long_queue_ids = yes
minimal_backoff_time = 1s
queue_run_delay = 1s
maximal_backoff_time = 1s
`;
}

function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}

const mails = 30;

test('the log of a real Postfix tells what became of its mails', {
  skip: skipWithout('postfix') || rootOnly,
}, async (t) => {
  const sink = await startSink(t, {
    rcpt(address, attempt) {
      if (address.startsWith('gone')) return { code: 550, text: '5.1.1 no such user' };
      if (address.startsWith('later') && attempt === 1) return { code: 450, text: '4.7.1 Greylisted' };
      return null;
    },
  });
  const peer = await startPostfix(t, sink.port);
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: peer.port,
    secure: false,
    ignoreTLS: true,
    pool: true,
  });
  t.after(() => transport.close());
  await until('Postfix listens', () => transport.verify().catch(() => false), 120_000);
  for (let n = 0; n < mails; n += 1) {
    const to = ['ok', 'gone', 'later', 'refused'].map((name) =>
      name === 'refused' ? 'refused@example.org' : `${name}${n}@example.org`,
    );
    await transport.sendMail({
      from: 'app@acme.test',
      to,
      subject: `Mail ${n}`,
      text: 'Hello',
      messageId: `<${n}@acme.test>`,
    });
  }
  // Each mail, and the bounce to its sender.
  const count = (word: string) => readFileSync(peer.log, 'utf8').split(word).length - 1;
  await until('all have ended', () => count(': removed') === 2 * mails, 60_000);

  const world = newImportWorld(systemClock); // the log is of today
  t.after(() => world.close());
  const summary = await world.import(postfix, [peer.log]);
  assert.equal(summary.lines, count('\n'));
  assert.deepEqual(
    [
      summary.mails,
      summary.deliveries,
      summary.delivered,
      summary.failed,
      summary.deferred,
      summary.expired,
      summary.unparsed,
    ],
    [2 * mails, 4 * mails, 3 * mails, mails, 0, 0, 0],
  );
  assert.deepEqual([summary.rejected, summary.deferrals], [mails, mails]);
  for (let n = 0; n < mails; n += 1) {
    const events = world.events().filter(({ mail }) => mail.messageIdField === `${n}@acme.test`);
    const told = events.map(({ type, delivery }) => `${delivery.forwardPath} ${type}`);
    const story = (name: string, ...types: string[]) => types.map((type) => `${name}@example.org ${type}`);
    assert.deepEqual(told.sort(), [
      ...story(`gone${n}`, 'accepted', 'failed'),
      ...story(`later${n}`, 'accepted', 'deferred', 'delivered'),
      ...story(`ok${n}`, 'accepted', 'delivered'),
      ...story('refused', 'rejected'),
    ]);
    const failed = events.find(({ type }) => type === 'failed');
    assert.deepEqual(
      [failed?.delivery.reason, failed?.delivery.replyCode, failed?.delivery.enhancedStatus],
      ['bounce', 550, '5.1.1'],
    );
  }
  const at = world.events().map((event) => event.at);
  assert.ok(
    Math.min(...at) > Date.now() - 3_600_000 && Math.max(...at) < Date.now() + 60_000,
    'times are those of the log',
  );
});
