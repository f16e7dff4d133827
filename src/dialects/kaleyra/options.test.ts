import assert from 'node:assert/strict';
import test from 'node:test';
import { OptionProblem } from '../../base/option.ts';
import { options, readSettings } from './options.ts';

test('the price', () => {
  const [price] = options;
  assert.ok(price);
  assert.deepEqual(readSettings(new Map()), { price: 0 });
  assert.deepEqual(readSettings(new Map([[price.key, price.parse(' 0.25 ')]])), { price: 0.25 });
  assert.equal(price.parse(2), 2);
  assert.equal(price.parse(price.print(price.default)), price.default);
  assert.doesNotThrow(() => price.parse(price.example));
  for (const raw of [-1, 'free', '', '1e3', true, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, ['1']]) {
    assert.throws(() => price.parse(raw), OptionProblem, String(raw));
  }
});
