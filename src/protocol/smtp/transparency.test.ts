import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentTerminator, declaredBytes, transparentPart } from './transparency.ts';

function onTheWire(content: Buffer, partBytes: number): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += partBytes) {
    parts.push(transparentPart(content, at, Math.min(content.length, at + partBytes)));
  }
  return Buffer.concat([...parts, contentTerminator(content)]).toString('latin1');
}

/** The rule, said once more and slowly. */
function naive(content: string): string {
  const lines = content.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return [...lines.map((line) => (line.startsWith('.') ? `.${line}` : line)), '.', ''].join('\r\n');
}

const cases: [content: string, wire: string][] = [
  ['', '.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['a\r\n.\r\nb\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a.\r\nb.c\r\n', 'a.\r\nb.c\r\n.\r\n'],
  ['a\n.\nb\n', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a\r.\rb\r', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a\n\r\n.\r\n', 'a\r\n\r\n..\r\n.\r\n'],
  ['a\r\r\n', 'a\r\n\r\n.\r\n'],
  ['a\r', 'a\r\n.\r\n'],
];
for (const [content, wire] of cases) {
  test(`on the wire: ${JSON.stringify(content)}`, () => {
    for (const size of [1, 2, 3, 1000]) assert.equal(onTheWire(Buffer.from(content), size), wire);
  });
}

test('any content, in parts of any size, is what the naive rule makes of it', () => {
  const piece = fc.constantFrom('.', '..', '\r', '\n', '\r\n', 'a', 'bc', '\xe9', '\r\n.\r\n', '\x00');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (pieces, size) => {
      const content = pieces.join('');
      const wire = onTheWire(Buffer.from(content, 'latin1'), size);
      assert.equal(wire, naive(content));
      assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/, 'no CR or LF alone');
      assert.equal(wire.search(/(^|\n)\.\r\n/) + (wire.startsWith('.\r\n') ? 3 : 4), wire.length, 'one end');
    }),
    { numRuns: 2000 },
  );
});

test('nothing is copied when nothing is inserted', () => {
  const content = Buffer.from('Subject: a\r\n\r\nb . c\r\n');
  const part = transparentPart(content, 0, content.length);
  assert.equal(part.buffer, content.buffer);
  assert.equal(part.byteOffset, content.byteOffset);
});

test('a content of periods alone takes no more than moments', () => {
  const content = Buffer.from('.\r\n'.repeat(80_000));
  assert.equal(transparentPart(content, 0, content.length).length, 4 * 80_000);
});

test('declared size counts the end of the last line', () => {
  assert.equal(declaredBytes(Buffer.from('a\r\n.\r\n')), 6);
  assert.equal(declaredBytes(Buffer.from('a')), 3);
  assert.equal(declaredBytes(Buffer.alloc(0)), 0);
});
