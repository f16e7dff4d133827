/**
 * The only place where a delivery ends (invariant I3): state and event in one transaction (I2).
 * Attempts settle here, and so do cancellations.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { decide } from './decide.ts';
import type { RetryPlan } from './retry.ts';

export interface SettleDeps {
  clock: Clock;
  plan: RetryPlan;
  queue: Queue;
  commit: GroupCommit;
}

export interface Verdict {
  mailId: number;
  n: number;
  status: DeliveryStatus;
}

/** Resolves when the verdicts are on disk. */
export async function settle(verdicts: readonly Verdict[], deps: SettleDeps): Promise<void> {
  await deps.commit.run(() => {
    for (const verdict of verdicts) settleOne(verdict, deps);
  });
  crashPoint('settled');
}

function settleOne({ mailId, n, status }: Verdict, { clock, plan, queue }: SettleDeps): void {
  const before = queue.delivery(mailId, n);
  if (!before?.facts.leased) throw new Error(`delivery ${mailId}:${n} was settled without a lease`);
  const now = clock.now();
  const { type, facts } = decide(before.facts, status, {
    now,
    plan,
    cancelRequested: before.cancelRequested,
  });
  queue.update(before, facts);
  queue.record({ mailId, type, at: now, delivery: facts, status, engagement: null });
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
  queue.update(before, { ...before.facts, nextAttemptAt: now });
  return 'due';
}
