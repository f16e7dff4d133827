import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noExtensions, parseExtensions } from './extensions.ts';

test('every extension a client can use', () => {
  const text = [
    'mx.example.net at your service',
    'SIZE 36700160',
    '8bitmime',
    'STARTTLS',
    'AUTH LOGIN PLAIN',
    'PIPELINING',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
  ].join('\n');
  assert.deepEqual(parseExtensions(text), {
    pipelining: true,
    eightBitMime: true,
    smtpUtf8: true,
    startTls: true,
    size: { limit: 36_700_160 },
    auth: ['LOGIN', 'PLAIN'],
  });
});

test('the greeting names no extension', () => {
  assert.deepEqual(parseExtensions('PIPELINING'), noExtensions);
  assert.deepEqual(parseExtensions(''), noExtensions);
});

for (const [line, limit] of [
  ['SIZE', 0],
  ['SIZE 0', 0],
  ['SIZE many', 0],
  ['SIZE -5', 0],
  ['SIZE 99999999999999999999', 0],
  ['size 1000', 1000],
] as const) {
  test(`announced size: ${line}`, () => assert.deepEqual(parseExtensions(`hi\n${line}`).size, { limit }));
}

test('AUTH of old servers', () => {
  assert.deepEqual(parseExtensions('hi\nAUTH=PLAIN LOGIN\nAUTH CRAM-MD5').auth, [
    'PLAIN',
    'LOGIN',
    'CRAM-MD5',
  ]);
});
