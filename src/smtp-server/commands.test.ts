import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGreetingName, parseCommand, parseMail, parseRcpt } from './commands.ts';

const lines: [line: string, verb: string | null, argument?: string][] = [
  ['NOOP', 'NOOP', ''],
  ['noop  ', 'NOOP', ''],
  ['MAIL FROM:<a@b>  SIZE=1 ', 'MAIL', 'FROM:<a@b>  SIZE=1'],
  ['X-FOO bar', 'X-FOO', 'bar'],
  ['', null],
  [' NOOP', null],
  ['<a@b>', null],
  ['NOOP: x', null],
  ['1', null],
];

for (const [line, verb, argument = ''] of lines) {
  test(`line ${JSON.stringify(line)}`, () => {
    assert.deepEqual(parseCommand(line), verb === null ? null : { verb, argument });
  });
}

test('a line of spaces takes no more time than another', () => {
  const startedAt = performance.now();
  for (let n = 0; n < 100; n += 1) parseCommand(`NOOP ${' '.repeat(12_000)}x${' '.repeat(200)}`);
  assert.ok(performance.now() - startedAt < 500);
});

test('names in greetings', () => {
  for (const name of ['a', 'mail.example.com', 'under_score', '[192.0.2.1]', '[IPv6:::1]', 'WIN-1', 'a.']) {
    assert.equal(isGreetingName(name), true, name);
  }
  for (const name of ['', 'a b', 'a(b)', '<a>', '"a"', 'ü', '[a b]', 'a\\b', 'x'.repeat(256), '[a;b]']) {
    assert.equal(isGreetingName(name), false, name);
  }
});

test('MAIL and its parameters', () => {
  assert.deepEqual(parseMail('from:<a@b> SIZE=10 body=8bitmime AUTH=x+40y'), {
    reversePath: 'a@b',
    parameters: { declaredBytes: 10, body: '8BITMIME' },
  });
  assert.deepEqual(parseMail('FROM:<>'), {
    reversePath: '',
    parameters: { declaredBytes: null, body: '7BIT' },
  });
});

test('RCPT knows spellings of one mailbox', () => {
  const key = (argument: string) => {
    const command = parseRcpt(argument, 'relay.test');
    return 'key' in command ? command.key : null;
  };
  assert.equal(key('TO:<a@B.example>'), key('TO:<"a"@b.EXAMPLE>'));
  assert.notEqual(key('TO:<a@b.example>'), key('TO:<A@b.example>'));
  assert.equal(key('TO:<Postmaster>'), key('TO:<postmaster>'));
});
