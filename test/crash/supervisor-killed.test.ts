/** Only the supervisor is ended with SIGKILL: its children finish what they have begun and go, and the next start waits for them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('a start right after the supervisor was killed takes over from its children', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'slow@example.test' });
  const { relay, office } = await waybill.childPids();
  process.kill(waybill.ready.pids.supervisor, 'SIGKILL');
  await waybill.restart();
  const after = await waybill.childPids();
  assert.notEqual(after.relay, relay);
  assert.notEqual(after.office, office);
  await until(
    'the mail is delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
});
