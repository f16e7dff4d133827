/** Entries of `delivery.ip_pools`: one host each, by name of the pool, addresses, and name in EHLO. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { OptionProblem } from '../base/option.ts';
import { isPoolName, type PoolEntry, poolEntry } from './ip-pools.ts';

const sound: [text: string, entry: PoolEntry, printed?: string][] = [
  ['bulk=192.0.2.11', { pool: 'bulk', ipv4: '192.0.2.11', ipv6: null, name: null }],
  ['bulk=2001:db8::11', { pool: 'bulk', ipv4: null, ipv6: '2001:db8::11', name: null }],
  ['b-2=192.0.2.11+2001:db8::11', { pool: 'b-2', ipv4: '192.0.2.11', ipv6: '2001:db8::11', name: null }],
  [
    ' bulk = 2001:db8::11 + 192.0.2.11 = Out1.Example.COM ',
    { pool: 'bulk', ipv4: '192.0.2.11', ipv6: '2001:db8::11', name: 'out1.example.com' },
    'bulk=192.0.2.11+2001:db8::11=out1.example.com',
  ],
];
for (const [text, entry, printed = text] of sound)
  test(`an entry: "${text}"`, () => {
    assert.deepEqual(poolEntry.parse(text), entry);
    assert.equal(poolEntry.print(entry), printed);
    assert.deepEqual(poolEntry.parse(printed), entry);
  });

const wrong: [text: string, why: string][] = [
  ['192.0.2.11', 'no pool'],
  ['bulk=', 'no address'],
  ['bulk=out1.example.com', 'a name instead of an address'],
  ['bulk=192.0.2.256', 'no IPv4 address'],
  ['bulk=192.0.2.11+192.0.2.12', 'two of one family'],
  ['bulk=192.0.2.11+2001:db8::1+2001:db8::2', 'three addresses'],
  ['bulk=192.0.2.11=not a name', 'no host name'],
  ['bulk=192.0.2.11=', 'an empty name'],
  ['bulk=192.0.2.11=a.example=b.example', 'one part too many'],
  ['none=192.0.2.11', 'the word for no pool'],
  ['Bulk=192.0.2.11', 'upper case'],
  ['', 'nothing'],
];
for (const [text, why] of wrong)
  test(`refused: "${text}": ${why}`, () => {
    assert.throws(() => poolEntry.parse(text), OptionProblem);
  });

test('names of pools', () => {
  const names = ['a', 'bulk-2', 'a'.repeat(40), '', '-a', 'a-', 'a'.repeat(41), 'a_b', 'none'];
  assert.deepEqual(names.map(isPoolName), [true, true, true, false, false, false, false, false, false]);
});
