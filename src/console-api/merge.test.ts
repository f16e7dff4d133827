import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunked, merged, takeMatching } from './merge.ts';

/** Hands out the rows in chunks, and notes how many were asked for. */
function sourceOf(rows: readonly number[], chunkRows: number, asked: { rows: number } = { rows: 0 }) {
  let at = 0;
  return chunked(async () => {
    const chunk = rows.slice(at, at + chunkRows);
    at += chunk.length;
    asked.rows += chunk.length;
    return { rows: chunk, more: at < rows.length };
  });
}

const inOrder = (a: number, b: number) => a < b;

test('merges sorted sources into one, whatever their chunks', async () => {
  const sorted = fc.array(fc.integer(), { maxLength: 20 }).map((rows) => rows.sort((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(
      fc.array(sorted, { maxLength: 5 }),
      fc.integer({ min: 1, max: 7 }),
      async (all, chunk) => {
        const got = await Array.fromAsync(
          merged(
            all.map((rows) => sourceOf(rows, chunk)),
            inOrder,
          ),
        );
        assert.deepEqual(
          got,
          all.flat().sort((a, b) => a - b),
        );
      },
    ),
  );
});

test('passes over empty chunks', async () => {
  const chunks = [[], [1], [], [2]];
  const source = chunked(async () => ({ rows: chunks.shift() ?? [], more: chunks.length > 0 }));
  assert.deepEqual(await Array.fromAsync(merged([source], inOrder)), [1, 2]);
});

const everything = { limit: 100, scan: 100, onScanned: () => {} };

test('reads no more of a source than it has to', async () => {
  const asked = { rows: 0 };
  const rows = merged([sourceOf([1, 2, 3, 4, 5, 6], 2, asked)], inOrder);
  const taken = await takeMatching(rows, () => true, { ...everything, limit: 2 });
  assert.deepEqual(taken, { rows: [1, 2], ended: false });
  assert.equal(asked.rows, 2);
});

test('stops looking at its bound, and says how far it came', async () => {
  const scanned: number[] = [];
  const rows = merged([sourceOf([1, 2, 3, 4, 5], 5)], inOrder);
  const bounds = { ...everything, scan: 3, onScanned: (row: number) => scanned.push(row) };
  assert.deepEqual(await takeMatching(rows, (row) => row > 4, bounds), { rows: [], ended: false });
  assert.deepEqual(scanned, [1, 2, 3]);
});

test('knows the end', async () => {
  const rows = merged([sourceOf([1, 2], 5)], inOrder);
  assert.deepEqual(await takeMatching(rows, () => true, everything), { rows: [1, 2], ended: true });
});
