/** Days, hours and months of zones that change their clocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeZones, play } from '../../support/histories.ts';
import { countByBucket } from './reference.ts';
import { type SubjectOf, simplePlan, sorted, tenantOf } from './subject.ts';

/** Each begins two days around a change of clocks. */
const changes = [
  '2025-11-02T00:00:00Z',
  '2025-03-09T00:00:00Z',
  '2025-04-05T00:00:00Z',
  '2025-10-04T00:00:00Z',
  '2025-03-29T12:00:00Z', // Beirut and Nuuk: midnight, and an evening, that does not exist
  '2025-09-06T12:00:00Z', // Santiago: the day begins at 01:00
  '2024-12-30T23:00:00Z', // year ends of every zone
];

/** Of offsets by 30 and 45 minutes, and of changes at midnight. */
const zones = [
  ...edgeZones,
  ...['America/Santiago', 'Asia/Beirut', 'America/Nuuk', 'Pacific/Chatham', 'America/St_Johns'],
  ...['Australia/Eucla', 'Pacific/Kiritimati', 'Pacific/Niue'],
];
const quarters = Array.from({ length: 192 }, (_, index) => index * 900_000);

export function bucketCases(subjectOf: SubjectOf): void {
  test('an hour that a zone has twice, or half an hour that it skips, is counted once', async () => {
    const subject = subjectOf();
    const times = changes.flatMap((start) => quarters.map((offset) => Date.parse(start) + offset));
    const history = subject.own(play(times.map(simplePlan)));
    const scope = tenantOf(history);
    await subject.append(history);
    for (const zone of zones) {
      for (const unit of ['hour', 'day', 'month'] as const) {
        const question = { types: ['accepted'] as const, unit, zone };
        const counts = await subject.ledger.countByBucket(scope, question);
        assert.deepEqual(
          sorted(counts),
          sorted(countByBucket(history.events, scope, question)),
          `${zone} ${unit}`,
        );
        const sum = counts.reduce((total, { count }) => total + count, 0);
        assert.equal(sum, times.length);
      }
    }
    const question = { types: ['accepted'] as const, unit: 'day' as const, zone: 'America/New_York' };
    const days = await subject.ledger.countByBucket(scope, question);
    const dayOf = (text: string) => days.find(({ bucketAt }) => bucketAt === Date.parse(text))?.count;
    assert.equal(dayOf('2025-11-02T04:00:00Z'), 25 * 4);
    assert.equal(dayOf('2025-03-09T05:00:00Z'), 23 * 4);
  });

  test('a range is taken to whole quarters of an hour, so that what just happened counts', async () => {
    const subject = subjectOf();
    const noon = Date.UTC(2025, 5, 15, 12);
    const history = subject.own(play([noon - 1, noon, noon + 900_000].map(simplePlan)));
    await subject.append(history);
    const count = async (from: number, to: number) => {
      const question = { types: ['accepted'] as const, unit: 'all' as const, zone: 'UTC', from, to };
      const [row] = await subject.ledger.countByBucket(tenantOf(history), question);
      assert.ok(row === undefined || row.bucketAt === from);
      return row?.count ?? 0;
    };
    assert.equal(await count(noon, noon + 900_000), 1);
    assert.equal(await count(noon + 5, noon + 10), 1);
    assert.equal(await count(noon - 900_000, noon), 1);
    assert.equal(await count(noon - 1, noon + 900_001), 3);
    assert.equal(await count(noon, noon), 0);
  });
}
