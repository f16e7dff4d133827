/** What the relay does beside mail under way, again and again: clears, releases, settles reports, forgets. */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Queue } from '../queue/queue.ts';
import type { Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { clearEnded } from './clear.ts';
import type { Notify } from './notices.ts';
import { releaseWithinQuotas } from './quota-release.ts';
import { settleReports } from './settle-report.ts';
import { createWarmUpHolds } from './warm-up-hold.ts';
import type { WarmUps } from './warm-ups.ts';

export interface ChoreDeps {
  clock: Clock;
  queue: Queue;
  spool: Spool;
  tenants: Tenants;
  commit: GroupCommit;
  log: Log;
  notify: Notify;
  warmUps?: WarmUps | undefined;
  /** Something was released and is due. */
  onReleased(): void;
}

interface Chore {
  everyMs: number;
  /** For the log, when the store refuses; it is tried again. */
  problem: string;
  work(): Promise<unknown>;
}

const clearEveryMs = 1_000;
/** How late the opening of a quota may be noticed: by the clock, or changed by the command line. */
const quotaLookMs = 250;

/** Resolves once `signal` has aborted and the work in hand is done. */
export async function doChores(deps: ChoreDeps, signal: AbortSignal): Promise<void> {
  await Promise.all(choresOf(deps).map((chore) => repeat(chore, deps, signal)));
}

async function repeat(
  { everyMs, problem, work }: Chore,
  { clock, log }: ChoreDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((fault: unknown) => log.error({ fault }, problem));
    await clock.sleep(everyMs, signal);
  }
}

function choresOf(deps: ChoreDeps): Chore[] {
  return [
    {
      everyMs: clearEveryMs,
      problem: 'ended mails could not be cleared',
      work: () => clearEnded(deps),
    },
    {
      everyMs: quotaLookMs,
      problem: 'held deliveries could not be released',
      work: async () => {
        if ((await releaseWithinQuotas(deps)) > 0) deps.onReleased();
      },
    },
    {
      everyMs: limits.lateReportsLookMs,
      problem: 'reports could not be settled',
      work: () => settleReports(deps),
    },
    {
      everyMs: limits.forgetSuppressionsEveryMs,
      problem: 'expired suppressions could not be removed',
      work: () => forgetExpired(deps),
    },
    {
      everyMs: limits.warmUpHoldsEveryMs,
      problem: 'what waits for a warm-up could not be told',
      work: createWarmUpHolds(deps),
    },
    {
      everyMs: limits.forgetWarmUpsEveryMs,
      problem: 'old counts of warm-ups could not be removed',
      work: () => deps.commit.run(() => deps.warmUps?.forget()),
    },
  ];
}

async function forgetExpired({ tenants, commit }: ChoreDeps): Promise<void> {
  const most = limits.forgottenSuppressions;
  while ((await commit.run(() => tenants.forgetExpiredSuppressions(most))) === most);
}
