import assert from 'node:assert/strict';
import test from 'node:test';
import { manualClock } from '../../base/clock.ts';
import { fieldsOf } from '../../http/query.ts';
import { cacheKeyOf, ReplyCache } from './reply-cache.ts';

const minute = 60_000;
const bounds = { replies: 3, bytes: 1000 };

/** Answers `1`, `2`, `3`…: which query the reply belongs to. */
function counting(): { make: () => Promise<string>; count: () => number } {
  let made = 0;
  return {
    make: async () => {
      made += 1;
      return String(made);
    },
    count: () => made,
  };
}

test('within the interval the previous reply is returned with its age; then a new one is made', async () => {
  const clock = manualClock(1_000_000);
  const cache = new ReplyCache(clock, minute);
  const { make } = counting();
  assert.deepEqual(await cache.reply('a', make), { body: '1', ageMs: null });
  clock.advance(minute - 1);
  assert.deepEqual(await cache.reply('a', make), { body: '1', ageMs: minute - 1 });
  assert.deepEqual(await cache.reply('b', make), { body: '2', ageMs: null });
  clock.advance(1);
  assert.deepEqual(await cache.reply('a', make), { body: '3', ageMs: null });
});

test('a clock that goes back does not keep a reply for longer', async () => {
  const clock = manualClock(1_000_000);
  const cache = new ReplyCache(clock, minute);
  const { make } = counting();
  await cache.reply('a', make);
  clock.advance(-1);
  assert.deepEqual(await cache.reply('a', make), { body: '2', ageMs: null });
  clock.advance(10);
  assert.deepEqual(await cache.reply('a', make), { body: '2', ageMs: 10 });
});

test('an interval of 0 keeps nothing', async () => {
  const cache = new ReplyCache(manualClock(0), 0);
  const { make } = counting();
  await cache.reply('a', make);
  assert.deepEqual(await cache.reply('a', make), { body: '2', ageMs: null });
});

test('who asks while the reply is being made waits for the same one', async () => {
  const cache = new ReplyCache(manualClock(0), minute);
  const { make, count } = counting();
  const replies = await Promise.all([cache.reply('a', make), cache.reply('a', make), cache.reply('a', make)]);
  assert.deepEqual(
    replies.map(({ body }) => body),
    ['1', '1', '1'],
  );
  assert.equal(count(), 1);
});

test('a fault is told to those who wait for it and then forgotten', async () => {
  const cache = new ReplyCache(manualClock(0), minute);
  const fault = () => Promise.reject(new Error('ledger away'));
  const both = await Promise.allSettled([cache.reply('a', fault), cache.reply('a', fault)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal((await cache.reply('a', async () => 'well')).body, 'well');
});

test('the oldest replies go when there are too many', async () => {
  const cache = new ReplyCache(manualClock(0), minute, bounds);
  const { make } = counting();
  for (const key of ['a', 'b', 'c', 'd']) await cache.reply(key, make);
  assert.equal((await cache.reply('b', make)).body, '2');
  assert.equal((await cache.reply('a', make)).body, '5');
});

test('the oldest replies go when they are too large together, even the newest if it must', async () => {
  const cache = new ReplyCache(manualClock(0), minute, bounds);
  const large = async () => 'x'.repeat(600);
  await cache.reply('a', large);
  await cache.reply('b', large);
  assert.equal((await cache.reply('b', async () => 'new')).ageMs, 0);
  assert.equal((await cache.reply('a', async () => 'new')).body, 'new');
  await cache.reply('c', async () => 'x'.repeat(2000));
  assert.equal((await cache.reply('c', async () => 'new')).body, 'new');
});

test('the key is the app alone, or the app and what it asks, but never how it signs', () => {
  const ask = (more: Record<string, string>) =>
    fieldsOf(Object.entries({ appid: '1', signature: 's', timestamp: '1', ...more }));
  assert.equal(cacheKeyOf('app', '1', ask({ to: 'a' })), cacheKeyOf('app', '1', ask({ to: 'b' })));
  const keyOf = (more: Record<string, string>, appid = '1') => cacheKeyOf('app-and-query', appid, ask(more));
  assert.equal(keyOf({ to: 'a' }), keyOf({ to: ' a', timestamp: '2', signature: 't' }));
  assert.notEqual(keyOf({ to: 'a' }), keyOf({ to: 'b' }));
  assert.notEqual(keyOf({ to: 'a' }), keyOf({ app: 'a' }));
  assert.notEqual(keyOf({ to: 'a' }), keyOf({ to: 'a' }, '2'));
});
