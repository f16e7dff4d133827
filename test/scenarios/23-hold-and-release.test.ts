/** Holding and releasing by hand: one delivery, one mail, everything that matches; also what is under way. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { relayIdIn, send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const json = async <T>(waybill: Waybill, ...words: string[]): Promise<T> => {
  const { code, stdout, stderr } = await waybill.cli(...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
};

const statesOf = async (waybill: Waybill) =>
  (
    await json<{ deliveries: { id: string; delivery: { state: string } }[] }>(waybill, 'queue', 'list')
  ).deliveries.map(({ id, delivery }) => `${id.slice(18)} ${delivery.state}`);

test('held is not tried until it is released; a count stands before', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_RETRY_SCHEDULE: '1h,1h' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const relayId = relayIdIn(
    await send(waybill, tenant, {
      to: ['greylist@example.test', 'greylist+2@example.test', 'defer@example.test'],
    }),
  );
  await until('all are deferred', async () =>
    (await statesOf(waybill)).every((state) => state.endsWith('deferred')),
  );

  assert.deepEqual(await json(waybill, 'queue', 'hold', `${relayId}:1`), {
    results: [{ id: `${relayId}:1`, result: 'held' }],
  });
  assert.deepEqual(await statesOf(waybill), [':1 held', ':2 deferred', ':3 deferred']);
  assert.equal((await waybill.cli('queue', 'retry', `${relayId}:1`)).code, 1, 'held is not waiting');

  const asked = await waybill.cli('queue', 'hold', '--tenant', 'acme', '--to', 'greylist+2@example.test');
  assert.deepEqual(
    [asked.code, asked.stderr],
    [2, 'waybill: this would hold 1 delivery; say --yes to do it\n'],
  );
  assert.deepEqual(await json(waybill, 'queue', 'hold', '--all', '--yes'), {
    matched: 3,
    results: { held: 3 },
  });
  await waybill.restart();
  assert.deepEqual(await statesOf(waybill), [':1 held', ':2 held', ':3 held']);

  await json(waybill, 'queue', 'release', `${relayId}:2`);
  await until(
    'it is delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
  assert.deepEqual(await json(waybill, 'queue', 'release', '--tenant', 'acme', '--yes'), {
    matched: 2,
    results: { released: 2 },
  });
  await until(
    'the other as well',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 2,
  );

  const { events } = await json<{ events: { type: string; delivery: { n: number } }[] }>(
    waybill,
    'log',
    relayId,
  );
  const story = events.filter(({ delivery }) => delivery.n === 1).map(({ type }) => type);
  assert.deepEqual(story.filter((type) => ['held', 'released', 'delivered'].includes(type)).sort(), [
    'delivered',
    'held',
    'released',
  ]);
});

test('a hold asked for while an attempt is under way takes effect after it; it can be canceled', async (t) => {
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_RETRY_SCHEDULE: '50ms,50ms,50ms,50ms,1h' },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'defer@example.test' });
  await until('it is held', async () => {
    await waybill.cli('queue', 'hold', '--all', '--yes');
    return (await statesOf(waybill)).includes(':1 held');
  });
  assert.deepEqual(await json(waybill, 'queue', 'cancel', '--all', '--yes'), {
    matched: 1,
    results: { canceled: 1 },
  });
});
