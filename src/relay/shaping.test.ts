/** Which rule holds for a domain, and which domains are one site. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { plainTable, ruleFor, type ShapingRule, shapingOf, siteKey } from './shaping.ts';

const rule = (name: string, more: Partial<ShapingRule>): ShapingRule => ({
  ...{ name, mx: [], domains: [], separate: false, limits: {}, origin: '' },
  ...more,
});

const table = {
  ...plainTable,
  rules: [
    rule('big', { mx: ['big.example'], domains: ['mail.example'], limits: { connections: 3 } }),
    rule('hosted', { mx: ['hosted.example'], separate: true }),
  ],
};

const cases: readonly [domain: string, hosts: string[], rule: string | null, site: string][] = [
  ['mail.example', [], 'big', 'big'],
  ['firm.example', ['mx1.big.example', 'mx2.big.example'], 'big', 'big'],
  ['firm.example', ['big.example'], 'big', 'big'],
  ['firm.example', ['mx.notbig.example'], null, 'mx.notbig.example'],
  ['firm.example', ['mx.big.example', 'mx.other.example'], null, 'mx.big.example,mx.other.example'],
  [
    'firm.example',
    ['b.other.example', 'a.other.example', 'a.other.example'],
    null,
    'a.other.example,b.other.example',
  ],
  ['firm.example', ['firm.hosted.example'], 'hosted', 'firm.hosted.example'],
  ['firm.example', [], null, 'firm.example'],
];

for (const [domain, hosts, expected, site] of cases)
  test(`${domain} by ${hosts.join(' ') || 'nobody known'}: site ${site}`, () => {
    const found = ruleFor(table, domain, hosts);
    assert.equal(found?.name ?? null, expected);
    assert.equal(siteKey(found, domain, hosts), site);
  });

test('a rule changes what it names, the rest is the default', () => {
  const found = ruleFor(table, 'mail.example', []);
  assert.deepEqual(shapingOf(table, found), { ...plainTable.default, connections: 3 });
  assert.deepEqual(shapingOf(table, null), plainTable.default);
});
