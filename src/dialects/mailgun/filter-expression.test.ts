import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { matches, parseExpression, singleWord } from './filter-expression.ts';

/** Whether an expression holds for a set of words and, for ranges, a number. */
function holds(text: string, words: string, number = 0): boolean {
  const expression = parseExpression(text);
  assert.ok(expression);
  const present = new Set(words.split(' '));
  return matches(expression, (leaf) =>
    leaf.kind === 'word'
      ? present.has(leaf.text)
      : leaf.operator === '>'
        ? number > leaf.bound
        : number < leaf.bound,
  );
}

const cases: ReadonlyArray<readonly [expression: string, meets: string[], misses: string[]]> = [
  ['', ['', 'a'], []],
  ['a', ['a', 'a b'], ['', 'b']],
  ['a b', ['a b'], ['a', 'b']],
  ['a AND b', ['a b'], ['a', 'b']],
  ['a OR b', ['a', 'b'], ['c']],
  ['a b OR c', ['a b', 'c'], ['a', 'b']],
  ['a AND b OR c AND d', ['a b', 'c d'], ['a c', 'b d']],
  ['a (b OR c)', ['a b', 'a c'], ['a', 'b c']],
  ['a -b', ['a', 'a c'], ['a b', 'b']],
  ['NOT a', ['b'], ['a']],
  ['a AND NOT b', ['a'], ['a b']],
  ['NOT (a OR b)', ['c'], ['a', 'b']],
  ['-(a b)', ['a', 'b'], ['a b']],
  ['NOT NOT a', ['a'], ['b']],
  ['a-b', ['a-b'], ['a']],
  ['rejected OR failed', ['rejected', 'failed'], ['delivered']],
  // Keywords are upper case, and nothing in quotes is one.
  ['or', ['or'], ['']],
  ['"OR"', ['OR'], ['']],
  ['a "OR" b', ['a OR b'], ['a', 'b']],
  ['"-a"', ['-a'], ['b']],
  // What closes nothing or has no partner.
  ['a)', ['a'], ['b']],
  ['(a', ['a'], ['b']],
  ['OR', ['', 'a'], []],
  ['a OR', ['a'], ['b']],
  ['AND a', ['a'], ['b']],
  ['a - b', ['a - b'], ['a b']],
  ['()', ['', 'a'], []],
  ['"', ['"'], ['a']],
];

describe('a filter expression', () => {
  for (const [expression, meets, misses] of cases) {
    test(JSON.stringify(expression), () => {
      for (const words of meets) assert.equal(holds(expression, words), true, `${words} should meet it`);
      for (const words of misses) assert.equal(holds(expression, words), false, `${words} should miss it`);
    });
  }

  test('with numbers', () => {
    assert.deepEqual(
      [9, 10, 11].map((size) => holds('>10', '', size)),
      [false, false, true],
    );
    assert.deepEqual(
      [10, 15, 20].map((size) => holds('>10 <20', '', size)),
      [false, true, false],
    );
    assert.equal(holds('">10"', '>10'), true);
    assert.equal(holds('>ten', '>ten'), true);
  });

  test('keeps what stands in quotes together', () => {
    assert.equal(singleWord(parseExpression('"foo bar"') ?? assert.fail()), 'foo bar');
    assert.equal(singleWord(parseExpression('foo bar') ?? assert.fail()), null);
    assert.equal(singleWord(parseExpression('-foo') ?? assert.fail()), null);
  });

  test('has a bound', () => {
    assert.notEqual(parseExpression('a '.repeat(limits.filterTerms)), null);
    assert.equal(parseExpression('a '.repeat(limits.filterTerms + 1)), null);
    assert.equal(parseExpression('('.repeat(100_000)), null);
    assert.equal(parseExpression('-'.repeat(100_000))?.kind, 'word');
    assert.equal(parseExpression('NOT '.repeat(100_000)), null);
  });

  test('is always read, whatever the text, and can be asked', () => {
    const piece = fc.constantFrom('a', 'b', 'AND', 'OR', 'NOT', '-', '(', ')', '"', '>1', '<2', ' ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          const expression = parseExpression(text);
          if (expression) matches(expression, () => true);
        },
      ),
    );
  });
});
