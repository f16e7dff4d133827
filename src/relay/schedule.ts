/**
 * The scheduler: takes due deliveries, writes their leases, begins attempts. Waits for the next due time, a poke, or
 * a look at what the command line may have changed.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { Lane, Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { type Envelope, numbered } from './envelope.ts';
import { releaseDue } from './hold.ts';
import type { Lease, Leases } from './leases.ts';
import type { Notify } from './notices.ts';
import type { RetryPlans } from './retry.ts';
import { expireOverdue, holdDelivery } from './settle.ts';
import { createTurns, type Turn, type Turns } from './turn.ts';
import { releasedFromWarmUp } from './warm-up-hold.ts';

export interface ScheduleDeps {
  clock: Clock;
  queue: Queue;
  tenants: Tenants;
  commit: GroupCommit;
  leases: Leases;
  plans: RetryPlans;
  log: Log;
  /** Tells senders of what ended. */
  notify: Notify;
  begin(attempt: DueAttempt): void;
}

/** What is tried under a lease. */
export interface DueAttempt {
  lease: Lease;
  mail: MailFacts;
  deliveries: DeliveryFacts[];
  envelope: Envelope;
}

export interface Scheduler {
  run(signal: AbortSignal): Promise<void>;
  /** Something became due: looks again at once. */
  poke(): void;
  /** A place became free: looks again at once if something waits for one. */
  placeFreed(): void;
}

/** The store is shared with the command line, which cannot poke: how late its changes may be noticed. */
const lookMs = 250;
/** How long a store that refuses (a full disk) is left alone. */
const refusedMs = 1_000;

export function createScheduler(deps: ScheduleDeps): Scheduler {
  let woken = new AbortController();
  const turns = createTurns({ queue: deps.queue, leases: deps.leases, now: () => deps.clock.now() });
  return {
    poke: () => woken.abort(),
    placeFreed: () => {
      if (deps.leases.isWaiting()) woken.abort();
    },
    async run(signal) {
      while (!signal.aborted && !(await written(releaseLost(deps), 'lost leases could not be freed', deps))) {
        await deps.clock.sleep(refusedMs, signal);
      }
      while (!signal.aborted) {
        woken = new AbortController();
        if (await written(takeDue(deps, turns), 'due deliveries could not be leased', deps))
          await deps.clock.sleep(lookMs, AbortSignal.any([signal, woken.signal]));
        else await deps.clock.sleep(refusedMs, signal);
      }
    },
  };
}

/** False if the store refused: what was due is due still. */
async function written(work: Promise<void>, problem: string, { log }: ScheduleDeps): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (fault) {
    log.error({ fault, waitMs: refusedMs }, problem);
    return false;
  }
}

/** After a start no attempt is under way: what was leased is due again (invariant I4), and no site is known to be full. */
async function releaseLost({ queue, commit, clock }: ScheduleDeps): Promise<void> {
  await commit.run(() => {
    queue.unparkAll();
    for (const { mailId, n } of queue.leased()) {
      const before = queue.delivery(mailId, n);
      if (!before) continue;
      const facts = { ...before.facts, leased: false, nextAttemptAt: clock.now() };
      queue.update(before, facts);
      if (before.holdRequested) holdDelivery(queue, { mailId, n }, clock.now());
    }
  });
}

async function takeDue(deps: ScheduleDeps, turns: Turns): Promise<void> {
  await releaseDue(deps);
  await leaseDue(deps, turns);
}

/** Again and again while there is room and something to do with it. */
async function leaseDue(deps: ScheduleDeps, turns: Turns): Promise<void> {
  let turn: Turn;
  do {
    turn = turns.take();
    deps.leases.setWaiting(turn);
    if (turn.leases.length + turn.parked.length === 0) return;
    await writeTurn(turn, deps);
    for (const { lane, expireBefore } of turn.resting) await expireIn(lane, expireBefore, deps);
  } while (turn.more && deps.leases.room() > 0);
}

async function writeTurn({ leases: taken, parked }: Turn, deps: ScheduleDeps): Promise<void> {
  const { leases, queue, commit } = deps;
  const writing = commit.run(() => {
    for (const { lane, until, warmUpUntil } of parked) queue.park(lane, until, warmUpUntil);
    return taken.map((lease) => writeLease(lease, deps));
  });
  const leased = await writing.catch((fault: unknown) => {
    for (const lease of taken) leases.release(lease, 'silent');
    throw fault;
  });
  crashPoint('leased');
  for (const attempt of leased) {
    if (attempt.deliveries.length === 0) leases.release(attempt.lease, 'silent');
    else deps.begin(attempt);
  }
}

/** A site that rests for long must not keep mail for ever that it was given no time for. */
async function expireIn(lane: Lane, before: number, deps: ScheduleDeps): Promise<void> {
  const question = { now: before, limit: limits.deliveriesPerLook };
  for (let overdue = 1; overdue > 0; ) {
    const found = deps.queue.overdueIn(lane, question);
    await expireOverdue(found, deps);
    overdue = found.length;
  }
}

/** Between question and transaction a delivery may have been canceled: only what is still due is leased. */
function writeLease(lease: Lease, { queue, clock, plans }: ScheduleDeps): DueAttempt {
  lease.reservation?.write();
  const mail = queue.mail(lease.mailId);
  if (!mail) throw new Error(`mail ${lease.mailId} has deliveries but no row`);
  const now = clock.now();
  const plan = () => plans.of(lease.tenantId, lease.class);
  const leased = lease.numbers.flatMap((n) => {
    const before = queue.delivery(lease.mailId, n);
    if (!before || before.facts.leased || before.facts.nextAttemptAt === null) return [];
    if (before.facts.state === 'held' && !before.heldInLane) return [];
    const told = { mailId: lease.mailId, at: now, status: null, engagement: null };
    const due = before.heldInLane ? releasedFromWarmUp(before, plan(), now) : before.facts;
    if (before.heldInLane) queue.record({ ...told, type: 'released', delivery: due });
    const facts: DeliveryFacts = {
      ...due,
      leased: true,
      attempts: due.attempts + 1,
      firstAttemptAt: due.firstAttemptAt ?? now,
      lastAttemptAt: now,
    };
    queue.update(before, facts);
    queue.record({ ...told, type: 'attempted', delivery: facts });
    return [{ n, facts, options: before.options }];
  });
  return {
    lease,
    mail: mail.facts,
    deliveries: leased.map(({ facts }) => facts),
    envelope: {
      options: mail.options ?? null,
      forwardPathOptions: numbered(leased, ({ options }) => options),
    },
  };
}
