import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OptionProblem, type RawValue } from '../base/option.ts';
import { byteSize, duration, type Kind, listOf, oneOf, optional, path, wholeNumber } from './kinds.ts';

const anyDuration = duration(0, 1000 * 86_400_000);
const anySize = byteSize(0, 2 ** 50);

const read: [name: string, kind: Kind<unknown>, raw: RawValue, value: unknown][] = [
  ['seconds', anyDuration, '30s', 30_000],
  ['minutes', anyDuration, '5m', 300_000],
  ['hours', anyDuration, '2h', 7_200_000],
  ['days', anyDuration, '2d', 172_800_000],
  ['milliseconds', anyDuration, '250ms', 250],
  ['several units', anyDuration, '1h30m', 5_400_000],
  ['blanks around', anyDuration, ' 5m ', 300_000],
  ['bytes', anySize, '1000B', 1000],
  ['bare bytes', anySize, '1000', 1000],
  ['a number of a file', anySize, 4096, 4096],
  ['MiB', anySize, '50MiB', 52_428_800],
  ['GiB', anySize, '2GiB', 2_147_483_648],
  ['a whole number', wholeNumber(0, 31), '31', 31],
  ['a choice', oneOf('json', 'pretty'), 'json', 'json'],
  ['a path', path, '/a b/c', '/a b/c'],
  [
    'a list in one text',
    listOf(anyDuration, { min: 1, max: 9 }),
    '5m,15m, 1h',
    [300_000, 900_000, 3_600_000],
  ],
  ['a list of a file', listOf(wholeNumber(0, 9), { min: 1, max: 9 }), [1, '2'], [1, 2]],
  ['an empty list', listOf(anyDuration, { min: 0, max: 9 }), '', []],
  ['nothing', optional(anyDuration), '', null],
  ['something', optional(anyDuration), '1s', 1000],
];

for (const [name, kind, raw, value] of read) {
  test(`reads ${name}`, () => assert.deepEqual(kind.parse(raw), value));
}

const refused: [name: string, kind: Kind<unknown>, raw: RawValue, expected: RegExp][] = [
  ['a duration without a unit', anyDuration, '30', /such as 30s/],
  ['a duration as a number', anyDuration, 30, /such as 30s/],
  ['no duration at all', anyDuration, '', /such as 30s/],
  ['units in a wrong order', anyDuration, '5s1m', /such as 30s/],
  ['a fraction', anyDuration, '1.5h', /such as 30s/],
  ['a negative duration', anyDuration, '-5m', /such as 30s/],
  ['a duration out of range', duration(1000, 60_000), '2m', /from 1s to 1m/],
  ['an unclear unit of size', anySize, '50M', /such as 512KiB/],
  ['a decimal unit of size', anySize, '50MB', /such as 512KiB/],
  ['a size out of range', byteSize(1024, 2048), '4KiB', /from 1KiB to 2KiB/],
  ['a number out of range', wholeNumber(0, 31), '32', /from 0 to 31/],
  ['a negative number', wholeNumber(0, 31), -1, /from 0 to 31/],
  ['a fraction as a number', wholeNumber(0, 31), 1.5, /from 0 to 31/],
  ['a number in another base', wholeNumber(0, 31), '0x1f', /from 0 to 31/],
  ['an unknown choice', oneOf('json', 'pretty'), 'JSON', /one of json, pretty/],
  ['a list where one value stands', wholeNumber(0, 31), [1], /not a list/],
  ['a list within a list', listOf(wholeNumber(0, 9), { min: 0, max: 9 }), [[1]], /not a list/],
  ['too few entries', listOf(anyDuration, { min: 1, max: 9 }), '', /1 to 9 entries/],
  ['too many entries', listOf(wholeNumber(0, 9), { min: 0, max: 2 }), '1,2,3', /0 to 2 entries/],
  ['an empty entry', listOf(wholeNumber(0, 9), { min: 0, max: 9 }), '1,,2', /whole number/],
  ['an empty path', path, '', /path/],
  ['a path with a NUL', path, 'a\0b', /path/],
];

for (const [name, kind, raw, expected] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => kind.parse(raw),
      (error) => error instanceof OptionProblem && expected.test(error.message),
    );
  });
}

test('what a kind prints it reads as the same value', () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 * 86_400_000 }), (ms) => anyDuration.parse(anyDuration.print(ms)) === ms),
  );
  fc.assert(fc.property(fc.nat(), (bytes) => anySize.parse(anySize.print(bytes)) === bytes));
});

test('a kind prints in the largest unit that fits', () => {
  assert.equal(anyDuration.print(5_400_000), '1h30m');
  assert.equal(anyDuration.print(0), '0s');
  assert.equal(anySize.print(52_428_800), '50MiB');
  assert.equal(anySize.print(1000), '1000B');
});
