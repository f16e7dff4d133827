/** Lanes follow their deliveries, and no question about them looks at what merely waits. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { openStore, type Store } from '../store/store.ts';
import { laneQueries } from './lanes.ts';
import { openQueue, type Queue } from './queue.ts';

function setUp(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-lanes-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return { store, queue: openQueue(store) };
}

const facts = (n: number, nextAttemptAt: number): DeliveryFacts =>
  ({ n, state: 'queued', leased: false, attempts: 0, nextAttemptAt }) as DeliveryFacts;

function insert(
  queue: Queue,
  mailId: number,
  more: { tenantId: number; bulk?: boolean; paths: [string, number][] },
) {
  queue.insertMail({ facts: { mailId, tenantId: more.tenantId } as MailFacts, content: null });
  for (const [index, [destination, dueAt]] of more.paths.entries())
    queue.insertDelivery(mailId, {
      facts: facts(index + 1, dueAt),
      destination,
      class: more.bulk ? 'bulk' : 'transactional',
    });
}

test('from tenant to tenant, lane to lane, and within a lane by time', (t) => {
  const { queue } = setUp(t);
  insert(queue, 1, {
    tenantId: 7,
    paths: [
      ['b.example', 30],
      ['a.example', 20],
      ['b.example', 10],
    ],
  });
  insert(queue, 2, { tenantId: 9, bulk: true, paths: [['a.example', 5]] });
  insert(queue, 3, { tenantId: 8, paths: [['a.example', 99]] });
  assert.deepEqual(queue.nextTenant('transactional', 0), { tenantId: 7, lookAt: 10 });
  assert.deepEqual(queue.nextTenant('transactional', 7), { tenantId: 8, lookAt: 99 });
  assert.equal(queue.nextTenant('transactional', 8), null);
  assert.deepEqual(queue.nextTenant('bulk', 0), { tenantId: 9, lookAt: 5 });
  const lanes = queue.dueLanes('transactional', 7, { now: 40, limit: 10 });
  assert.deepEqual(
    lanes.map(({ destination }) => destination),
    ['b.example', 'a.example'],
  );
  const [lane] = lanes;
  assert.ok(lane);
  assert.deepEqual(
    queue.dueIn(lane, { now: 40, limit: 10 }).map(({ n }) => n),
    [3, 1],
  );
  assert.deepEqual(
    queue.dueIn(lane, { now: 20, limit: 10 }).map(({ n }) => n),
    [3],
  );
  assert.deepEqual(
    queue.dueOfMail(1, { now: 20, limit: 10 }).map(({ n }) => n),
    [2, 3],
  );
});

test('a parked lane has its time, and loses it when all are let go', (t) => {
  const { queue } = setUp(t);
  insert(queue, 1, { tenantId: 1, paths: [['a.example', 10]] });
  const [lane] = queue.dueLanes('transactional', 1, { now: 10, limit: 1 });
  assert.ok(lane);
  queue.park(lane, 50);
  assert.deepEqual(queue.nextTenant('transactional', 0), { tenantId: 1, lookAt: 50 });
  assert.deepEqual(queue.dueLanes('transactional', 1, { now: 49, limit: 1 }), []);
  assert.deepEqual(queue.dueLanes('transactional', 1, { now: 50, limit: 1 }), [lane]);
  queue.unparkAll();
  assert.deepEqual(queue.dueLanes('transactional', 1, { now: 10, limit: 1 }), [lane]);
});

test('a lane that is held by a warm-up says so, with what is due in it, until it is let go', (t) => {
  const { queue } = setUp(t);
  insert(queue, 1, {
    tenantId: 1,
    paths: [
      ['a.example', 10],
      ['a.example', 10],
      ['a.example', 40],
      ['b.example', 10],
    ],
  });
  const [lane] = queue.dueLanes('transactional', 1, { now: 10, limit: 1 });
  assert.equal(lane?.destination, 'a.example');
  const untilOf = (n: number, now: number) => queue.warmUpUntil(1, n, now);
  assert.equal(untilOf(1, 20), null);
  queue.park(lane, 50, 90);
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => untilOf(n, 20)),
    [90, 90, null, null],
  );
  assert.deepEqual(queue.waitingForWarmUp(20), { count: 2, until: 90 });
  assert.deepEqual(queue.waitingForWarmUp(40), { count: 3, until: 90 });
  assert.deepEqual(queue.waitingForWarmUp(50), { count: 0, until: null }, 'it is to be looked at again');
  queue.park(lane, 60);
  assert.equal(untilOf(1, 20), null, 'it waits for something else');
  queue.park(lane, 50, 90);
  queue.unparkWarmUps();
  assert.deepEqual(queue.dueLanes('transactional', 1, { now: 10, limit: 1 }), [lane]);
  assert.deepEqual(queue.waitingForWarmUp(20), { count: 0, until: null });
});

test('whatever happens to deliveries, each lane knows its earliest, and none is left over', (t) => {
  const { store, queue } = setUp(t);
  let mailId = 0;
  const change = fc.record({
    n: fc.integer({ min: 1, max: 4 }),
    to: fc.oneof(
      fc.constantFrom('leased', 'held', 'ended', 'moved' as const),
      fc.integer({ min: 0, max: 5 }),
    ),
  });
  const paths = fc.array(
    fc.tuple(fc.constantFrom('a.example', 'b.example'), fc.integer({ min: 0, max: 5 })),
    {
      ...{ minLength: 1, maxLength: 4 },
    },
  );
  fc.assert(
    fc.property(paths, fc.boolean(), fc.array(change, { maxLength: 12 }), (of, bulk, changes) => {
      mailId += 1;
      const id = mailId;
      insert(queue, id, { tenantId: (id % 3) + 1, bulk, paths: of });
      for (const { n, to } of changes) apply(queue, { mailId: id, n }, to);
      assert.deepEqual(lanesIn(store), lanesCounted(store));
    }),
    { numRuns: 60 },
  );
});

function apply(
  queue: Queue,
  id: { mailId: number; n: number },
  to: number | 'leased' | 'held' | 'ended' | 'moved',
): void {
  const before = queue.delivery(id.mailId, id.n);
  if (!before) return;
  const { facts: was } = before;
  if (to === 'moved') queue.redirect(id.mailId, id.n, 'c.example');
  else if (to === 'leased') queue.update(before, { ...was, leased: true, lastAttemptAt: 1 });
  else if (to === 'held') queue.update(before, { ...was, leased: false, state: 'held' });
  else if (to === 'ended')
    queue.update(before, { ...was, leased: false, state: 'delivered', nextAttemptAt: null });
  else queue.update(before, { ...was, leased: false, state: 'deferred', nextAttemptAt: to });
}

const lanesIn = (store: Store) =>
  store.all('SELECT bulk, tenant_id, destination, due_at FROM lanes ORDER BY bulk, tenant_id, destination');

const lanesCounted = (store: Store) =>
  store.all(`SELECT bulk, tenant_id, destination, min(due_at) AS due_at FROM deliveries
    WHERE due_at IS NOT NULL AND state <> 'held' GROUP BY bulk, tenant_id, destination ORDER BY 1, 2, 3`);

test('every question goes along an index', (t) => {
  const { store } = setUp(t);
  for (const [name, sql] of Object.entries(laneQueries)) {
    const plan = store.all(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => String(detail));
    assert.ok(plan.length > 0, name);
    for (const step of plan) assert.match(step, /^SEARCH \w+ USING /, `${name}: ${step}`);
  }
});
