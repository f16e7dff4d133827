import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noMailOptions } from '../protocol/smtp/envelope-options.ts';
import { futureRelease, isGreetingName, parseBdat, parseCommand, parseMail, parseRcpt } from './commands.ts';

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
  const before = process.cpuUsage();
  for (let n = 0; n < 100; n += 1) parseCommand(`NOOP ${' '.repeat(12_000)}x${' '.repeat(200)}`);
  assert.ok(process.cpuUsage(before).user < 500_000);
});

test('names in greetings', () => {
  for (const name of ['a', 'mail.example.com', 'under_score', '[192.0.2.1]', '[IPv6:::1]', 'WIN-1', 'a.']) {
    assert.equal(isGreetingName(name), true, name);
  }
  for (const name of ['', 'a b', 'a(b)', '<a>', '"a"', 'ü', '[a b]', 'a\\b', 'x'.repeat(256), '[a;b]']) {
    assert.equal(isGreetingName(name), false, name);
  }
});

const now = Date.UTC(2026, 0, 31, 12);
const day = 86_400_000;
const offered = { now, maxHoldMs: 7 * day, secure: true };

test('MAIL and its parameters', () => {
  const nothing = { body: '7BIT', holdUntil: null, options: noMailOptions };
  assert.deepEqual(parseMail('from:<a@b> SIZE=10 body=8bitmime AUTH=x+40y', offered), {
    reversePath: 'a@b',
    parameters: { ...nothing, declaredBytes: 10, body: '8BITMIME' },
  });
  assert.deepEqual(parseMail('FROM:<>', offered), {
    reversePath: '',
    parameters: { ...nothing, declaredBytes: null },
  });
  assert.deepEqual(
    parseMail('FROM:<ü@b> SMTPUTF8 RET=hdrs ENVID=a+2Bb REQUIRETLS MT-PRIORITY=-4 HOLDFOR=60', offered),
    {
      reversePath: 'ü@b',
      parameters: {
        ...nothing,
        declaredBytes: null,
        holdUntil: now + 60_000,
        options: { smtpUtf8: true, ret: 'HDRS', envid: 'a+2Bb', requireTls: true, priority: -4 },
      },
    },
  );
});

const holds: readonly [parameter: string, until: number | null | 'refused'][] = [
  ['HOLDFOR=0', null],
  ['HOLDFOR=604800', now + 7 * day],
  ['HOLDFOR=604801', 'refused'],
  ['HOLDFOR=0604800', now + 7 * day],
  ['HOLDFOR=1000000000', 'refused'],
  ['HOLDFOR=-1', 'refused'],
  ['HOLDFOR', 'refused'],
  ['HOLDUNTIL=2026-02-01T12:00:00Z', now + day],
  ['HOLDUNTIL=2026-02-01t12:00:00.25z', now + day + 250],
  ['HOLDUNTIL=2026-02-01T14:00:00+02:00', now + day],
  ['HOLDUNTIL=2026-02-07T12:00:00Z', now + 7 * day],
  ['HOLDUNTIL=2026-02-07T12:00:01Z', 'refused'],
  ['HOLDUNTIL=2026-01-31T11:59:59Z', null],
  ['HOLDUNTIL=0001-01-01T00:00:00Z', null],
  ['HOLDUNTIL=2026-02-30T12:00:00Z', 'refused'],
  ['HOLDUNTIL=2026-02-01T25:00:00Z', 'refused'],
  ['HOLDUNTIL=2026-02-01T12:00:00', 'refused'],
  ['HOLDUNTIL=2026-02-01', 'refused'],
  ['HOLDUNTIL=tomorrow', 'refused'],
  ['HOLDFOR=60 HOLDUNTIL=2026-02-01T12:00:00Z', 'refused'],
  ['HOLDUNTIL=2026-01-01T12:00:00Z HOLDFOR=0', 'refused'],
];
for (const [parameter, until] of holds) {
  test(`MAIL with ${parameter}`, () => {
    const command = parseMail(`FROM:<a@b> ${parameter}`, offered);
    if (until === 'refused') assert.match('text' in command ? command.text : '', /^501 5\.5\.4 /);
    else assert.equal('parameters' in command && command.parameters.holdUntil, until);
  });
}

test('what is announced of FUTURERELEASE may be asked for', () => {
  const { seconds, dateTime } = futureRelease(now, 7 * day);
  assert.deepEqual({ seconds, dateTime }, { seconds: 604_800, dateTime: '2026-02-07T12:00:00Z' });
  assert.ok('parameters' in parseMail(`FROM:<a@b> HOLDFOR=${seconds}`, offered));
  assert.ok('parameters' in parseMail(`FROM:<a@b> HOLDUNTIL=${dateTime}`, offered));
});

test('RCPT and its parameters', () => {
  const command = parseRcpt('TO:<c@d> NOTIFY=delay,success ORCPT=rfc822;x+2By@z', 'relay.test', false);
  assert.deepEqual('options' in command && command.options, {
    notify: ['SUCCESS', 'DELAY'],
    orcpt: 'rfc822;x+2By@z',
  });
  const without = parseRcpt('TO:<c@d>', 'relay.test', false);
  assert.equal('options' in without && without.options, null);
});

test('BDAT', () => {
  assert.deepEqual(parseBdat('0'), { octets: 0, last: false });
  assert.deepEqual(parseBdat('1000 LAST'), { octets: 1000, last: true });
  assert.deepEqual(parseBdat('1  last'), { octets: 1, last: true });
  for (const argument of [
    '',
    'LAST',
    '-1',
    '+1',
    '1 END',
    '1 LAST 2',
    '0x10',
    '1.5',
    '1'.repeat(16),
    '1LAST',
  ]) {
    assert.equal(parseBdat(argument), null, argument);
  }
});

test('RCPT knows spellings of one mailbox', () => {
  const key = (argument: string) => {
    const command = parseRcpt(argument, 'relay.test', false);
    return 'key' in command ? command.key : null;
  };
  assert.equal(key('TO:<a@B.example>'), key('TO:<"a"@b.EXAMPLE>'));
  assert.notEqual(key('TO:<a@b.example>'), key('TO:<A@b.example>'));
  assert.equal(key('TO:<Postmaster>'), key('TO:<postmaster>'));
});
