/** Commands that work with a running server. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DeliveryEntry, EventEntry } from '../../src/console-api/console-api.ts';
import { dataPaths } from '../../src/data-paths.ts';
import { readRunFile } from '../../src/run-file.ts';
import { openStore } from '../../src/store/store.ts';
import { startWaybill } from '../support/waybill.ts';
import { newInstallation } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());

test('the command line beside a running server', async (t) => {
  const waybill = await startWaybill(t);
  const environment = { WAYBILL_DATA_DIR: waybill.dataDir };
  const run = (words: readonly string[], input = '') => installation.run(words, { environment, input });
  const json = (words: readonly string[]) => installation.json(words, { environment });
  const mail = ['send', '--from', 'app@acme.test', '--subject', 'Grüße'];
  const log = async (...words: string[]) =>
    ((await json(['log', ...words])) as { deliveries: DeliveryEntry[] }).deliveries;
  const credentials = () => {
    const store = openStore(dataPaths(waybill.dataDir).store);
    const names = store.all("SELECT identifier FROM credentials WHERE protocol = 'smtp' ORDER BY 1");
    store.close();
    return names.map((row) => row['identifier']);
  };
  let relayId = '';

  await t.test('a tenant made while it runs may send at once', async () => {
    await json(['tenant', 'create', 'acme', '--domain', 'acme.test']);
    const { code, out, err } = await run([
      ...mail,
      '--to',
      'ok@example.test',
      '--to',
      'bounce@example.test',
      '--body',
      'Hi',
    ]);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, /^[0-9a-f]{18}\n$/);
    relayId = out.trim();
  });

  await t.test('and the log tells at once what became of it', async () => {
    const { out } = await run(['log', '--tenant', 'acme']);
    assert.match(out, /^ACCEPTED +STATE +TENANT +FROM +TO +ID +SUBJECT +LAST REPLY\n/);
    assert.match(
      out,
      new RegExp(`failed \\(bounce\\) +acme +app@acme.test +bounce@example.test +${relayId}:2 +Grüße +550 `),
    );
    const [second, first, ...others] = await log('--since', '1h');
    assert.deepEqual(others, []);
    assert.deepEqual([first?.id, second?.id], [`${relayId}:1`, `${relayId}:2`]);
    assert.equal(first?.delivery.state, 'delivered');
  });

  await t.test('a text may come from a file or from standard input', async () => {
    const file = join(installation.folder, 'text');
    writeFileSync(file, 'from a file\n');
    for (const [words, input] of [
      [['--file', file], ''],
      [[], 'from a pipe\n'],
    ] as const) {
      const { code, out } = await run([...mail, '--to', 'ok@example.test', ...words, '--json'], input);
      assert.equal(code, 0);
      const { relayId: id, forwardPaths } = JSON.parse(out);
      assert.match(id, /^[0-9a-f]{18}$/);
      assert.deepEqual(forwardPaths, [
        { forwardPath: 'ok@example.test', accepted: true, answer: `250 2.0.0 Ok: queued as ${id}` },
      ]);
    }
    const missing = await run([
      ...mail,
      '--to',
      'ok@example.test',
      '--file',
      join(installation.folder, 'none'),
    ]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /^waybill: ENOENT: [^\n]*\n$/);
  });

  await t.test('nobody sends from a domain that nobody has, or that several have', async () => {
    const nobody = await run([
      'send',
      '--from',
      'a@nobody.test',
      '--to',
      'ok@example.test',
      '--subject',
      's',
      '--body',
      'x',
    ]);
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /no tenant sends from nobody.test/);
    await json(['tenant', 'create', 'twin', '--domain', 'acme.test']);
    const several = await run([...mail, '--to', 'ok@example.test', '--body', 'x']);
    assert.equal(several.code, 1);
    assert.match(several.err, /several tenants send from acme.test: say which with --tenant \(acme, twin\)/);
    const below = [
      'send',
      '--from',
      'a@mail.acme.test',
      '--to',
      'ok@example.test',
      '--subject',
      's',
      '--body',
      'x',
      '--tenant',
      'twin',
    ];
    assert.equal((await run(below)).code, 0);
    assert.equal((await log('--from', 'a@MAIL.acme.test', '--tenant', 'twin')).length, 1);
  });

  await t.test('a refusal by the server is told, and the exit code is 1', async () => {
    const { code, out, err } = await run([
      'send',
      '--from',
      'a@stranger.com',
      '--tenant',
      'acme',
      '--to',
      'ok@example.test',
      '--subject',
      's',
      '--body',
      'x',
    ]);
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, /^waybill: ok@example.test: 550 5.7.1 .*stranger.com/);
  });

  await t.test('the credential of one mail is gone when it is sent', () => {
    assert.deepEqual(credentials(), ['acme', 'default', 'twin']);
  });

  await t.test('log with an id tells the whole story', async () => {
    const { out } = await run(['log', relayId]);
    const lines = out.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      new RegExp(`Z {2}accepted +${relayId}:1 {2}app@acme.test → ok@example.test$`),
    );
    assert.match(out, new RegExp(`failed +${relayId}:2 .*bounce {2}550 `));
    const { events } = (await json(['log', `${relayId}:2`])) as { events: EventEntry[] };
    assert.ok(events.every(({ delivery }) => delivery.n === 2));
    const types = events.map(({ type }) => type);
    assert.deepEqual([types[0], ...types.slice(-2)], ['accepted', 'failed', 'notified']);
    const unknown = await run(['log', '19ab2c3d4e50000000']);
    assert.deepEqual([unknown.code, unknown.out, unknown.err], [0, '', 'nothing is known of it\n']);
  });

  await t.test('log answers a wrong tenant and a reader that goes away', async () => {
    const { code, err } = await run(['log', '--tenant', 'nobody']);
    assert.equal(code, 1);
    assert.match(err, /the server answered 404: There is no tenant nobody/);
    const gone = installation.start(['log', '--limit', '100'], { environment });
    gone.process.stdout?.destroy();
    const ended = await gone.ended;
    assert.deepEqual([ended.code, ended.err], [0, '']);
  });

  await t.test('log --follow shows each event once, as it happens, until Ctrl-C', async () => {
    const follower = installation.start(['log', '--follow', '--json', '--since', '1h', '--tenant', 'acme'], {
      environment,
    });
    await follower.until(new RegExp(`"deliveryId":"${relayId}:2".*"type":"failed"`));
    const sent = await run([...mail, '--tenant', 'acme', '--to', 'defer@example.test', '--body', 'x']);
    const id = sent.out.trim();
    await follower.until(new RegExp(`"deliveryId":"${id}:1".*"type":"deferred"`));
    await json(['queue', 'cancel', id]);
    await follower.until(new RegExp(`"deliveryId":"${id}:1".*"type":"canceled"`));
    follower.process.kill('SIGINT');
    const { code, out } = await follower.ended;
    assert.equal(code, 0);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EventEntry);
    assert.equal(new Set(events.map((event) => event.id)).size, events.length, 'each once');
    assert.ok(events.every(({ tenant }) => tenant === 'acme'));
  });

  await t.test('log --follow lives through a restart of the server', async () => {
    const follower = installation.start(['log', '--follow', '--status', 'delivered', '--since', '1h'], {
      environment,
    });
    await follower.until(new RegExp(`delivered +${relayId}:1`));
    await waybill.restart();
    const { out } = await run([...mail, '--tenant', 'acme', '--to', 'ok@example.test', '--body', 'x']);
    await follower.until(new RegExp(`delivered +${out.trim()}:1`));
    follower.process.kill('SIGTERM');
    assert.equal((await follower.ended).code, 0);
  });

  await t.test('the token of a run opens the API of that run only', async () => {
    const run1 = readRunFile(waybill.dataDir);
    assert.ok(run1);
    const ask = (token: string) =>
      fetch(`${waybill.http}/api/v1/deliveries`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await ask(run1.token)).status, 200);
    assert.equal((await ask(`${run1.token}x`)).status, 401);
    await waybill.restart();
    assert.equal((await ask(run1.token)).status, 401);
  });

  await t.test('the queue needs no server, the log does', async () => {
    const defer = await run([...mail, '--tenant', 'acme', '--to', 'defer@example.test', '--body', 'x']);
    assert.equal(await waybill.stop(), 0);
    assert.deepEqual(await json(['queue', 'retry', defer.out.trim()]), {
      results: [{ id: `${defer.out.trim()}:1`, result: 'due' }],
    });
    for (const words of [['log'], [...mail, '--to', 'ok@example.test', '--body', 'x']]) {
      const { code, err } = await run(words);
      assert.equal(code, 1);
      assert.match(err, /no server runs on .*; start it with "waybill serve"/);
    }
  });
});

test('send finds a server that speaks TLS from the first byte only', async (t) => {
  const file = join(installation.folder, 'implicit.toml');
  writeFileSync(file, '[smtp]\nlisten = []\nimplicit_tls_listen = "127.0.0.1:0"\n');
  const shared = { WAYBILL_CONFIG: file, WAYBILL_SMTP_LISTEN: '' };
  const waybill = await startWaybill(t, { environment: shared });
  const words = [
    'send',
    '--from',
    'app@example.test',
    '--to',
    'ok@example.test',
    '--subject',
    's',
    '--body',
    'x',
  ];
  const sent = await waybill.cli(...words);
  assert.equal(sent.code, 0, sent.stderr);
  const { stdout } = await waybill.cli('log', '--json');
  const { deliveries } = JSON.parse(stdout) as { deliveries: DeliveryEntry[] };
  assert.deepEqual(
    deliveries.map(({ mail }) => mail.protocol),
    ['ESMTPSA'],
  );
  assert.deepEqual(
    deliveries.map(({ relayId }) => relayId),
    [sent.stdout.trim()],
  );
});
