import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { beginExchange, continueExchange, type ExchangeStep } from './authentication.ts';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** What came of it, in one word or the credentials. */
function outcome(step: ExchangeStep): string {
  if (step.step === 'challenge') return `334 ${step.text}`;
  if (step.step === 'credentials') return `${step.username}/${step.password}`;
  return `${step.answer.text.slice(0, 9)}${step.failed ? ' failed' : ''}`;
}

const opened: [argument: string, wanted: string][] = [
  ['PLAIN', '334 '],
  ['plain', '334 '],
  ['LOGIN', `334 ${base64('Username:')}`],
  [`PLAIN ${base64('\0user\0word')}`, 'user/word'],
  [`PLAIN ${base64('user\0user\0word')}`, 'user/word'],
  [`PLAIN ${base64('\0üser\0wörd')}`, 'üser/wörd'],
  [`LOGIN ${base64('user')}`, `334 ${base64('Password:')}`],
  [`PLAIN ${base64('other\0user\0word')}`, '535 5.7.8 failed'],
  [`PLAIN ${base64('\0user')}`, '501 5.5.2 failed'],
  [`PLAIN ${base64('\0user\0word\0')}`, '501 5.5.2 failed'],
  [`PLAIN ${base64('\0\0word')}`, '501 5.5.2 failed'],
  [`PLAIN ${base64('\0user\0')}`, '501 5.5.2 failed'],
  ['PLAIN =', '501 5.5.2 failed'],
  ['PLAIN ====', '501 5.5.2 failed'],
  ['PLAIN AHVzZXIAd29yZ', '501 5.5.2 failed'],
  ['PLAIN AHVzZXIAd29y-A==', '501 5.5.2 failed'],
  ['PLAIN AP8Ayg==', '501 5.5.2 failed'],
  ['PLAIN a b', '501 5.5.4'],
  ['CRAM-MD5', '504 5.5.4'],
  ['', '504 5.5.4'],
];

for (const [argument, wanted] of opened) {
  test(`AUTH ${argument}`, () => assert.equal(outcome(beginExchange(argument)), wanted));
}

test('LOGIN asks for the password after the user name', () => {
  const asked = continueExchange({ mechanism: 'LOGIN', username: null }, base64('user'));
  assert.ok(asked.step === 'challenge');
  assert.equal(outcome(asked), `334 ${base64('Password:')}`);
  assert.equal(outcome(continueExchange(asked.exchange, base64('word'))), 'user/word');
  assert.equal(outcome(continueExchange(asked.exchange, '*')), '501 5.7.0');
  assert.equal(outcome(continueExchange(asked.exchange, base64('wo\0rd'))), '501 5.5.2 failed');
});

test('every user name and password comes through PLAIN and LOGIN unchanged', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((value) => !value.includes('\0') && value.isWellFormed());
  fc.assert(
    fc.property(text, text, (username, password) => {
      const wanted = { step: 'credentials', username, password };
      assert.deepEqual(beginExchange(`PLAIN ${base64(`\0${username}\0${password}`)}`), wanted);
      assert.deepEqual(continueExchange({ mechanism: 'LOGIN', username }, base64(password)), wanted);
    }),
  );
});
