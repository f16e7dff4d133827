/** Ready line, health, changes while running, a stop that drains, and children that come back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { relayIdIn, send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('ready means ready, and SIGTERM ends with 0 after what was begun', async (t) => {
  const waybill = await startWaybill(t);
  assert.equal((await fetch(`${waybill.http}/healthz`)).status, 200);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'slow@example.test' });
  assert.equal(await waybill.stop(), 0);
  await waybill.restart();
  assert.equal((await mailbabyLog(waybill, tenant, { delivered: '1' })).total, 1);
});

test('the first start makes a tenant to try things with, and tells its credentials once', async (t) => {
  const waybill = await startWaybill(t);
  const first = waybill.ready.firstStart;
  assert.ok(first);
  assert.equal(first.domain, 'example.test');
  await send(waybill, first, { to: 'ok@example.test' });
  assert.equal((await mailbabyLog(waybill, first)).total, 1);
  await waybill.restart();
  assert.equal(waybill.ready.firstStart, undefined);
  assert.equal((await mailbabyLog(waybill, first)).total, 1);
});

test('a second server on the same data is refused', async (t) => {
  const waybill = await startWaybill(t);
  const { code, stderr } = await waybill.cli('serve');
  assert.equal(code, 1);
  assert.match(stderr, /already/);
});

test('either child is started again on the same ports, and nothing is lost or told twice', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_LOG_LEVEL: 'error' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const sendAtLast = () =>
    until('the relay takes mail', () => send(waybill, tenant, { to: 'ok@example.test' }).catch(() => null));
  const delivered = async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total;
  for (const name of ['relay', 'office'] as const) {
    const before = await waybill.childPids();
    await sendAtLast();
    process.kill(before[name], 'SIGKILL');
    await until(`${name} is back`, async () => {
      const after = await waybill.childPids().catch(() => before);
      return after[name] !== 0 && after[name] !== before[name];
    });
  }
  await sendAtLast();
  await until('the office tells of all three', async () => (await delivered().catch(() => 0)) === 3);
});

test('the queue can be seen and changed while the server runs', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_RETRY_SCHEDULE: '1h,1h' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const relayId = relayIdIn(
    await send(waybill, tenant, { to: ['defer@example.test', 'greylist@example.test'] }),
  );
  await until('both are deferred', async () => {
    const { stdout } = await waybill.cli('queue', 'list', '--json');
    return stdout.match(/"state":\s*"deferred"/g)?.length === 2;
  });
  assert.equal((await waybill.cli('queue', 'retry', `${relayId}:2`)).code, 0);
  await until(
    'the second attempt delivered it',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
  assert.equal((await waybill.cli('queue', 'cancel', `${relayId}:1`)).code, 0);
  const { stdout } = await waybill.cli('queue', 'list', '--json');
  assert.doesNotMatch(stdout, /"state":\s*"deferred"/);
  assert.equal((await mailbabyLog(waybill, tenant, { delivered: '0' })).total, 1);
});
