import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bucketHolding, bucketStarts, type Duration, lastBucket, windowOf } from './window.ts';
import { type Resolution, resolutions } from './words.ts';

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z');
/** The moment of the recorded reply: its eight buckets run from the 17th to the 24th. */
const now = at('2025-02-24T22:44:13Z');

interface Row {
  ask: { start?: string; end?: string; resolution?: Resolution; duration?: string };
  /** First and last bucket, their number and their length. */
  answer: [first: string, last: string, count: number, resolution: Resolution];
}

const rows: readonly Row[] = [
  // Defaults.
  { ask: {}, answer: ['2025-02-17T00:00Z', '2025-02-24T00:00Z', 8, 'day'] },
  { ask: { resolution: 'hour' }, answer: ['2025-02-17T22:00Z', '2025-02-24T22:00Z', 169, 'hour'] },
  { ask: { resolution: 'month' }, answer: ['2025-02-01T00:00Z', '2025-02-01T00:00Z', 1, 'month'] },
  // The default start is seven days before the end asked for.
  { ask: { end: '2025-01-03T10:00Z' }, answer: ['2024-12-27T00:00Z', '2025-01-03T00:00Z', 8, 'day'] },
  {
    ask: { end: '2025-01-03T10:00Z', resolution: 'month' },
    answer: ['2024-12-01T00:00Z', '2025-01-01T00:00Z', 2, 'month'],
  },
  // Start and end, taken to their buckets; both are included.
  {
    ask: { start: '2025-01-24T23:59Z', end: '2025-01-31T00:01Z' },
    answer: ['2025-01-24T00:00Z', '2025-01-31T00:00Z', 8, 'day'],
  },
  {
    ask: { start: '2025-02-24T10:59Z', end: '2025-02-24T12:00Z', resolution: 'hour' },
    answer: ['2025-02-24T10:00Z', '2025-02-24T12:00Z', 3, 'hour'],
  },
  {
    ask: { start: '2023-11-15T00:00Z', end: '2024-03-01T00:00Z', resolution: 'month' },
    answer: ['2023-11-01T00:00Z', '2024-03-01T00:00Z', 5, 'month'],
  },
  {
    ask: { start: '2024-02-28T12:00Z', end: '2024-03-01T12:00Z' },
    answer: ['2024-02-28T00:00Z', '2024-03-01T00:00Z', 3, 'day'],
  },
  { ask: { start: '2025-02-24T22:44:13Z' }, answer: ['2025-02-24T00:00Z', '2025-02-24T00:00Z', 1, 'day'] },
  // An end in the future is no error: its buckets are empty.
  {
    ask: { start: '2025-02-23T00:00Z', end: '2025-02-26T00:00Z' },
    answer: ['2025-02-23T00:00Z', '2025-02-26T00:00Z', 4, 'day'],
  },
  // A duration alone: that many buckets of its own unit, the last holds the end (recorded reply of 2016: 1m).
  { ask: { duration: '1m' }, answer: ['2025-02-01T00:00Z', '2025-02-01T00:00Z', 1, 'month'] },
  { ask: { duration: '2m' }, answer: ['2025-01-01T00:00Z', '2025-02-01T00:00Z', 2, 'month'] },
  { ask: { duration: '1d' }, answer: ['2025-02-24T00:00Z', '2025-02-24T00:00Z', 1, 'day'] },
  { ask: { duration: '30d' }, answer: ['2025-01-26T00:00Z', '2025-02-24T00:00Z', 30, 'day'] },
  { ask: { duration: '24h' }, answer: ['2025-02-23T23:00Z', '2025-02-24T22:00Z', 24, 'hour'] },
  {
    ask: { duration: '1h', end: '2025-02-24T22:00Z' },
    answer: ['2025-02-24T22:00Z', '2025-02-24T22:00Z', 1, 'hour'],
  },
  // It overrides the start, and counts back from the end asked for.
  {
    ask: { duration: '3d', start: '2020-01-01T00:00Z', end: '2024-03-01T05:00Z' },
    answer: ['2024-02-28T00:00Z', '2024-03-01T00:00Z', 3, 'day'],
  },
  // An explicit resolution wins over the unit.
  {
    ask: { duration: '1d', resolution: 'day' },
    answer: ['2025-02-24T00:00Z', '2025-02-24T00:00Z', 1, 'day'],
  },
  {
    ask: { duration: '1d', resolution: 'hour' },
    answer: ['2025-02-23T23:00Z', '2025-02-24T22:00Z', 24, 'hour'],
  },
  {
    ask: { duration: '1m', resolution: 'day' },
    answer: ['2025-01-25T00:00Z', '2025-02-24T00:00Z', 31, 'day'],
  },
  {
    ask: { duration: '7d', resolution: 'month', end: '2025-03-03T12:00Z' },
    answer: ['2025-02-01T00:00Z', '2025-03-01T00:00Z', 2, 'month'],
  },
  {
    ask: { duration: '48h', resolution: 'day' },
    answer: ['2025-02-22T00:00Z', '2025-02-24T00:00Z', 3, 'day'],
  },
  {
    ask: { duration: '1m', resolution: 'day', end: '2025-03-30T12:00Z' },
    answer: ['2025-02-28T00:00Z', '2025-03-30T00:00Z', 31, 'day'],
  },
];

function durationOf(text: string | undefined): Duration | undefined {
  if (text === undefined) return undefined;
  const unit = ({ h: 'hour', d: 'day', m: 'month' } as const)[text.slice(-1)];
  assert.ok(unit);
  return { count: Number(text.slice(0, -1)), unit };
}

function requestOf({ start, end, resolution, duration }: Row['ask']) {
  return {
    start: start === undefined ? undefined : at(start),
    end: end === undefined ? undefined : at(end),
    resolution,
    duration: durationOf(duration),
  };
}

describe('the window of a question', () => {
  for (const { ask, answer } of rows) {
    test(`for ${JSON.stringify(ask)}`, () => {
      const window = windowOf(requestOf(ask), now);
      assert.ok(window.ok);
      const starts = bucketStarts(window.value);
      assert.ok(starts.ok);
      const [first = 0] = starts.value;
      const seen = [iso(first), iso(lastBucket(window.value)), starts.value.length, window.value.resolution];
      assert.deepEqual(seen, answer);
      assert.equal(starts.value.at(-1), lastBucket(window.value));
    });
  }

  test('is refused when it ends before it starts', () => {
    const refused = windowOf({ start: now, end: now - 1 }, now);
    assert.deepEqual(refused, { ok: false, problem: 'start: is later than end' });
    assert.equal(windowOf({ start: now + 1 }, now).ok, false);
  });

  test('is refused when its duration reaches behind the beginning of time', () => {
    for (const duration of [
      { count: 999_999, unit: 'month' },
      { count: 999_999, unit: 'day' },
    ] as const) {
      assert.equal(windowOf({ duration }, now).ok, false);
    }
  });

  test('has no more buckets than the bound', () => {
    const decade = windowOf({ start: at('2015-01-01T00:00Z'), resolution: 'hour' }, now);
    assert.ok(decade.ok);
    const starts = bucketStarts(decade.value);
    assert.ok(!starts.ok);
    assert.match(starts.problem, /20000 buckets of one hour/);
    assert.equal(bucketStarts({ from: 0, to: 20_000 * 3_600_000, resolution: 'hour' }).ok, true);
    assert.equal(bucketStarts({ from: 0, to: 20_001 * 3_600_000, resolution: 'hour' }).ok, false);
  });

  test('of one bucket holds the instant', () => {
    assert.deepEqual(bucketHolding(at('2024-02-29T23:59:59Z'), 'month'), {
      from: at('2024-02-01T00:00Z'),
      to: at('2024-03-01T00:00Z'),
      resolution: 'month',
    });
  });

  test('is cut without gap or overlap, and holds start and end', () => {
    const instant = fc.integer({ min: at('2020-01-01T00:00Z'), max: at('2026-01-01T00:00Z') });
    const span = fc.integer({ min: 0, max: 400 * 86_400_000 });
    fc.assert(
      fc.property(instant, span, fc.constantFrom(...resolutions), (start, length, resolution) => {
        const window = windowOf({ start, end: start + length, resolution }, now);
        assert.ok(window.ok);
        const starts = bucketStarts(window.value);
        assert.ok(starts.ok);
        const [first = Number.NaN] = starts.value;
        assert.equal(first, window.value.from);
        assert.ok(first <= start && start + length < window.value.to);
        for (const [index, bucket] of starts.value.entries()) {
          const { from, to } = bucketHolding(bucket, resolution);
          assert.equal(from, bucket);
          assert.equal(to, starts.value[index + 1] ?? window.value.to);
        }
      }),
    );
  });
});
