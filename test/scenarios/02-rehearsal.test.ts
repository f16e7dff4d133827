/** Every behaviour of the rehearsal destination, told by the four APIs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

/** With one retry: what deferred twice has expired. */
const expected: Record<string, { kaleyra: string; submail: number; code: number | null }> = {
  ok: { kaleyra: 'DELIVERED', submail: 6, code: 250 },
  'anything-else': { kaleyra: 'DELIVERED', submail: 6, code: 250 },
  slow: { kaleyra: 'DELIVERED', submail: 6, code: 250 },
  greylist: { kaleyra: 'DELIVERED', submail: 6, code: 250 },
  defer: { kaleyra: 'BOUNCE', submail: 7, code: 451 },
  drop: { kaleyra: 'BOUNCE', submail: 7, code: null },
  bounce: { kaleyra: 'BOUNCE', submail: 8, code: 550 },
  block: { kaleyra: 'BOUNCE', submail: 8, code: 550 },
  full: { kaleyra: 'BOUNCE', submail: 8, code: 552 },
};

test('each local part ends as documented, in the words of each API', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_RETRY_SCHEDULE: '300ms' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const names = Object.keys(expected);
  for (const name of names) await send(waybill, tenant, { to: `${name}@example.test` });
  await until('all have ended', async () => {
    const { total } = await kaleyraLogs(waybill, tenant, '?search=ACCEPTED');
    const { total: deferred } = await kaleyraLogs(waybill, tenant, '?search=deferred');
    return total + deferred === 0;
  });

  const nameOf = (address: string) => address.split('@')[0] ?? '';
  const mailbaby = await mailbabyLog(waybill, tenant);
  assert.deepEqual(
    Object.fromEntries(mailbaby.emails.map(({ recipient, code }) => [nameOf(recipient), code])),
    Object.fromEntries(names.map((name) => [name, expected[name]?.code])),
  );
  const kaleyra = await kaleyraLogs(waybill, tenant);
  assert.deepEqual(
    Object.fromEntries(kaleyra.data.map(({ to_mail, status }) => [nameOf(to_mail), status])),
    Object.fromEntries(names.map((name) => [name, expected[name]?.kaleyra])),
  );
  const submail = await submailLog(waybill, tenant);
  assert.deepEqual(
    Object.fromEntries(submail.data.map(({ to_address, status }) => [nameOf(to_address), status])),
    Object.fromEntries(names.map((name) => [name, expected[name]?.submail])),
  );
  const totals = await mailgunTotals(waybill, tenant);
  assert.equal(totals.accepted?.total, names.length);
  assert.equal(totals.delivered?.total, 4);
  // greylist, full: once each; defer and drop: once, then expired.
  assert.equal(totals.failed?.temporary.total, 4);
  assert.equal(totals.failed?.permanent['bounce'], 1);
  assert.equal(totals.failed?.permanent['total'], 5);
});
