/** Postfix's load tools on both sides: many sessions in, a sink that counts what comes out. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { mailgunTotals } from '../support/apis.ts';
import { peerCommand, skipWithout } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const run = promisify(execFile);

/** Prints a counter to standard output as mails come in. */
async function startSmtpSink(t: TestContext): Promise<{ port: number; count(): number }> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(peerCommand('smtp-sink'), ['-4', '-c', ...user, `127.0.0.1:${port}`, '128']);
  t.after(() => child.kill());
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed = (printed + chunk).slice(-200);
  });
  return { port, count: () => Number(/.*mesg=(\d+)/s.exec(printed)?.[1] ?? 0) };
}

for (const { sessions, mails, bytes, newConnections } of [
  { sessions: 1, mails: 20, bytes: 512, newConnections: false },
  { sessions: 20, mails: 400, bytes: 4096, newConnections: false },
  { sessions: 10, mails: 100, bytes: 65_536, newConnections: true },
]) {
  const name = `${mails} mails of ${bytes} bytes by smtp-source in ${sessions} sessions reach smtp-sink, once each`;
  test(name, { skip: skipWithout('smtp-source', 'smtp-sink') }, async (t) => {
    const sink = await startSmtpSink(t);
    const waybill = await startWaybill(t, {
      environment: {
        WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
        WAYBILL_SMTP_TRUSTED: '127.0.0.0/8=acme',
        WAYBILL_RETRY_SCHEDULE: new Array(50).fill('100ms').join(','),
      },
    });
    const tenant = await waybill.createTenant('acme', 'acme.test');
    const kept = newConnections ? [] : ['-d'];
    const load = ['-s', sessions, '-m', mails, '-l', bytes].map(String);
    const envelope = ['-N', '-f', 'app@acme.test', '-t', 'rcpt@example.org'];
    await run(peerCommand('smtp-source'), [
      ...load,
      ...kept,
      ...envelope,
      `${waybill.smtp.host}:${waybill.smtp.port}`,
    ]);
    await until('the sink has them all', () => sink.count() >= mails, 30_000);
    await until(
      'the ledger says so',
      async () => (await mailgunTotals(waybill, tenant)).delivered?.total === mails,
    );
    const totals = await mailgunTotals(waybill, tenant);
    assert.equal(totals.accepted?.total, mails);
    assert.equal(sink.count(), mails);
  });
}
