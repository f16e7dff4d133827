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
    'DSN',
    'REQUIRETLS',
    'MT-PRIORITY MIXER',
    'LIMITS MAILMAX=5 RCPTMAX=100 RCPTDOMAINMAX=1 OTHERMAX=7',
  ].join('\n');
  assert.deepEqual(parseExtensions(text), {
    pipelining: true,
    eightBitMime: true,
    smtpUtf8: true,
    startTls: true,
    size: { limit: 36_700_160 },
    auth: ['LOGIN', 'PLAIN'],
    dsn: true,
    requireTls: true,
    mtPriority: true,
    limits: { mailMax: 5, rcptMax: 100, rcptDomainMax: 1 },
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

for (const line of [
  'LIMITS',
  'LIMITS RCPTMAX',
  'LIMITS RCPTMAX=',
  'LIMITS RCPTMAX=0',
  'LIMITS RCPTMAX=1000000',
  'LIMITS RCPTMAX=-1',
]) {
  test(`no limit announced: ${line}`, () =>
    assert.deepEqual(parseExtensions(`hi\n${line}`).limits, noExtensions.limits));
}
