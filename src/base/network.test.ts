import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Network, networkContains, parseNetwork, printNetwork, unmapped } from './network.ts';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  assert.ok(parsed, text);
  return parsed;
}

for (const [text, printed] of [
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.7', '192.0.2.7/32'],
  ['::1', '::1/128'],
  ['::/0', '::/0'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['2001:db8:1:2:3:4:5:0/112', '2001:db8:1:2:3:4:5:0/112'],
  ['::ffff:10.0.0.0/104', '::ffff:10.0.0.0/104'],
]) {
  test(`${text} is a network`, () => assert.equal(printNetwork(network(text ?? '')), printed));
}

for (const text of [
  '',
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '10.1.2.3/8',
  '2001:db8::1/32',
  '::/129',
  'fe80::1%eth0',
  '10.0.0.0/ 8',
  '10.0.0.0/',
]) {
  test(`"${text}" is no network`, () => assert.equal(parseNetwork(text), null));
}

const containment: [network: string, address: string, contained: boolean][] = [
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['127.0.0.0/8', '::1', false],
  ['::1', '::1', true],
  ['::/0', '127.0.0.1', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['2001:db8::/32', '2001:DB8::5', true],
  ['2001:db8::/32', '2001:db9::5', false],
  ['10.0.0.0/8', 'no address', false],
];

for (const [text, address, contained] of containment) {
  test(`${text} ${contained ? 'contains' : 'does not contain'} ${address}`, () =>
    assert.equal(networkContains(network(text), address), contained));
}

test('only an IPv4-mapped address is unmapped', () => {
  assert.equal(unmapped('::FFFF:192.0.2.1'), '192.0.2.1');
  assert.equal(unmapped('::1'), '::1');
});
