/** Who may send as whom, and that nothing of another tenant is ever visible. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startWaybill } from '../support/waybill.ts';

test('a From field of a domain that is not the tenant’s is refused, and on record as blocked', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await waybill.createTenant('other', 'other.test');
  for (const from of ['ceo@other.test', 'ceo@nobody.test']) {
    await assert.rejects(
      send(waybill, tenant, { from, to: 'ok@example.test' }),
      (error: { responseCode?: number }) => error.responseCode === 550,
    );
  }
  await send(waybill, tenant, { from: 'app@below.acme.test', to: 'ok@example.test' });
  const { data } = await kaleyraLogs(waybill, tenant, '?search=blocked');
  assert.equal(data.length, 2);
  assert.match(data[0]?.description ?? '', /sender domain is not whitelisted/);
  assert.equal((await mailbabyLog(waybill, tenant)).total, 1);
});

test('a tenant sees its own mail only', async (t) => {
  const waybill = await startWaybill(t);
  const acme = await waybill.createTenant('acme', 'acme.test');
  const other = await waybill.createTenant('other', 'other.test');
  const relayId = relayIdIn(await send(waybill, acme, { to: ['ok@example.test', 'bounce@example.test'] }));
  assert.equal((await mailbabyLog(waybill, acme, { mailid: relayId })).total, 2);
  assert.equal((await mailbabyLog(waybill, other, { mailid: relayId })).total, 0);
  const [record] = (await kaleyraLogs(waybill, acme)).data;
  assert.equal((await kaleyraLogs(waybill, other, `?messageId=${record?.message_id}`)).total, 0);
  const [row] = (await submailLog(waybill, acme)).data;
  assert.equal((await submailLog(waybill, other, { send_id: row?.sendID ?? '' })).total, 0);
  assert.equal((await mailgunTotals(waybill, other)).accepted?.total, 0);
});
