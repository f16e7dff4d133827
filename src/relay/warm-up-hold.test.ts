/** What waits for a warm-up is told as held once, keeps its place in its lane, and is released by its attempt. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { manualClock } from '../base/clock.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { createOutboxReader, openQueue } from '../queue/queue.ts';
import { createGroupCommit, openStore } from '../store/store.ts';
import { releaseDelivery } from './hold.ts';
import { cancelDelivery, holdDelivery, retryDelivery } from './settle.ts';
import { createWarmUpHolds, holdForWarmUp, releasedFromWarmUp } from './warm-up-hold.ts';

const now = Date.UTC(2026, 5, 1, 12);
const midnight = Date.UTC(2026, 5, 2);
const mailId = 7;
const lane = { class: 'bulk' as const, tenantId: 1, destination: 'a.org' };

function setUp(t: test.TestContext, count: number) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-holds-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const queue = openQueue(store);
  const clock = manualClock(now);
  const commit = createGroupCommit(store, (fault) => {
    throw fault;
  });
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  store.transaction(() => {
    queue.insertMail({ facts: { mailId, tenantId: 1 } as MailFacts, content: null });
    for (const n of numbers) {
      const facts = { n, state: 'queued', attempts: 0, deferrals: 0, leased: false } as DeliveryFacts;
      queue.insertDelivery(mailId, {
        facts: { ...facts, nextAttemptAt: now - 10, expiresAt: now + 1000, reason: null },
        ...{ destination: lane.destination, class: lane.class },
      });
    }
    queue.park(lane, midnight, midnight);
  });
  const stateOf = (n: number) => queue.delivery(mailId, n)?.facts.state;
  const told = () =>
    createOutboxReader(store)
      .read(0, 10_000)
      .map(({ type, delivery }) => `${type} ${delivery.n}`);
  return { store, queue, clock, numbers, stateOf, told, holds: createWarmUpHolds({ clock, queue, commit }) };
}

test('what was in the lane before is told in portions, each once; nothing leaves its lane', async (t) => {
  const { holds, numbers, told, stateOf, queue, clock } = setUp(t, 501);
  await holds();
  assert.deepEqual([told().length, stateOf(500), stateOf(501)], [500, 'held', 'queued']);
  await holds();
  await holds();
  assert.deepEqual(
    told(),
    numbers.map((n) => `held ${n}`),
  );
  assert.deepEqual(queue.waitingForWarmUp(now), { count: 501, until: midnight });
  assert.equal(queue.dueIn(lane, { now, limit: 1000 }).length, 501);
  assert.deepEqual(queue.overdueIn(lane, { now: now + 2000, limit: 10 }), [], 'nothing expires');
  assert.equal(queue.count({ states: ['held'] }), 501);
  assert.equal(queue.count({ states: ['queued', 'deferred'] }), 0);
  clock.set(midnight);
  await holds();
  assert.equal(told().length, 501, 'its day has begun');
});

test('an operator cancels and holds it as any other; release and retry do not pass by the warm-up', (t) => {
  const { store, queue, stateOf, told } = setUp(t, 3);
  const id = (n: number) => ({ mailId, n });
  store.transaction(() => {
    for (const n of [1, 2, 3]) holdForWarmUp(queue, id(n), { until: midnight, now });
    holdForWarmUp(queue, id(1), { until: midnight, now });
    assert.equal(releaseDelivery(queue, id(1), now), 'warm-up');
    assert.equal(retryDelivery(queue, id(1), now), 'due');
    assert.equal(cancelDelivery(queue, id(2), now), 'canceled');
    assert.equal(holdDelivery(queue, id(3), now), 'held');
    assert.equal(queue.delivery(mailId, 3)?.heldInLane, false);
    assert.equal(releaseDelivery(queue, id(3), now), 'released');
  });
  assert.deepEqual([1, 2, 3].map(stateOf), ['held', 'canceled', 'queued']);
  assert.deepEqual(told(), ['held 1', 'held 2', 'held 3', 'canceled 2', 'released 3']);
  assert.equal(queue.dueIn(lane, { now, limit: 10 }).length, 2);
});

test('the retry schedule goes on where it was', (t) => {
  const { queue } = setUp(t, 1);
  holdForWarmUp(queue, { mailId, n: 1 }, { until: midnight, now });
  const held = queue.delivery(mailId, 1);
  assert.ok(held?.heldInLane);
  assert.match(held.facts.diagnostic, /^held for warm-up until 2026-06-02T00:00:00\.000Z at least/);
  const plan = { waitsMs: [100, 200] };
  const fresh = releasedFromWarmUp(held, plan, midnight);
  assert.partialDeepStrictEqual(fresh, {
    ...{ state: 'queued', stateAt: midnight, expiresAt: midnight + 300, reason: null, diagnostic: '' },
  });
  const tried = { ...held, facts: { ...held.facts, attempts: 1, deferrals: 1 } };
  assert.partialDeepStrictEqual(releasedFromWarmUp(tried, plan, midnight), {
    ...{ state: 'deferred', expiresAt: midnight + 200 },
  });
});
