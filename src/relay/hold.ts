/**
 * Deliveries that wait for a time that the sender chose (RFC 4865): held at submission, released by the scheduler.
 * A held delivery has no lease and is not due. One that nobody gave a time waits until somebody releases it.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { expiryOf, type RetryPlan } from './retry.ts';

/** The schedule of attempts begins when the delivery is released. */
export function heldUntil(facts: DeliveryFacts, holdUntil: number, plan: RetryPlan): DeliveryFacts {
  return {
    ...facts,
    state: 'held',
    nextAttemptAt: holdUntil,
    expiresAt: expiryOf(plan, holdUntil),
    diagnostic: `held until ${new Date(holdUntil).toISOString()}, as the sender asked`,
  };
}

/** Makes a held delivery due. False: it is not held. To be called within a transaction. */
export function releaseDelivery(queue: Queue, id: { mailId: number; n: number }, now: number): boolean {
  const before = queue.delivery(id.mailId, id.n);
  if (before?.facts.state !== 'held') return false;
  const facts: DeliveryFacts = {
    ...before.facts,
    state: 'queued',
    stateAt: now,
    nextAttemptAt: now,
    diagnostic: '',
  };
  queue.update(before, facts);
  queue.record({
    mailId: id.mailId,
    type: 'released',
    at: now,
    delivery: facts,
    status: null,
    engagement: null,
  });
  return true;
}

/** Releases what has been held long enough. */
export async function releaseDue(deps: { clock: Clock; queue: Queue; commit: GroupCommit }): Promise<void> {
  const { clock, queue, commit } = deps;
  const held = queue.heldDue(clock.now(), limits.releasedTogether);
  if (held.length === 0) return;
  await commit.run(() => {
    for (const id of held) releaseDelivery(queue, id, clock.now());
  });
}
