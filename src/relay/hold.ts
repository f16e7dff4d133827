/**
 * Deliveries that are held: until a time that the sender chose (RFC 4865), until the quota of their tenant has room
 * (`quota-release.ts`), or until an operator releases them. A held delivery has no lease and is not due.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { isoTime } from '../base/time-text.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Queue, QueuedDelivery } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { expiryOf, type RetryPlan } from './retry.ts';

/** The schedule of attempts begins when the delivery is released. */
export function heldUntil(facts: DeliveryFacts, holdUntil: number, plan: RetryPlan): DeliveryFacts {
  return {
    ...facts,
    state: 'held',
    nextAttemptAt: holdUntil,
    expiresAt: expiryOf(plan, holdUntil),
    diagnostic: `held until ${isoTime(holdUntil)}, as the sender asked`,
  };
}

export type ReleaseResult = 'released' | 'withdrawn' | 'warm-up' | 'not-held' | 'unknown';

/**
 * Makes a held delivery due, whatever holds it but a warm-up, which bounds its source. `withdrawn`: it was to be held
 * after the attempt under way, and is not.
 * To be called within a transaction.
 */
export function releaseDelivery(queue: Queue, id: { mailId: number; n: number }, now: number): ReleaseResult {
  const before = queue.delivery(id.mailId, id.n);
  if (!before) return 'unknown';
  if (before.holdRequested) {
    queue.requestHold(id.mailId, id.n, false);
    return 'withdrawn';
  }
  if (before.heldInLane) return 'warm-up';
  if (before.facts.state !== 'held') return 'not-held';
  const facts = released(before, now);
  queue.update(before, facts);
  queue.record({
    mailId: id.mailId,
    type: 'released',
    at: now,
    delivery: facts,
    status: null,
    engagement: null,
  });
  return 'released';
}

/** Time spent held does not count against the schedule of attempts. */
function released({ facts, heldFor }: QueuedDelivery, now: number): DeliveryFacts {
  const { stateAt, nextAttemptAt, expiresAt } = facts;
  const timed = nextAttemptAt !== null || expiresAt === null;
  return {
    ...facts,
    state: facts.attempts === 0 ? 'queued' : 'deferred',
    stateAt: now,
    nextAttemptAt: now,
    expiresAt: timed ? expiresAt : expiresAt + Math.max(0, now - stateAt),
    reason: heldFor === null ? facts.reason : null,
    diagnostic: '',
  };
}

export interface ReleaseDeps {
  clock: Clock;
  queue: Queue;
  tenants: Tenants;
  commit: GroupCommit;
}

/** Releases what has been held until its time; where the quota of its tenant is full it goes on waiting, for that. */
export async function releaseDue(deps: ReleaseDeps): Promise<void> {
  const { clock, queue, commit } = deps;
  const held = queue.heldDue(clock.now(), limits.releasedTogether);
  if (held.length === 0) return;
  await commit.run(() => {
    for (const id of held) releaseWithinQuota(id, deps);
  });
}

function releaseWithinQuota(
  id: { mailId: number; n: number },
  { clock, queue, tenants }: Pick<ReleaseDeps, 'clock' | 'queue' | 'tenants'>,
): void {
  const before = queue.delivery(id.mailId, id.n);
  const tenantId = queue.mail(id.mailId)?.facts.tenantId;
  if (before?.facts.state !== 'held' || tenantId === undefined) return;
  if (tenants.takeForRelease(tenantId, 1) === 1) {
    releaseDelivery(queue, id, clock.now());
    return;
  }
  queue.update(before, {
    ...before.facts,
    nextAttemptAt: null,
    reason: 'rate-limited',
    diagnostic: 'held: the quota is used up',
  });
  queue.holdFor(id.mailId, id.n, tenantId);
  tenants.setBacklog(tenantId, true);
}
