/** Who gets the places: the queue is real, attempts are only counted. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { openQueue } from '../queue/queue.ts';
import { openStore } from '../store/store.ts';
import { createLeases, type Lease, type LeaseBounds } from './leases.ts';
import { createTurns } from './turn.ts';

const now = 1_700_000_000_000;

interface Waiting {
  tenantId: number;
  to: string | string[];
  class?: MailClass;
  count?: number;
  dueAt?: number;
}

function setUp(t: test.TestContext, bounds: LeaseBounds) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-turn-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const queue = openQueue(store);
  const clock = { now };
  const leases = createLeases({ now: () => clock.now, nextHop: null, bounds });
  const turns = createTurns({ queue, leases, now: () => clock.now });
  let mailId = 0;

  const add = ({ tenantId, to, class: mailClass = 'transactional', count = 1, dueAt = now }: Waiting) =>
    store.transaction(() => {
      for (let i = 0; i < count; i += 1) {
        mailId += 1;
        queue.insertMail({ facts: { mailId, tenantId } as MailFacts, content: null });
        for (const [index, destination] of [to].flat().entries())
          queue.insertDelivery(mailId, {
            facts: { n: index + 1, state: 'queued', leased: false, nextAttemptAt: dueAt } as DeliveryFacts,
            destination,
            class: mailClass,
          });
      }
    });

  /** What one look takes, written as the scheduler does. */
  const take = (): Lease[] => {
    const turn = turns.take();
    leases.setWaiting(turn);
    store.transaction(() => {
      for (const { lane, until } of turn.parked) queue.park(lane, until);
      for (const lease of turn.leases)
        for (const n of lease.numbers) change(lease.mailId, n, { leased: true });
    });
    return turn.leases;
  };

  const change = (id: number, n: number, more: Partial<DeliveryFacts>) => {
    const before = queue.delivery(id, n);
    assert.ok(before);
    queue.update(before, { ...before.facts, ...more });
  };

  const end = (lease: Lease) => {
    for (const n of lease.numbers)
      change(lease.mailId, n, { leased: false, state: 'delivered', nextAttemptAt: null });
    leases.release(lease);
  };
  return { queue, leases, clock, add, take, end };
}

const tenantsOf = (leases: readonly Lease[]) => leases.map(({ tenantId }) => tenantId);
const sitesOf = (leases: readonly Lease[]) => leases.map(({ key }) => key);

test("one tenant's thousands do not delay another's one: tenants take turns", (t) => {
  const { add, take } = setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: 'big.org', count: 5000, dueAt: now - 1000 });
  add({ tenantId: 2, to: 'a.org' });
  add({ tenantId: 3, to: 'b.org', count: 2 });
  assert.deepEqual(tenantsOf(take()), [1, 2, 3, 1, 3, 1, 1, 1, 1, 1]);
});

test('the next look goes on behind the tenant that was served last', (t) => {
  const { add, take, end } = setUp(t, { attempts: 1, perDestination: 1 });
  for (const tenantId of [1, 2, 3]) add({ tenantId, to: 'a.org', count: 3 });
  const order: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    const [lease] = take();
    assert.ok(lease);
    order.push(lease.tenantId);
    end(lease);
  }
  assert.deepEqual(order, [1, 2, 3, 1, 2, 3, 1]);
});

test('transactional mail goes first, and bulk mail has one turn of five', (t) => {
  const { add, take, end } = setUp(t, { attempts: 1, perDestination: 1 });
  add({ tenantId: 1, to: 'a.org', class: 'bulk', count: 20, dueAt: now - 1000 });
  add({ tenantId: 1, to: 'a.org', count: 20 });
  const order: string[] = [];
  for (let i = 0; i < 10; i += 1) {
    const [lease] = take();
    assert.ok(lease);
    order.push(lease.class[0] ?? '');
    end(lease);
  }
  assert.equal(order.join(''), 'ttttbttttb');
});

test('bulk mail, and one tenant, leave places for others', (t) => {
  const { add, take } = setUp(t, { attempts: 20, perDestination: 20 });
  add({ tenantId: 1, to: 'a.org', class: 'bulk', count: 100 });
  assert.equal(take().length, 16);
  add({ tenantId: 2, to: 'b.org', count: 100 });
  assert.deepEqual(tenantsOf(take()), [2, 2, 2, 2]);
});

test('a tenant that has most of the places gets no more before others have theirs', (t) => {
  const { add, take } = setUp(t, { attempts: 20, perDestination: 20 });
  add({ tenantId: 1, to: 'a.org', count: 100 });
  assert.equal(take().length, 18);
  add({ tenantId: 2, to: 'a.org' });
  assert.deepEqual(tenantsOf(take()), [2]);
});

test('a full site holds up nobody else, and its places go to the lanes that stand in line, in turn', (t) => {
  const { add, take, end, leases } = setUp(t, { attempts: 10, perDestination: 2 });
  add({ tenantId: 1, to: 'slow.org', count: 1000, dueAt: now - 1000 });
  const first = take();
  assert.deepEqual(sitesOf(first), ['slow.org', 'slow.org']);
  add({ tenantId: 2, to: 'slow.org' });
  add({ tenantId: 2, to: 'quick.org' });
  assert.deepEqual(sitesOf(take()), ['quick.org']);
  assert.equal(leases.isWaiting(), false);
  assert.deepEqual(take(), [], 'the lanes are parked');
  const served: number[] = [];
  for (let open = first; open.length > 0 && served.length < 4; ) {
    const [ended, ...others] = open;
    assert.ok(ended);
    end(ended);
    assert.equal(leases.isWaiting(), true);
    const next = take();
    served.push(...tenantsOf(next));
    open = [...others, ...next];
  }
  assert.deepEqual(served, [1, 2, 1, 1]);
});

test('a lane that stood in no line is looked at again when its time has come', (t) => {
  const { add, take, end, clock } = setUp(t, { attempts: 10, perDestination: 1 });
  add({ tenantId: 1, to: 'slow.org', count: 2 });
  const [lease] = take();
  assert.ok(lease);
  assert.deepEqual(take(), []);
  end(lease);
  assert.equal(take().length, 1, 'its turn had come');
  clock.now += 60_000;
  assert.deepEqual(take(), [], 'and the site is full');
});

test('deliveries of one mail to one site go together, to others apart', (t) => {
  const { add, take } = setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: ['a.org', 'b.org', 'a.org', 'a.org'] });
  assert.deepEqual(
    take().map(({ key, numbers }) => [key, numbers]),
    [
      ['a.org', [1, 3, 4]],
      ['b.org', [2]],
    ],
  );
});

test('a new mail takes a place at once, but not the one that others wait for', (t) => {
  const { add, take, end, leases } = setUp(t, { attempts: 30, perDestination: 2 });
  const takenFor = (tenantId: number, domain: string, mailClass: MailClass = 'transactional') =>
    leases.takeForNewMail({ mailId: 9e6, tenantId, class: mailClass }, [{ n: 1, domain }]).length;
  assert.equal(takenFor(5, 'free.org'), 1);
  add({ tenantId: 1, to: 'slow.org', count: 1000 });
  const [first] = take();
  assert.ok(first);
  take();
  assert.equal(takenFor(2, 'slow.org'), 0, 'full');
  end(first);
  assert.equal(takenFor(2, 'slow.org'), 0, 'free, and somebody is in line');
  assert.equal(takenFor(2, 'other.org'), 1);
  assert.equal(take().length, 1);
  for (let i = 0; i < 13; i += 1) add({ tenantId: 3, to: `bulk${i}.org`, class: 'bulk', count: 2 });
  assert.equal(take().length, 24);
  assert.equal(takenFor(2, 'third.org', 'bulk'), 0, 'bulk mail waits for a place');
  assert.equal(takenFor(2, 'third.org'), 1);
});
