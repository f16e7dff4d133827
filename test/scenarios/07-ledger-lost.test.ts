/** The ledger decides nothing: without it mail flows on, and it begins again with the next event. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('a deleted ledger changes no decision', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_RETRY_SCHEDULE: '2s,1h' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: ['ok@example.test', 'greylist@example.test'] });
  await until(
    'one is delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
  assert.equal(await waybill.stop(), 0);
  rmSync(join(waybill.dataDir, 'ledger'), { recursive: true });
  await waybill.restart();
  await send(waybill, tenant, { to: 'bounce@example.test' });
  // What had ended is forgotten; what was open goes on as planned and is known again from its next event.
  await until(
    'the open one is delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
  const { emails } = await mailbabyLog(waybill, tenant);
  assert.deepEqual(emails.map(({ recipient }) => recipient).sort(), [
    'bounce@example.test',
    'greylist@example.test',
  ]);
});
