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
import type { SiteNews } from './site-news.ts';
import { createSites } from './sites.ts';
import { createTurns } from './turn.ts';

const now = 1_700_000_000_000;

interface Waiting {
  tenantId: number;
  to: string | string[];
  class?: MailClass;
  count?: number;
  dueAt?: number;
}

/** Their MX hosts are known, and have their names. */
const domains = [
  ...['a.org', 'b.org', 'slow.org', 'quick.org', 'free.org', 'other.org', 'third.org'],
  ...Array.from({ length: 13 }, (_, i) => `bulk${i}.org`),
];

/** A server that deliveries were moved to: it may have all places. */
const server = 'smtp://192.0.2.1:25?tls=none';
const server2 = 'smtp://192.0.2.2:25?tls=none';

async function setUp(t: test.TestContext, bounds: LeaseBounds) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-turn-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const queue = openQueue(store);
  const clock = { now };
  const sites = createSites({
    ...{ now: () => clock.now, nextHop: null, bounds },
    findTargets: {
      mx: async (domain) => ({ ok: true, targets: [{ name: domain, address: '192.0.2.9', port: 25 }] }),
      host: () => Promise.reject(new Error('nothing is looked up')),
    },
  });
  await Promise.all(domains.map((domain) => sites.learn(domain)));
  const learned: string[] = [];
  const leases = createLeases({
    ...{ now: () => clock.now, sites, bounds },
    onLearned: () => learned.push('a site'),
  });
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

  const end = (lease: Lease, news: SiteNews = 'well') => {
    for (const n of lease.numbers)
      change(lease.mailId, n, { leased: false, state: 'delivered', nextAttemptAt: null });
    leases.release(lease, news);
  };
  return { queue, leases, learned, clock, add, take, end };
}

const tenantsOf = (leases: readonly Lease[]) => leases.map(({ tenantId }) => tenantId);
const sitesOf = (leases: readonly Lease[]) => leases.map(({ key }) => key);

test("one tenant's thousands do not delay another's one: tenants take turns", async (t) => {
  const { add, take } = await setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: server, count: 5000, dueAt: now - 1000 });
  add({ tenantId: 2, to: 'a.org' });
  add({ tenantId: 3, to: 'b.org', count: 2 });
  assert.deepEqual(tenantsOf(take()), [1, 2, 3, 1, 3, 1, 1, 1, 1, 1]);
});

test('the next look goes on behind the tenant that was served last', async (t) => {
  const { add, take, end } = await setUp(t, { attempts: 1, perDestination: 1 });
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

test('transactional mail goes first, and bulk mail has one turn of five', async (t) => {
  const { add, take, end } = await setUp(t, { attempts: 1, perDestination: 1 });
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

test('bulk mail, and one tenant, leave places for others', async (t) => {
  const { add, take } = await setUp(t, { attempts: 20, perDestination: 20 });
  add({ tenantId: 1, to: server, class: 'bulk', count: 100 });
  assert.equal(take().length, 16);
  add({ tenantId: 2, to: server2, count: 100 });
  assert.deepEqual(tenantsOf(take()), [2, 2, 2, 2]);
});

test('a tenant that has most of the places gets no more before others have theirs', async (t) => {
  const { add, take } = await setUp(t, { attempts: 20, perDestination: 20 });
  add({ tenantId: 1, to: server, count: 100 });
  assert.equal(take().length, 18);
  add({ tenantId: 2, to: server });
  assert.deepEqual(tenantsOf(take()), [2]);
});

test('a full site holds up nobody else, and its places go to the lanes that stand in line, in turn', async (t) => {
  const { add, take, end, leases } = await setUp(t, { attempts: 10, perDestination: 2 });
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

test('a lane that stood in no line is looked at again when its time has come', async (t) => {
  const { add, take, end, clock } = await setUp(t, { attempts: 10, perDestination: 1 });
  add({ tenantId: 1, to: 'slow.org', count: 2 });
  const [lease] = take();
  assert.ok(lease);
  assert.deepEqual(take(), []);
  end(lease);
  assert.equal(take().length, 1, 'its turn had come');
  clock.now += 60_000;
  assert.deepEqual(take(), [], 'and the site is full');
});

test('deliveries of one mail to one site go together, to others apart', async (t) => {
  const { add, take } = await setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: ['a.org', 'b.org', 'a.org', 'a.org'] });
  assert.deepEqual(
    take().map(({ key, numbers }) => [key, numbers]),
    [
      ['a.org', [1, 3, 4]],
      ['b.org', [2]],
    ],
  );
});

test('a new mail takes a place at once, but not the one that others wait for', async (t) => {
  const { add, take, end, leases } = await setUp(t, { attempts: 30, perDestination: 2 });
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

test('a site is asked for before its first attempt; nobody waits for the answer but its own mail', async (t) => {
  const { add, take, leases, learned } = await setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: 'unknown.org', count: 3 });
  add({ tenantId: 1, to: 'a.org' });
  const newMail = leases.takeForNewMail({ mailId: 9e6, tenantId: 2, class: 'transactional' }, [
    { n: 1, domain: 'new.org' },
  ]);
  assert.deepEqual(newMail, []);
  assert.deepEqual(sitesOf(take()), ['a.org']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(learned.length, 2);
  assert.deepEqual(sitesOf(take()), ['unknown.org', 'unknown.org', 'unknown.org']);
});

test('a site that asks for a rest is left alone, and its deliveries are not attempted meanwhile', async (t) => {
  const { add, take, end, clock, queue } = await setUp(t, { attempts: 10, perDestination: 10 });
  add({ tenantId: 1, to: 'slow.org', count: 8 });
  const [first, ...others] = take();
  assert.ok(first);
  assert.equal(others.length, 4);
  end(first, 'later');
  assert.deepEqual(take(), []);
  clock.now += 14_999;
  assert.deepEqual(take(), []);
  clock.now += 1;
  for (const lease of others) end(lease, 'silent');
  const probe = take();
  assert.equal(probe.length, 1, 'one goes first');
  assert.deepEqual(queue.nextTenant('transactional', 0)?.lookAt, clock.now + 1000, 'others wait for it');
});
