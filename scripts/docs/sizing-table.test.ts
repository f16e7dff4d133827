/** The sizing table: what follows from what was measured, in numbers that can be checked by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assumed, type Measured, renderSizing, sizeFor } from './sizing-table.ts';

const measured: Measured = {
  comment: '',
  eventsPerDelivery: 2,
  bytesPerEvent: { events: 40, deliveries: 60 },
  appendCpuMicrosecondsPerEvent: 25,
  relayedPerSecond: 1000,
};

test('disk, cores and relays by hand', () => {
  const size = sizeFor(86_400_000, measured);
  assert.equal(size.peakPerSecond, 1000 * assumed.peak);
  assert.equal(Math.round(size.disk), 86_400_000 * 400 * 100 * 1.5);
  assert.equal(size.cores, 0.5);
  assert.equal(size.relays, 10);
  assert.equal(size.form, 'one server');
});

test('a small ledger stays in process, a large one becomes a cluster whose servers hold it', () => {
  assert.equal(sizeFor(1e5, measured).form, 'in process');
  const large = sizeFor(1e9, measured);
  assert.equal(large.form, 'cluster');
  assert.ok(large.disk / large.shards <= assumed.diskPerServer);
});

test('a row for each size', () => {
  assert.match(renderSizing(measured), /\| 1,000,000,000 \| 500,000,000 \|/);
});
