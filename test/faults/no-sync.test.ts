/**
 * A disk that does not take a sync (EIO). What was not synced is never answered 250. The relay ends then, because later
 * syncs of the same file prove nothing, and begins again from what the disk holds.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { createFaultyDisk, skipWithoutCompiler } from '../support/faulty-disk.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

/** Goes into a segment file, whatever else is under way. */
const largeText = 'a line of some length that makes the content large\r\n'.repeat(3000);

async function setUp(t: test.TestContext) {
  const disk = createFaultyDisk(t);
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
      WAYBILL_RETRY_SCHEDULE: new Array(100).fill('100ms').join(','),
      WAYBILL_LOG_LEVEL: 'error',
      ...disk.environment,
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const traffic: Traffic = { waybill, tenant, sink };
  return { disk, traffic };
}

const skip = skipWithoutCompiler();

test('a sync of the WAL that fails ends the relay; nothing is answered 250', { skip }, async (t) => {
  const { disk, traffic } = await setUp(t);
  const { waybill, tenant } = traffic;
  const accepted = await sendUntilAccepted(traffic, 5);
  const { relay } = await waybill.childPids();

  disk.refuseSync('waybill.sqlite-wal');
  await assert.rejects(send(waybill, tenant, { to: 'unsynced@example.org' }));
  await until('the relay ended', async () => (await waybill.childPids()).relay !== relay);
  assert.match(waybill.log(), /the disk did not take a sync/);

  disk.heal();
  accepted.push(...(await sendUntilAccepted(traffic, 5, 100)));
  await accountFor(traffic, accepted);
});

test('a sync of a segment file that fails: 451, and the file is not used again', { skip }, async (t) => {
  const { disk, traffic } = await setUp(t);
  const { waybill, tenant } = traffic;
  const accepted = await sendUntilAccepted(traffic, 4);
  const { relay } = await waybill.childPids();

  disk.refuseSync('.seg');
  const refused = await Promise.allSettled(
    Array.from({ length: 6 }, (_, n) => send(waybill, tenant, { to: `s${n}@example.org`, text: largeText })),
  );
  for (const result of refused) {
    assert.equal(result.status, 'rejected');
    assert.equal((result.reason as { responseCode?: number }).responseCode, 451);
  }
  accepted.push(...(await sendUntilAccepted(traffic, 1, 52))); // a small content needs no segment file

  disk.heal();
  accepted.push(...(await sendUntilAccepted(traffic, 4, 100)));
  await accountFor(traffic, accepted);
  assert.equal((await waybill.childPids()).relay, relay, 'the relay stayed');
});

test('contents that waited for a sync that failed are refused with it', { skip }, async (t) => {
  const { disk, traffic } = await setUp(t);
  const { waybill, tenant } = traffic;
  const accepted = await sendUntilAccepted(traffic, 1);
  // The next sync would succeed, but what the system dropped at the first would not be in it.
  disk.refuseOneSync('.seg');
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, (_, n) => send(waybill, tenant, { to: `s${n}@example.org`, text: largeText })),
  );
  assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(['rejected']));
  accepted.push(...(await sendUntilAccepted(traffic, 4, 100)));
  await accountFor(traffic, accepted);
});
