import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { Cache } from './cache.ts';

function counting(
  value: string,
  keepMs: number,
): { ask: () => Promise<{ value: string; keepMs: number }>; asked: () => number } {
  let asked = 0;
  return {
    ask: async () => {
      asked += 1;
      return { value, keepMs };
    },
    asked: () => asked,
  };
}

test('the cache holds no more than its capacity; the oldest goes', async () => {
  const cache = new Cache<string>(manualClock(0), 3);
  const source = counting('x', 1000);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await cache.get(key, source.ask);
  assert.equal(cache.size, 3);
  await cache.get('e', source.ask);
  assert.equal(source.asked(), 5);
  await cache.get('a', source.ask);
  assert.equal(source.asked(), 6);
});

test('what is not to be kept leaves nothing behind', async () => {
  const cache = new Cache<string>(manualClock(0), 3);
  const source = counting('x', 0);
  await cache.get('a', source.ask);
  assert.equal(cache.size, 0);
});

test('a question that fails is asked again', async () => {
  const cache = new Cache<string>(manualClock(0), 3);
  await assert.rejects(cache.get('a', () => Promise.reject(new Error('fault'))));
  assert.equal(await cache.get('a', counting('x', 10).ask), 'x');
});
