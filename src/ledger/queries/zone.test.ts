import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedgerFault } from '../fault.ts';
import { bucketStart, checkZone, offsetsBetween, zoneOffsets } from './zone.ts';

const at = (text: string) => Date.parse(text);

test('zones are checked', () => {
  for (const zone of ['UTC', 'America/New_York', 'asia/kolkata', '+05:45']) checkZone(zone);
  for (const zone of ['', 'Mars/Olympus', "UTC'; DROP", '__proto__', 'x'.repeat(10_000)]) {
    assert.throws(
      () => checkZone(zone),
      (fault) => fault instanceof LedgerFault && fault.code === 'question',
    );
  }
});

test('offsets of a zone that never changes are one', () => {
  assert.deepEqual(zoneOffsets('UTC'), { sinceSeconds: [0], offsetSeconds: [0] });
  assert.deepEqual(zoneOffsets('+05:45'), { sinceSeconds: [0], offsetSeconds: [20_700] });
});

test('a range gets the offset it begins with and those that begin in it', () => {
  const zone = 'America/New_York';
  const change = at('2025-03-09T07:00:00Z') / 1000;
  const year = offsetsBetween(zone, at('2025-01-01T00:00:00Z'), at('2025-06-01T00:00:00Z'));
  assert.deepEqual(year, { sinceSeconds: [0, change], offsetSeconds: [-18_000, -14_400] });
  const before = offsetsBetween(zone, at('2025-01-01T00:00:00Z'), change * 1000);
  assert.deepEqual(before, { sinceSeconds: [0], offsetSeconds: [-18_000] });
  const after = offsetsBetween(zone, change * 1000, change * 1000 + 1);
  assert.deepEqual(after, { sinceSeconds: [0], offsetSeconds: [-14_400] });
});

test('without a range all offsets are told', () => {
  assert.deepEqual(offsetsBetween('America/New_York', undefined, undefined), zoneOffsets('America/New_York'));
});

test('a range that ends before it begins gets the offset it begins with', () => {
  const empty = offsetsBetween('America/New_York', at('2025-06-01T00:00:00Z'), at('2024-06-01T00:00:00Z'));
  assert.equal(empty.sinceSeconds.length, empty.offsetSeconds.length);
  assert.deepEqual(empty, { sinceSeconds: [0], offsetSeconds: [-14_400] });
});

test('buckets begin where the zone says', () => {
  const days = (text: string) => at(text) / 86_400_000;
  const starts: [string, number][] = [
    ['2025-03-09T05:00:00Z', bucketStart('day', days('2025-03-09T00:00:00Z'), 'America/New_York', undefined)],
    // In Santiago the day of the change begins at 01:00: midnight does not exist.
    ['2025-09-07T04:00:00Z', bucketStart('day', days('2025-09-07T00:00:00Z'), 'America/Santiago', undefined)],
    ['2025-06-30T18:30:00Z', bucketStart('month', 2025 * 12 + 7, 'Asia/Kolkata', undefined)],
    [
      '2025-06-30T18:30:00Z',
      bucketStart('hour', at('2025-06-30T18:30:00Z') / 1000, 'Asia/Kolkata', undefined),
    ],
  ];
  for (const [expected, start] of starts)
    assert.equal(new Date(start).toISOString(), new Date(expected).toISOString());
  assert.equal(bucketStart('all', 0, 'UTC', 1234), 1234);
  assert.equal(bucketStart('all', 0, 'UTC', undefined), 0);
});
