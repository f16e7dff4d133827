import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { relaxedBodyHash, relaxedField } from './canonical.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64');

test('header fields as RFC 6376 §3.4.2 has them', () => {
  const rows: [string, string][] = [
    ['A: X', 'a:X'],
    ['B : Y\t\r\n\tZ  ', 'b:Y Z'],
    ['SUBJect:value', 'subject:value'],
    ['Subject: \t ', 'subject:'],
    ['Subject:', 'subject:'],
    ['Subject:\r\n one\r\n\t\ttwo', 'subject:one two'],
    ['Subject: one \r\n \r\n two', 'subject:one two'],
    ['X \t : a : b', 'x:a : b'],
    // Neither a no-break space nor a form feed is white space of mail; both are kept.
    ['X: \u00a0a\u00a0', 'x:\u00a0a\u00a0'],
    ['X: a\f\v', 'x:a\f\v'],
    ['X: \u00c3\u00bc  \u00ff', 'x:\u00c3\u00bc \u00ff'],
  ];
  for (const [field, expected] of rows) assert.equal(relaxedField(field), expected, JSON.stringify(field));
});

const bodies: [string, string][] = [
  ['', ''],
  ['\r\n', ''],
  ['\r\n\r\n\r\n', ''],
  [' \r\n\t\r\n', ''],
  [' ', ''],
  ['a', 'a\r\n'],
  ['a ', 'a\r\n'],
  ['a\r\n', 'a\r\n'],
  ['a\r\n\r\n\r\n', 'a\r\n'],
  ['a\r\n \t\r\n', 'a\r\n'],
  ['a\r\n \r\nb\r\n', 'a\r\n\r\nb\r\n'],
  [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
  ['\r\n\r\na\r\n', '\r\n\r\na\r\n'],
  ['\ta  b \r\n', ' a b\r\n'],
  ['a\rb\nc\r\n', 'a\rb\nc\r\n'],
  ['a\r\r\n', 'a\r\r\n'],
  ['a\n\n', 'a\n\n\r\n'],
  ['\u00a0\r\n', '\u00a0\r\n'],
  ['\u00ff\u0000 \r\n', '\u00ff\u0000\r\n'],
];

test('bodies as RFC 6376 §3.4.4 has them', () => {
  for (const [body, expected] of bodies) {
    assert.equal(relaxedBodyHash(Buffer.from(body, 'latin1')), sha256(expected), JSON.stringify(body));
  }
  assert.equal(
    relaxedBodyHash(Buffer.alloc(0)),
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'RFC 6376 §3.4.4',
  );
});

/** The same in the words of the RFC, one rule after the other. */
function canonicalBody(body: string): string {
  const lines = body
    .split('\r\n')
    .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
    .join('\r\n')
    .replace(/(?:\r\n)+$/, '');
  return lines === '' ? '' : `${lines}\r\n`;
}

test('any body, across the borders of stretches and windows', () => {
  const anything = fc.constantFrom('a', ' ', '\t', '\r\n', '\r', '\n', '  ', ' \r\n', '\u00e9', 'word');
  // Most of these are canonical already, and some only nearly.
  const ordinary = fc.constantFrom('a', ' b', '\r\n', 'c', '\r\nd', ' e', ' ');
  const bodies = fc.oneof(
    fc.array(anything, { maxLength: 40 }).map((pieces) => pieces.join('')),
    fc.array(ordinary, { maxLength: 12 }).map((pieces) => `${pieces.join('')}\r\n`),
  );
  fc.assert(
    fc.property(bodies, fc.nat(30), (text, shift) => {
      const before = [0, 1024, 2048, 65_536].map((border) => 'x'.repeat(Math.max(0, border - shift)));
      for (const body of [...before.map((filling) => filling + text), `${text}${'\r\n'.repeat(5)}${text}`]) {
        assert.equal(relaxedBodyHash(Buffer.from(body, 'latin1')), sha256(canonicalBody(body)));
      }
    }),
    { numRuns: 500 },
  );
});
