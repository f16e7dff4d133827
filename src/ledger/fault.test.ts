import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf, LedgerFault } from './fault.ts';

function said(code: string, message = 'words'): Error {
  return Object.assign(new Error(message), { code });
}

const table: [string, LedgerFault['code'], boolean][] = [
  ['159', 'timeout', true],
  ['241', 'memory', true],
  ['396', 'question', false],
  ['60', 'engine', false],
  ['210', 'unavailable', true],
  ['ECONNREFUSED', 'unavailable', true],
  ['CHDB_CONNECTION', 'unavailable', true],
];

for (const [code, expected, temporary] of table) {
  test(`error ${code} is ${expected}`, () => {
    const fault = faultOf(said(code));
    assert.equal(fault.code, expected);
    assert.equal(fault.temporary, temporary);
    assert.match(fault.message, /words/);
  });
}

test('a fault stays what it is', () => {
  const fault = new LedgerFault('question', 'no');
  assert.equal(faultOf(fault), fault);
});

test('the engine may throw anything', () => {
  assert.equal(faultOf('gone').code, 'engine');
  assert.equal(faultOf(null).code, 'engine');
});

test('the message is one line of bounded length, the cause keeps the rest', () => {
  const cause = said('62', `Syntax error\n${'SELECT '.repeat(1000)}`);
  const fault = faultOf(cause);
  assert.ok(!fault.message.includes('\n'));
  assert.equal(fault.cause, cause);
  assert.ok(faultOf(said('62', 'x'.repeat(10_000))).message.length < 500);
});
