/**
 * What waits for a warm-up is told to the ledger as held, and as released when its attempt begins. Nothing is decided
 * by that: its lane is parked, and it keeps its place there. So it is done in portions, each delivery once.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { isoTime } from '../base/time-text.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Lane, LanePlace, Queue, QueuedDelivery, WarmUpLane } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { expiryOf, type RetryPlan } from './retry.ts';

/** Within a transaction. What is under way, has ended or is held already stays as it is. */
export function holdForWarmUp(
  queue: Queue,
  { mailId, n }: { mailId: number; n: number },
  { until, now }: { until: number; now: number },
): void {
  const before = queue.delivery(mailId, n);
  if (!before || before.facts.leased || before.facts.nextAttemptAt === null) return;
  if (before.facts.state === 'held') return;
  const facts: DeliveryFacts = {
    ...before.facts,
    ...{ state: 'held', stateAt: now, expiresAt: null, reason: 'rate-limited' },
    diagnostic: `held for warm-up until ${isoTime(until)} at least: the source addresses have sent what they may today`,
  };
  queue.holdInLane(mailId, facts);
  queue.record({ mailId, type: 'held', at: now, delivery: facts, status: null, engagement: null });
}

/** Its schedule of attempts goes on where it was. */
export function releasedFromWarmUp({ facts }: QueuedDelivery, plan: RetryPlan, now: number): DeliveryFacts {
  return {
    ...facts,
    ...{ state: facts.attempts === 0 ? 'queued' : 'deferred', stateAt: now, reason: null, diagnostic: '' },
    expiresAt: expiryOf(plan, now, facts.deferrals),
  };
}

/** Goes through the lanes that warm-ups hold, and behind what it has come to in each: a portion at each call. */
export function createWarmUpHolds({
  clock,
  queue,
  commit,
}: {
  clock: Clock;
  queue: Queue;
  commit: GroupCommit;
}): () => Promise<void> {
  const places = new Map<string, LanePlace>();
  let last: WarmUpLane | null = null;

  const holdSome = (lane: WarmUpLane, limit: number): number => {
    const now = clock.now();
    const due = queue.dueAfter(lane, places.get(nameOf(lane)) ?? first, { now, limit });
    for (const place of due) holdForWarmUp(queue, place, { until: lane.until, now });
    const place = due.at(-1);
    if (places.size >= limits.warmUpLanesInMemory) places.clear();
    if (place) places.set(nameOf(lane), place);
    return due.length;
  };

  return async () => {
    const question = { now: clock.now(), limit: limits.warmUpLanesTogether };
    const lanes = queue.warmUpLanes(last, question);
    last = lanes.length < question.limit ? null : (lanes.at(-1) ?? null);
    if (lanes.length === 0) return;
    await commit.run(() => {
      let room: number = limits.heldTogether;
      for (const lane of lanes) room -= room > 0 ? holdSome(lane, room) : 0;
    });
  };
}

const first: LanePlace = { dueAt: 0, mailId: 0, n: 0 };

function nameOf({ class: mailClass, tenantId, destination }: Lane): string {
  return `${mailClass} ${tenantId} ${destination}`;
}
