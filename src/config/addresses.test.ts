import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OptionProblem } from '../base/option.ts';
import {
  hostName,
  httpUrl,
  listenAddress,
  nameServer,
  network,
  nextHop,
  tlsPolicyRule,
  trustedNetwork,
} from './addresses.ts';

const kinds = {
  hostName,
  httpUrl,
  listenAddress,
  nameServer,
  network,
  nextHop,
  tlsPolicyRule,
  trustedNetwork,
};
type KindName = keyof typeof kinds;

const read: [kind: KindName, text: string, value: unknown][] = [
  ['listenAddress', '127.0.0.1:2525', { host: '127.0.0.1', port: 2525 }],
  ['listenAddress', '[::1]:25', { host: '::1', port: 25 }],
  ['listenAddress', '[::]:0', { host: '::', port: 0 }],
  ['listenAddress', 'localhost:0', { host: 'localhost', port: 0 }],
  ['hostName', 'Mail.Example.com', 'mail.example.com'],
  ['hostName', '3f2a8b', '3f2a8b'],
  [
    'trustedNetwork',
    '127.0.0.0/8=acme',
    { network: { address: '127.0.0.0', prefixBits: 8, family: 'ipv4' }, tenant: 'acme' },
  ],
  [
    'trustedNetwork',
    '::1 = acme',
    { network: { address: '::1', prefixBits: 128, family: 'ipv6' }, tenant: 'acme' },
  ],
  ['network', '10.0.0.0/8', { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' }],
  ['network', '2001:db8::1', { address: '2001:db8::1', prefixBits: 128, family: 'ipv6' }],
  ['nextHop', 'smtp://mx.example', { host: 'mx.example', port: 25, tls: 'opportunistic', credentials: null }],
  [
    'nextHop',
    'smtp://user:p%40ss@mx.example:587',
    { host: 'mx.example', port: 587, tls: 'required', credentials: { username: 'user', password: 'p@ss' } },
  ],
  [
    'nextHop',
    'smtp://user:pass@127.0.0.1:2500?tls=none',
    { host: '127.0.0.1', port: 2500, tls: 'none', credentials: { username: 'user', password: 'pass' } },
  ],
  [
    'nextHop',
    'smtps://[2001:db8::1]',
    { host: '2001:db8::1', port: 465, tls: 'implicit', credentials: null },
  ],
  ['nameServer', '192.0.2.53', '192.0.2.53'],
  ['nameServer', '2001:db8::53', '2001:db8::53'],
  ['nameServer', '127.0.0.1:5353', '127.0.0.1:5353'],
  ['nameServer', '[2001:db8::53]:53', '[2001:db8::53]:53'],
  ['tlsPolicyRule', 'Example.com = required', { pattern: 'example.com', policy: 'required' }],
  ['tlsPolicyRule', '*.corp.example=none', { pattern: '*.corp.example', policy: 'none' }],
  ['tlsPolicyRule', '*=mta-sts', { pattern: '*', policy: 'mta-sts' }],
  ['httpUrl', 'http://user:pass@db.example:8123/waybill', 'http://user:pass@db.example:8123/waybill'],
];

for (const [kind, text, value] of read) {
  test(`${kind} reads ${text}`, () => assert.deepEqual(kinds[kind].parse(text), value));
}

const refused: [kind: KindName, text: string][] = [
  ['network', '10.1.2.3/8'],
  ['network', 'balancer.example'],
  ['network', ''],
  ['nameServer', 'dns.example'],
  ['nameServer', 'dns.example:53'],
  ['nameServer', '192.0.2.1:0'],
  ['nameServer', '192.0.2.1:65536'],
  ['nameServer', '[192.0.2.1]:53'],
  ['nameServer', ''],
  ['tlsPolicyRule', 'example.com'],
  ['tlsPolicyRule', 'example.com=always'],
  ['tlsPolicyRule', 'example.com=required=none'],
  ['tlsPolicyRule', '*example.com=required'],
  ['tlsPolicyRule', 'a.*.example=required'],
  ['tlsPolicyRule', '=required'],
  ['listenAddress', '2525'],
  ['listenAddress', ':2525'],
  ['listenAddress', '127.0.0.1'],
  ['listenAddress', '127.0.0.1:65536'],
  ['listenAddress', '127.0.0.1:-1'],
  ['listenAddress', '::1:25'],
  ['listenAddress', '[127.0.0.1]:25'],
  ['listenAddress', '1.2.3.400:25'],
  ['listenAddress', 'a_b:25'],
  ['hostName', 'my_laptop'],
  ['hostName', '-a.example'],
  ['hostName', '192.0.2.1'],
  ['hostName', `${'a'.repeat(64)}.example`],
  ['hostName', ''],
  ['trustedNetwork', '127.0.0.0/8'],
  ['trustedNetwork', '127.0.0.0/8='],
  ['trustedNetwork', '127.0.0.1/8=acme'],
  ['trustedNetwork', '127.0.0.0/8=acme=more'],
  ['nextHop', 'mx.example:25'],
  ['nextHop', 'http://mx.example'],
  ['nextHop', 'smtp://'],
  ['nextHop', 'smtp://user@mx.example'],
  ['nextHop', 'smtp://user:%zz@mx.example'],
  ['nextHop', 'smtp://mx.example/path'],
  ['nextHop', 'smtp://mx.example?tls=maybe'],
  ['nextHop', 'smtp://mx.example?ssl=1'],
  ['nextHop', 'smtps://mx.example?tls=none'],
  ['nextHop', 'smtp://mx.example:99999'],
  ['httpUrl', 'db.example:8123'],
  ['httpUrl', 'ftp://db.example'],
];

for (const [kind, text] of refused) {
  test(`${kind} refuses "${text}"`, () => assert.throws(() => kinds[kind].parse(text), OptionProblem));
}

test('a refusal never repeats a password', () => {
  assert.throws(
    () => nextHop.parse('smtp://user:hunter2@mx.example/path'),
    (error) => error instanceof OptionProblem && !error.message.includes('hunter2'),
  );
});

test('what is printed is read as the same value', () => {
  for (const [kind, text, value] of read) {
    const { parse, print } = kinds[kind] as { parse(raw: string): unknown; print(value: unknown): string };
    assert.deepEqual(parse(print(parse(text))), value);
  }
});

test('any name and password survive being printed in a URL', () => {
  const nonEmpty = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(nonEmpty, nonEmpty, (username, password) => {
      const value = {
        host: 'mx.example',
        port: 587,
        tls: 'required' as const,
        credentials: { username, password },
      };
      assert.deepEqual(nextHop.parse(nextHop.print(value)), value);
    }),
  );
});
