/** Senders and destinations that a tenant has denied itself: refused, on record as rejected, others go their way. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

interface LogEntry {
  delivery: { forwardPath: string; reason: string | null };
  mail: { sendingDomain: string };
}

async function rejected(waybill: Waybill): Promise<string[]> {
  const { code, stdout, stderr } = await waybill.cli('log', '--status', 'rejected', '--json');
  assert.equal(code, 0, stderr);
  const { deliveries } = JSON.parse(stdout) as { deliveries: LogEntry[] };
  return deliveries
    .map(({ delivery, mail }) => `${delivery.forwardPath} ${delivery.reason} ${mail.sendingDomain}`)
    .sort();
}

async function codeOf(waybill: Waybill, tenant: TenantCredentials, mail: Parameters<typeof send>[2]) {
  return send(waybill, tenant, mail).then(
    () => 250,
    (error: { responseCode?: number }) => error.responseCode,
  );
}

async function deny(waybill: Waybill, ...words: string[]): Promise<number> {
  const { code, stdout, stderr } = await waybill.cli('deny', 'add', ...words, '--tenant', 'acme', '--json');
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { id: number }).id;
}

test('rules about senders and destinations', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const other = await waybill.createTenant('other', 'other.test');
  await deny(waybill, 'startswith', 'no-reply');
  await deny(waybill, 'domain', 'below.acme.test');
  const destination = await deny(waybill, 'destination', 'ann@example.org');

  assert.equal(await codeOf(waybill, tenant, { to: 'a@example.org', from: 'No-Reply+1@acme.test' }), 550);
  assert.equal(await codeOf(waybill, tenant, { to: 'b@example.org', from: 'app@below.acme.test' }), 550);
  assert.equal(
    await codeOf(waybill, tenant, { to: 'c@example.org', envelopeFrom: 'no-reply@acme.test' }),
    550,
  );
  assert.equal(await codeOf(waybill, tenant, { to: 'Ann@example.org' }), 550);
  assert.equal(await codeOf(waybill, tenant, { to: ['ann@example.org', 'bob@example.org'] }), 250);
  assert.equal(await codeOf(waybill, other, { to: 'ann@example.org', from: 'no-reply@other.test' }), 250);

  await until('the others have arrived', () => sink.mails.length === 2);
  assert.deepEqual(sink.mails.flatMap(({ forwardPaths }) => forwardPaths).sort(), [
    'ann@example.org',
    'bob@example.org',
  ]);
  assert.deepEqual(await rejected(waybill), [
    'Ann@example.org deny-rule acme.test',
    'a@example.org deny-rule acme.test',
    'ann@example.org deny-rule acme.test',
    'b@example.org deny-rule acme.test',
    'c@example.org deny-rule acme.test',
  ]);

  const { code } = await waybill.cli('deny', 'remove', String(destination), '--tenant', 'acme');
  assert.equal(code, 0);
  await until(
    'the change is noticed',
    async () => (await codeOf(waybill, tenant, { to: 'ann@example.org' })) === 250,
  );
});
