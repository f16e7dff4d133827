import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  asciiOriginalRecipient,
  decodeXtext,
  isEnvelopeId,
  isOriginalRecipient,
  isXtext,
  mailClassOf,
  parseNotify,
  parsePriority,
} from './envelope-options.ts';

for (const [value, words] of [
  ['NEVER', ['NEVER']],
  ['success', ['SUCCESS']],
  ['DELAY,FAILURE,SUCCESS', ['SUCCESS', 'FAILURE', 'DELAY']],
  ['FAILURE,FAILURE', ['FAILURE']],
  ['NEVER,NEVER', ['NEVER']],
  ['NEVER,DELAY', null],
  ['', null],
  ['SUCCESS,', null],
  [',SUCCESS', null],
  ['SUCCESS, DELAY', null],
  ['ALWAYS', null],
  ['constructor', null],
] as const) {
  test(`NOTIFY=${value}`, () => assert.deepEqual(parseNotify(value), words));
}

for (const value of ['QQ314159', 'a+2Bb+3Dc+20d', '!~', 'x'.repeat(100)]) {
  test(`ENVID=${value}`, () => assert.ok(isEnvelopeId(value)));
}
for (const value of ['', 'a+2b', 'a+', 'a+0A', 'a+7F', 'a+00b', 'a+80', 'ü', 'a=b', 'x'.repeat(101)]) {
  test(`malformed ENVID=${value}`, () => assert.ok(!isEnvelopeId(value)));
}

for (const value of [
  'rfc822;Bob@example.org',
  'RFC822;a+2Bb@example.org',
  'x400;/C=US/'.replace('=', '+3D'),
  'utf-8;j\u00f6rg@example.org',
  'utf-8;j\\x{F6}rg@example.org',
  'utf-8;j\\x{1F600}@example.org',
  'UTF-8;plain@example.org',
  `rfc822;${'x'.repeat(493)}`,
]) {
  test(`ORCPT=${value}`, () => assert.ok(isOriginalRecipient(value)));
}
for (const value of [
  '',
  'rfc822',
  'rfc822;',
  ';a@b',
  'rfc 822;a@b',
  'rfc822;a b',
  'rfc822;a=b',
  'rfc822;a+0D+0ARCPT',
  'rfc822;j\u00f6rg@example.org',
  'utf-8;a\\x{}',
  'utf-8;a\\x{110000}',
  'utf-8;\u0085',
  'utf-8;a\\b',
  `rfc822;${'x'.repeat(494)}`,
]) {
  test(`malformed ORCPT=${value}`, () => assert.ok(!isOriginalRecipient(value)));
}

test('an original recipient for a server without SMTPUTF8 is ASCII and still well formed', () => {
  assert.equal(asciiOriginalRecipient('rfc822;a@b'), 'rfc822;a@b');
  assert.equal(asciiOriginalRecipient('utf-8;j\u00f6rg\u{1f600}@b'), 'utf-8;j\\x{F6}rg\\x{1F600}@b');
  assert.ok(isOriginalRecipient(asciiOriginalRecipient('utf-8;j\u00f6rg\u{1f600}@b')));
});

test('xtext is decoded', () => {
  assert.equal(decodeXtext('rfc822;a+2Bb+3Dc'), 'rfc822;a+b=c');
  assert.equal(decodeXtext('+C3+B6'), 'ö');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = [...Buffer.from(text)]
        .map((byte) => `+${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join('');
      return isXtext(encoded) && decodeXtext(encoded) === Buffer.from(text).toString();
    }),
  );
});

test('priorities and their classes', () => {
  const priorities = ['-9', '-1', '0', '1', '9'].map(parsePriority);
  assert.deepEqual(priorities, [-9, -1, 0, 1, 9]);
  for (const value of ['', '-0', '10', '+1', '01', '1.5', '--1', '-'])
    assert.equal(parsePriority(value), null);
  assert.deepEqual(priorities.map(mailClassOf), ['bulk', 'bulk', ...new Array(3).fill('transactional')]);
  assert.equal(mailClassOf(null), 'transactional');
});
