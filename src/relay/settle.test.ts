/** What settling writes besides the state: the suppression of an address that bounced, in the same transaction. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { installationKey } from '../base/secret.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { MailFacts } from '../events/event.ts';
import { createOutboxReader, openQueue } from '../queue/queue.ts';
import { createGroupCommit, openStore } from '../store/store.ts';
import { openTenants } from '../tenants/tenants.ts';
import { moveDelivery } from './move.ts';
import { newDelivery } from './new-delivery.ts';
import { createRetryPlans } from './retry.ts';
import { holdDelivery, settle } from './settle.ts';

const now = Date.UTC(2026, 10, 22, 10);
const plan = { waitsMs: [60_000, 60_000] };

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-settle-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(now);
  const queue = openQueue(store);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), clock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const tenantId = made.value.tenant.id;
  const mailId = 100;
  store.transaction(() => {
    queue.insertMail({ facts: { mailId, tenantId } as MailFacts, content: null });
    for (const [index, name] of ['ann', 'bob', 'cid'].entries()) {
      const path = { n: index + 1, forwardPath: `${name}@example.org`, displayName: '' };
      const facts = newDelivery(path, now, { node: 'relay', plan, clock });
      const leased = { ...facts, leased: true, attempts: 1, firstAttemptAt: now, lastAttemptAt: now };
      queue.insertDelivery(mailId, { destination: 'example.org', facts: leased });
    }
  });
  const commit = createGroupCommit(store, (fault) => {
    throw fault;
  });
  const deps = { clock, plans: { of: () => plan }, queue, tenants, commit, notify: () => {} };
  const types = () =>
    createOutboxReader(store)
      .read(0, 100)
      .map(({ type }) => type);
  return { deps, store, queue, tenants, tenantId, mailId, types };
}

function refusal(code: number, enhanced: string, reason: DeliveryStatus['reason']): DeliveryStatus {
  return {
    outcome: code < 500 ? 'deferred' : 'failed',
    stage: 'rcpt',
    reply: { code, text: 'No such user' },
    enhancedStatus: { value: enhanced, origin: 'received' },
    reason,
    diagnostic: `${code} ${enhanced} No such user`,
    remoteMta: { name: 'mx.example.org', address: '192.0.2.1', port: 25 },
    ...{ sendingIp: '', tls: null, startedAt: now, durationMs: 1 },
  };
}

test('an address that bounced is on the list with its verdict; others are not', async (t) => {
  const { deps, tenants, tenantId, mailId } = setUp(t);
  await settle(
    [
      { mailId, n: 1, status: refusal(550, '5.1.1', 'bounce') },
      { mailId, n: 2, status: refusal(550, '5.7.1', 'espblock') },
      { mailId, n: 3, status: refusal(450, '4.1.1', 'generic') },
    ],
    deps,
  );
  assert.deepEqual(tenants.suppressions({}, 10), [
    {
      tenantId,
      address: 'ann@example.org',
      kind: 'bounce',
      domain: '',
      createdAt: now,
      expiresAt: now + limits.suppressedAfterBounceMs,
      detail: '550 5.1.1 No such user',
    },
  ]);
});

test('a verdict that cannot be written suppresses nobody', async (t) => {
  const { deps, tenants, mailId, types } = setUp(t);
  const verdicts = [
    { mailId, n: 1, status: refusal(550, '5.1.1', 'bounce') },
    { mailId, n: 99, status: refusal(550, '5.1.1', 'bounce') },
  ];
  await assert.rejects(settle(verdicts, deps), /without a lease/);
  assert.equal(tenants.countSuppressions({}), 0);
  assert.deepEqual(types(), []);
});

test('a hold that was asked for takes effect instead of the next attempt, and not after a success', async (t) => {
  const { deps, store, queue, mailId, types } = setUp(t);
  for (const n of [1, 2])
    assert.equal(
      store.transaction(() => holdDelivery(queue, { mailId, n }, now)),
      'requested',
    );
  const delivered: DeliveryStatus = { ...refusal(250, '2.0.0', null), outcome: 'delivered' };
  const deferred = refusal(450, '4.2.0', 'generic');
  await settle(
    [1, 2, 3].map((n) => ({ mailId, n, status: n === 2 ? delivered : deferred })),
    deps,
  );
  assert.deepEqual(
    [1, 2, 3].map((n) => queue.delivery(mailId, n)?.facts.state),
    ['held', 'delivered', 'deferred'],
  );
  assert.deepEqual(types(), ['deferred', 'held', 'delivered', 'deferred']);
  assert.partialDeepStrictEqual(queue.delivery(mailId, 1), {
    holdRequested: false,
    facts: { nextAttemptAt: null, reason: 'generic', deferrals: 1 },
  });
});

test('a move while an attempt is under way counts for the next one; what has ended is not moved', async (t) => {
  const { deps, store, queue, mailId, types } = setUp(t);
  const move = (n: number) => store.transaction(() => moveDelivery(queue, { mailId, n }, 'mx'));
  assert.deepEqual([move(1), move(2), move(9)], ['requested', 'requested', 'unknown']);
  const delivered: DeliveryStatus = { ...refusal(250, '2.0.0', null), outcome: 'delivered' };
  const verdicts = [delivered, refusal(450, '4.2.0', 'generic')];
  await settle(
    verdicts.map((status, index) => ({ mailId, n: index + 1, status })),
    deps,
  );
  assert.equal(queue.delivery(mailId, 2)?.destination, 'mx:example.org');
  assert.deepEqual([move(1), move(2)], ['ended', 'moved']);
  assert.deepEqual(types(), ['delivered', 'deferred'], 'nothing happened to them');
});

test('a schedule of the tenant holds from the next deferral on, for its class of mail', async (t) => {
  const { deps, store, queue, tenants, tenantId, mailId } = setUp(t);
  const standard = { transactional: plan, bulk: { waitsMs: [5_000] } };
  const plans = createRetryPlans(tenants, standard);
  const waitOf = (n: number) => (queue.delivery(mailId, n)?.facts.nextAttemptAt ?? 0) - now;
  const settleOne = (n: number) =>
    settle([{ mailId, n, status: refusal(450, '4.2.0', 'generic') }], { ...deps, plans });
  await settleOne(1);
  tenants.setRetrySchedule(tenantId, 'transactional', [7_000, 8_000]);
  tenants.setRetrySchedule(tenantId, 'bulk', [9_000]);
  await settleOne(2);
  tenants.setRetrySchedule(tenantId, 'transactional', null);
  store.transaction(() => store.run('UPDATE mails SET options = \'{"priority":-1}\''));
  await settleOne(3);
  assert.deepEqual([waitOf(1), waitOf(2), waitOf(3)], [60_000, 7_000, 9_000]);
  assert.equal(queue.delivery(mailId, 2)?.facts.expiresAt, now + 15_000);
  tenants.setRetrySchedule(tenantId, 'bulk', null);
  assert.deepEqual(plans.of(tenantId, 'bulk'), standard.bulk);
});
