/**
 * The only place where a delivery ends (invariant I3): state and event in one transaction (I2).
 * Attempts settle here, and so do cancellations and holds. A hard bounce puts its address on the suppression list.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import { type DeliveryFacts, openStates } from '../events/event.ts';
import { mailClassOf } from '../protocol/smtp/envelope-options.ts';
import type { Queue, QueuedDelivery, QueuedMail } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { installationTenant, type Tenants } from '../tenants/tenants.ts';
import { decide } from './decide.ts';
import { isAddressGone } from './hard-bounce.ts';
import type { Notify } from './notices.ts';
import type { DecidedDelivery } from './notify-sender.ts';
import type { RetryPlan, RetryPlans } from './retry.ts';

export interface SettleDeps {
  clock: Clock;
  plans: RetryPlans;
  queue: Queue;
  tenants: Tenants;
  commit: GroupCommit;
  /** Tells the sender, in the same transaction. */
  notify: Notify;
  /** What else is written with the verdicts. */
  alongside?(): void;
}

export interface Verdict {
  mailId: number;
  n: number;
  status: DeliveryStatus;
}

/** Resolves when the verdicts are on disk. */
export async function settle(verdicts: readonly Verdict[], deps: SettleDeps): Promise<void> {
  await deps.commit.runSoon(() => {
    deps.alongside?.();
    for (const [mailId, ofMail] of Map.groupBy(verdicts, (verdict) => verdict.mailId)) {
      deps.notify(
        mailId,
        ofMail.map((verdict) => settleOne(verdict, deps)),
      );
    }
  });
  crashPoint('settled');
}

function settleOne({ mailId, n, status }: Verdict, deps: SettleDeps): DecidedDelivery {
  const { clock, queue, tenants } = deps;
  const before = queue.delivery(mailId, n);
  if (!before?.facts.leased) throw new Error(`delivery ${mailId}:${n} was settled without a lease`);
  const now = clock.now();
  const { type, facts } = decide(before.facts, status, {
    now,
    plan: () => planOf(mailId, deps),
    cancelRequested: before.cancelRequested,
  });
  queue.update(before, facts);
  queue.record({ mailId, type, at: now, delivery: facts, status, engagement: null });
  if (type === 'failed' && isAddressGone(status)) suppressBounced(mailId, facts, { queue, tenants });
  if (type === 'deferred' && before.holdRequested) writeHold(queue, { ...before, facts }, now);
  const { options } = before;
  return { type, before: before.facts, facts, status, options, remoteNotifies: status.dsnOffered === true };
}

function planOf(mailId: number, { queue, plans }: SettleDeps): RetryPlan {
  const { facts, options } = mailOf(mailId, queue);
  return plans.of(facts.tenantId, mailClassOf(options?.priority ?? null));
}

function mailOf(mailId: number, queue: Queue): QueuedMail {
  const mail = queue.mail(mailId);
  if (!mail) throw new Error(`mail ${mailId} has deliveries but no row`);
  return mail;
}

/** An address that will never take mail is not tried again for a while, whichever domain of the tenant it is from. */
function suppressBounced(
  mailId: number,
  { forwardPath, stateAt, diagnostic }: DeliveryFacts,
  { queue, tenants }: Pick<SettleDeps, 'queue' | 'tenants'>,
): void {
  const { tenantId } = mailOf(mailId, queue).facts;
  if (tenantId === installationTenant.id) return;
  tenants.suppress({
    tenantId,
    address: forwardPath,
    kind: 'bounce',
    createdAt: stateAt,
    expiresAt: stateAt + limits.suppressedAfterBounceMs,
    detail: diagnostic,
  });
}

/**
 * Ends deliveries whose time is over while their site takes nothing: another attempt would have to wait for it. Those that
 * are being tried after all are left alone. Resolves when it is on disk.
 */
export async function expireOverdue(
  overdue: readonly { mailId: number; n: number }[],
  { clock, queue, commit, notify }: Pick<SettleDeps, 'clock' | 'queue' | 'commit' | 'notify'>,
): Promise<void> {
  await commit.run(() => {
    for (const [mailId, ofMail] of Map.groupBy(overdue, (delivery) => delivery.mailId))
      notify(
        mailId,
        ofMail.flatMap(({ n }) => expireOne({ mailId, n }, queue, clock.now())),
      );
  });
}

function expireOne(
  { mailId, n }: { mailId: number; n: number },
  queue: Queue,
  now: number,
): DecidedDelivery[] {
  const before = queue.delivery(mailId, n);
  if (!before || before.facts.leased || before.facts.nextAttemptAt === null) return [];
  const { enhancedStatus, diagnostic } = before.facts;
  const facts: DeliveryFacts = {
    ...before.facts,
    ...{ state: 'expired', stateAt: now, nextAttemptAt: null, reason: 'old' },
    enhancedStatus: enhancedStatus || '4.4.7',
    diagnostic: diagnostic || 'the destination took no mail in time',
  };
  queue.update(before, facts);
  queue.record({ mailId, type: 'expired', at: now, delivery: facts, status: null, engagement: null });
  const { options } = before;
  return [{ type: 'expired', before: before.facts, facts, status: null, options, remoteNotifies: false }];
}

export type CancelResult = 'canceled' | 'requested' | 'ended' | 'unknown';

/**
 * Takes a delivery out of the queue. While an attempt is under way its answer still counts: then the cancellation
 * takes effect instead of the next attempt. To be called within a transaction.
 */
export function cancelDelivery(queue: Queue, id: { mailId: number; n: number }, now: number): CancelResult {
  const before = queue.delivery(id.mailId, id.n);
  if (!before) return 'unknown';
  if (before.facts.leased) {
    queue.requestCancel(id.mailId, id.n);
    return 'requested';
  }
  if (before.facts.nextAttemptAt === null && before.facts.state !== 'held') return 'ended';
  const facts: DeliveryFacts = {
    ...before.facts,
    state: 'canceled',
    stateAt: now,
    nextAttemptAt: null,
    reason: 'canceled',
    diagnostic: 'canceled before delivery',
  };
  queue.update(before, facts);
  queue.record({
    mailId: id.mailId,
    type: 'canceled',
    at: now,
    delivery: facts,
    status: null,
    engagement: null,
  });
  return 'canceled';
}

export type RetryResult = 'due' | 'leased' | 'ended' | 'unknown';

/** Makes a waiting delivery due at once. To be called within a transaction. */
export function retryDelivery(queue: Queue, id: { mailId: number; n: number }, now: number): RetryResult {
  const before = queue.delivery(id.mailId, id.n);
  if (!before) return 'unknown';
  if (before.facts.leased) return 'leased';
  if (before.facts.nextAttemptAt === null) return 'ended';
  if (before.heldInLane) return 'due';
  queue.update(before, { ...before.facts, nextAttemptAt: now });
  return 'due';
}

export type HoldResult = 'held' | 'requested' | 'ended' | 'unknown';

/**
 * Keeps a delivery from being tried until somebody releases it, also one that waits for a quota or a time. While an
 * attempt is under way its answer still counts; then the hold takes effect instead of the next attempt. To be called
 * within a transaction.
 */
export function holdDelivery(queue: Queue, id: { mailId: number; n: number }, now: number): HoldResult {
  const before = queue.delivery(id.mailId, id.n);
  if (!before) return 'unknown';
  if (before.facts.leased) {
    queue.requestHold(id.mailId, id.n, true);
    return 'requested';
  }
  if (!openStates.includes(before.facts.state)) return 'ended';
  writeHold(queue, before, now);
  return 'held';
}

function writeHold(queue: Queue, before: QueuedDelivery, now: number): void {
  const held = before.facts.state === 'held';
  const facts: DeliveryFacts = {
    ...before.facts,
    state: 'held',
    stateAt: held ? before.facts.stateAt : now,
    nextAttemptAt: null,
    diagnostic: 'held by an operator',
  };
  queue.update(before, facts);
  if (held) return;
  queue.record({
    mailId: before.mailId,
    type: 'held',
    at: now,
    delivery: facts,
    status: null,
    engagement: null,
  });
}
