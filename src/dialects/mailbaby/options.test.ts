import assert from 'node:assert/strict';
import test from 'node:test';
import { OptionProblem, type RawValue } from '../../base/option.ts';
import { options, readSettings } from './options.ts';

const defaults = { zone: 'UTC', basePrice: 1, pricePerThousand: 0.2, currency: 'USD', billingDay: 1 };

function optionOf(name: string) {
  const option = options.find(({ key }) => key === `dialects.mailbaby.${name}`);
  assert.ok(option, name);
  return option;
}

test('the defaults', () => {
  assert.deepEqual(readSettings(new Map()), defaults);
});

test('values as a file and as the environment hold them', () => {
  const rows: [name: string, raw: RawValue, value: unknown][] = [
    ['zone', 'America/New_York', 'America/New_York'],
    ['zone', 'UTC', 'UTC'],
    ['base_price', '0', 0],
    ['base_price', 2.5, 2.5],
    ['price_per_thousand', ' 0.35 ', 0.35],
    ['currency', 'EUR', 'EUR'],
    ['billing_day', '28', 28],
    ['billing_day', 15, 15],
  ];
  for (const [name, raw, value] of rows) {
    const option = optionOf(name);
    assert.equal(option.parse(raw), value, `${name} ${raw}`);
    assert.equal(option.parse(option.print(value)), value);
  }
});

test('what is wrong stops the start', () => {
  const rows: [name: string, raw: RawValue][] = [
    ['zone', 'Nowhere/Land'],
    ['zone', ''],
    ['zone', '+01:00'],
    ['zone', 1],
    ['base_price', '-1'],
    ['base_price', 'free'],
    ['base_price', Number.NaN],
    ['price_per_thousand', 1e9],
    ['price_per_thousand', true],
    ['currency', 'dollars'],
    ['currency', 'usd'],
    ['billing_day', 0],
    ['billing_day', 29],
    ['billing_day', 1.5],
    ['billing_day', []],
  ];
  for (const [name, raw] of rows)
    assert.throws(() => optionOf(name).parse(raw), OptionProblem, `${name} ${raw}`);
});

test('every example and default is one that the option takes', () => {
  for (const { key, parse, print, example, default: standard } of options) {
    assert.doesNotThrow(() => parse(example), key);
    assert.deepEqual(parse(print(standard)), standard, key);
  }
});

test('values are read by their keys', () => {
  const values = {
    zone: 'Asia/Kolkata',
    base_price: 0,
    price_per_thousand: 3,
    currency: 'INR',
    billing_day: 7,
  };
  const settings = new Map(
    Object.entries(values).map(([name, value]) => [`dialects.mailbaby.${name}`, value]),
  );
  const expected = {
    zone: 'Asia/Kolkata',
    basePrice: 0,
    pricePerThousand: 3,
    currency: 'INR',
    billingDay: 7,
  };
  assert.deepEqual(readSettings(settings), expected);
});
