/** What a client asks for with the envelope, from its session through the queue to a receiving server of another make. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { DialogClient } from '../dialogs/client.ts';
import { relayIdIn } from '../support/send.ts';
import { content, submit } from '../support/submit.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

/** What the receiving server kept of an envelope. */
interface Received {
  dsn: { ret: string | null; envid: string | null };
  requireTLS: boolean;
  smtpUtf8?: boolean;
  rcptTo: { address: string; dsn?: { notify?: string[]; orcpt?: string } }[];
}

async function startReceiver(
  t: TestContext,
  options: SMTPServerOptions,
): Promise<{ port: number; mails: Received[] }> {
  const mails: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    hideDSN: false,
    hideREQUIRETLS: false,
    ...options,
    onData(stream, session, callback) {
      stream.resume();
      stream.on('end', () => {
        mails.push(structuredClone(session.envelope) as unknown as Received);
        callback(null, 'OK');
      });
    },
  } as SMTPServerOptions);
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

interface LogEntry {
  type: string;
  at: number;
  delivery: { state: string; reason: string | null; enhancedStatus: string; diagnostic: string };
}

async function storyOf(waybill: Waybill, reply: string): Promise<LogEntry[]> {
  const { code, stdout, stderr } = await waybill.cli('log', relayIdIn(reply), '--json');
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { events: LogEntry[] }).events;
}

test('DSN parameters reach a next server that offers DSN, also after a deferral', async (t) => {
  let refusals = 1;
  const receiver = await startReceiver(t, {
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo(_address, _session, callback) {
      refusals -= 1;
      callback(refusals >= 0 ? Object.assign(new Error('4.2.0 Later'), { responseCode: 450 }) : null);
    },
  });
  const environment = {
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${receiver.port}`,
    WAYBILL_RETRY_SCHEDULE: '100ms,100ms',
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await submit(waybill, tenant, {
    mail: ' RET=HDRS ENVID=QQ+2B314159',
    rcpt: ['<jane@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;jane+2Bold@example.net'],
  });
  await until('the mail is received', () => receiver.mails.length === 1);
  const [mail] = receiver.mails;
  assert.equal(mail?.dsn.ret, 'HDRS');
  assert.match(String(mail?.dsn.envid), /^QQ(\+2B|\+)314159$/);
  assert.deepEqual(mail?.rcptTo[0]?.dsn?.notify, ['SUCCESS', 'FAILURE']);
  assert.match(String(mail?.rcptTo[0]?.dsn?.orcpt), /^rfc822;jane(\+2B|\+)old@example\.net$/);
});

test('a mail with HOLDFOR is held through a crash, then released and delivered', async (t) => {
  const receiver = await startReceiver(t, { disabledCommands: ['STARTTLS', 'AUTH'] });
  const environment = { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${receiver.port}` };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const submittedAt = Date.now();
  const reply = await submit(waybill, tenant, { mail: ' HOLDFOR=6', rcpt: ['<jane@example.org>'] });
  const { stdout } = await waybill.cli('queue', 'list', '--state', 'held', '--json');
  assert.equal((JSON.parse(stdout) as { total: number }).total, 1);
  await waybill.killAll();
  assert.equal(receiver.mails.length, 0);
  await waybill.restart();
  await until('the mail is received', () => receiver.mails.length === 1);
  assert.ok(Date.now() >= submittedAt + 6000);
  const told = await until('its delivery is told', async () => {
    const events = await storyOf(waybill, reply);
    return events.some(({ type }) => type === 'delivered') ? events : null;
  });
  const byTime = told.toSorted((a, b) => a.at - b.at).map(({ type }) => type);
  assert.deepEqual(new Set(byTime), new Set(['accepted', 'held', 'released', 'attempted', 'delivered']));
  const released = told.find(({ type }) => type === 'released');
  assert.ok(released && released.at >= submittedAt + 6000);
});

async function requireTlsWorld(t: TestContext, options: SMTPServerOptions, isTrusted: boolean) {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const directory = mkdtempSync(join(tmpdir(), 'waybill-ca-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'ca.pem');
  writeFileSync(file, pems.cert);
  const receiver = await startReceiver(t, {
    disabledCommands: ['AUTH'],
    key: pems.private,
    cert: pems.cert,
    ...options,
  });
  const environment: Record<string, string> = { WAYBILL_NEXT_HOP: `smtp://localhost:${receiver.port}` };
  if (isTrusted) environment['NODE_EXTRA_CA_CERTS'] = file;
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const send = (mail = ' REQUIRETLS') =>
    submit(waybill, tenant, { mail, rcpt: ['<jane@example.org>'], tls: true });
  return { waybill, receiver, send };
}

test('REQUIRETLS: delivered under TLS to a server that offers it and proves who it is', async (t) => {
  const { receiver, send } = await requireTlsWorld(t, {}, true);
  await send();
  await until('the mail is received', () => receiver.mails.length === 1);
  assert.equal(receiver.mails[0]?.requireTLS, true);
});

const lacking: readonly [string, SMTPServerOptions & { hideREQUIRETLS?: boolean }, boolean][] = [
  ['does not offer it', { hideREQUIRETLS: true }, true],
  ['offers no TLS', { disabledCommands: ['AUTH', 'STARTTLS'] }, true],
  ['cannot prove who it is', {}, false],
];
for (const [what, options, isTrusted] of lacking) {
  test(`REQUIRETLS: failed with 5.7.30 at a server that ${what}; other mail is delivered there`, async (t) => {
    const { waybill, receiver, send } = await requireTlsWorld(t, options, isTrusted);
    const reply = await send();
    await send('');
    const [ended] = await until('it has failed', async () => {
      const events = await storyOf(waybill, reply);
      const found = events.filter(({ type }) => type === 'failed');
      return found.length > 0 ? found : null;
    });
    assert.equal(ended?.delivery.enhancedStatus, '5.7.30');
    assert.equal(ended?.delivery.reason, 'tls');
    await until('the other mail is received', () => receiver.mails.length === 1);
    assert.equal(receiver.mails[0]?.requireTLS, false);
  });
}

test('behind a balancer the client’s own address counts: for trusted networks, the trace and the log', async (t) => {
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_SMTP_PROXY_NETWORKS: '127.0.0.0/8',
      WAYBILL_SMTP_TRUSTED: '192.0.2.0/24=acme',
      WAYBILL_LOG_LEVEL: 'debug',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const envelope = 'EHLO c\r\nMAIL FROM:<app@acme.test>\r\nRCPT TO:<ok@example.test>\r\n';
  const firstReplies = async (address: string) => {
    const client = await DialogClient.connect(waybill.smtp.port);
    t.after(() => client.destroy());
    client.send(`PROXY TCP4 ${address} 198.51.100.1 4711 587\r\n${envelope}`);
    for (;;) {
      const line = await client.line();
      if (/^250 2\.1\.5|^5/.test(line)) return { line, client };
    }
  };
  assert.match((await firstReplies('203.0.113.9')).line, /^530 /);
  const { line, client } = await firstReplies('192.0.2.77');
  assert.match(line, /^250 2\.1\.5/);
  client.send(`BDAT ${content.length} LAST\r\n${content}`);
  assert.match(await client.line(), /queued as/);
  await waybill.stop();
  assert.match(waybill.log(), /192\.0\.2\.77/);
  assert.ok(tenant.tenant.id > 0);
});
