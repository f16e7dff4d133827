/** Where a page is looked for, and in what order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inHalves } from './halves.ts';
import { inLooks, type Looking } from './looks.ts';

const ends = () => Promise.resolve([1000, 5000] as const);
const notAsked = () => Promise.reject(new Error('the range has an end of its own'));
const looking: Looking = { direction: 'descending', range: {}, widths: [10, 100, 1000], ends };

/** Where it looked; the look that ends at `found` has enough, or none. */
async function looks(changes: Partial<Looking>, found: number | null): Promise<(number | null)[]> {
  const seen: (number | null)[] = [];
  const answer = await inLooks({ ...looking, ...changes }, async (until) => {
    seen.push(until);
    return { enough: until === found && until !== null, found: until };
  });
  assert.equal(answer, seen.at(-1));
  return seen;
}

test('backward from the newest row, ever further, then everywhere', async () => {
  assert.deepEqual(await looks({}, 4991), [4991]);
  assert.deepEqual(await looks({}, 4901), [4991, 4901]);
  assert.deepEqual(await looks({}, null), [4991, 4901, 4001, null]);
});

test('forward from the oldest row', async () => {
  assert.deepEqual(await looks({ direction: 'ascending' }, 1100), [1010, 1100]);
});

test('from the end of the range that was asked for, and not beyond the other', async () => {
  const range = { from: 2900, to: 3000 };
  assert.deepEqual(await looks({ range, ends: notAsked }, null), [2990, null]);
  assert.deepEqual(await looks({ range, ends: notAsked, direction: 'ascending' }, null), [2910, null]);
  assert.deepEqual(await looks({ range: { to: 3000 }, ends: notAsked }, 2900), [2990, 2900]);
  assert.deepEqual(await looks({ range: { from: 4950 } }, null), [4991, null]);
});

test('everywhere at once where nothing is to be narrowed', async () => {
  assert.deepEqual(await looks({ widths: [], ends: notAsked }, null), [null]);
});

test('rows that lie far apart are read in halves, in their order', async () => {
  const read: (readonly number[])[] = [];
  const times = async (keys: readonly number[]) =>
    inHalves(
      keys,
      (key) => key,
      async (half) => {
        read.push(half);
        return half.map(String);
      },
    );
  const day = 86_400_000;
  assert.deepEqual(
    await times([5 * day, 3 * day, day]),
    [5, 3, 1].map((days) => String(days * day)),
  );
  assert.deepEqual(read, [[5 * day, 3 * day], [day]]);
  assert.deepEqual(await times([3, 2, 1]), ['3', '2', '1']);
  assert.equal(read.length, 3);
  assert.deepEqual(await times([]), []);
});
