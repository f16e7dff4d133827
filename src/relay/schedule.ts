/**
 * The scheduler: takes due deliveries, writes their leases, begins attempts. Waits for the next due time, a poke, or
 * a look at what the command line may have changed.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Lease, Leases } from './leases.ts';

export interface ScheduleDeps {
  clock: Clock;
  queue: Queue;
  commit: GroupCommit;
  leases: Leases;
  begin(lease: Lease, mail: MailFacts, deliveries: DeliveryFacts[]): void;
}

export interface Scheduler {
  run(signal: AbortSignal): Promise<void>;
  /** Something became due, or a place became free. */
  poke(): void;
}

/** The store is shared with the command line, which cannot poke: how late its changes may be noticed. */
const lookMs = 250;

export function createScheduler(deps: ScheduleDeps): Scheduler {
  let woken = new AbortController();
  return {
    poke: () => woken.abort(),
    async run(signal) {
      await releaseLost(deps);
      while (!signal.aborted) {
        woken = new AbortController();
        await leaseDue(deps);
        await deps.clock.sleep(lookMs, AbortSignal.any([signal, woken.signal]));
      }
    },
  };
}

/** After a start no attempt is under way: what was leased is due again (invariant I4). */
async function releaseLost({ queue, commit, clock }: ScheduleDeps): Promise<void> {
  await commit.run(() => {
    for (const { mailId, n } of queue.leased()) {
      const before = queue.delivery(mailId, n);
      if (before) queue.update(before, { ...before.facts, leased: false, nextAttemptAt: clock.now() });
    }
  });
}

async function leaseDue(deps: ScheduleDeps): Promise<void> {
  const { clock, queue, commit, leases } = deps;
  const room = leases.room();
  if (room === 0) return;
  const due = queue.due({ now: clock.now(), except: leases.fullDomains(), limit: room });
  if (due.length === 0) return;
  const taken = leases.takeForDue(due);
  const leased = await commit.run(() => taken.map((lease) => writeLease(lease, deps)));
  crashPoint('leased');
  for (const { lease, mail, deliveries } of leased) {
    if (deliveries.length === 0) leases.release(lease);
    else deps.begin(lease, mail, deliveries);
  }
}

/** Between question and transaction a delivery may have been canceled: only what is still due is leased. */
function writeLease(
  lease: Lease,
  { queue, clock }: ScheduleDeps,
): { lease: Lease; mail: MailFacts; deliveries: DeliveryFacts[] } {
  const mail = queue.mail(lease.mailId);
  if (!mail) throw new Error(`mail ${lease.mailId} has deliveries but no row`);
  const now = clock.now();
  const deliveries = lease.numbers.flatMap((n) => {
    const before = queue.delivery(lease.mailId, n);
    if (!before || before.facts.leased || before.facts.nextAttemptAt === null) return [];
    const facts: DeliveryFacts = {
      ...before.facts,
      leased: true,
      attempts: before.facts.attempts + 1,
      firstAttemptAt: before.facts.firstAttemptAt ?? now,
      lastAttemptAt: now,
    };
    queue.update(before, facts);
    queue.record({
      mailId: lease.mailId,
      type: 'attempted',
      at: now,
      delivery: facts,
      status: null,
      engagement: null,
    });
    return [facts];
  });
  return { lease, mail: mail.facts, deliveries };
}
