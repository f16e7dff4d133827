import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GrowingBuffer } from './growing-buffer.ts';

test('pieces of any size come out in order, and the pieces stay as they were', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (arrays) => {
      const given = arrays.map((array) => Buffer.from(array));
      const growing = new GrowingBuffer();
      for (const piece of given) growing.append(piece);
      assert.ok(growing.bytes().equals(Buffer.concat(arrays)));
      assert.equal(growing.length, growing.bytes().length);
      assert.ok(given.every((piece, n) => piece.equals(arrays[n] ?? Buffer.alloc(0))));
    }),
  );
});

test('a piece is not written into, even if its memory goes on', () => {
  const memory = Buffer.from('one-two');
  const growing = new GrowingBuffer();
  growing.append(memory.subarray(0, 3));
  growing.append(Buffer.from('XYZ'));
  assert.equal(memory.toString(), 'one-two');
  assert.equal(growing.bytes().toString(), 'oneXYZ');
});

test('byte by byte it takes bytes, not objects', () => {
  const growing = new GrowingBuffer();
  const piece = Buffer.of(120);
  for (let n = 0; n < 100_000; n += 1) growing.append(piece);
  assert.equal(growing.bytes().buffer.byteLength <= 2 * 131_072, true);
});
