/** Once a day, at a time of UTC: the ledger is proved, then what is too old goes. The result is logged and remembered. */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Service } from '../base/service.ts';
import type { Job, Started } from './jobs.ts';
import type { Verified } from './verify.ts';

const dayMs = 86_400_000;

export interface NightlyDeps {
  /** Milliseconds after midnight. */
  at: number;
  /** One job after the other. */
  steps: readonly (() => Started)[];
  clock: Clock;
  log: Log;
}

export function createNightly({ at, steps, clock, log }: NightlyDeps): Service {
  return {
    name: 'nightly upkeep',
    async run(signal) {
      for (;;) {
        await sleepUntil(nextAfter(clock.now(), at), clock, signal);
        if (signal.aborted) return;
        for (const step of steps) await carryOut(step, clock, log, signal);
      }
    },
  };
}

/** The next time of day that is still to come. */
export function nextAfter(now: number, at: number): number {
  const today = Math.floor(now / dayMs) * dayMs + at;
  return today > now ? today : today + dayMs;
}

/** In small steps: the clock may be set meanwhile. */
async function sleepUntil(until: number, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && clock.now() < until) {
    await clock.sleep(Math.min(until - clock.now(), limits.nightlyLookMs), signal);
  }
}

/** Waits for its turn while another job runs. */
async function carryOut(step: () => Started, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  let started = step();
  while (!started.ok && !signal.aborted) {
    await clock.sleep(limits.nightlyLookMs, signal);
    started = step();
  }
  if (started.ok) tell(await started.ended, log);
}

function tell(job: Job, log: Log): void {
  if (job.state === 'failed' || job.kind !== 'verify') return;
  const { ok, counts, chain } = job.result as Verified;
  const [first] = counts.differences;
  const [problem] = chain?.problems ?? [];
  if (ok)
    log.info({ events: counts.events, hours: counts.hours }, 'the ledger was verified: everything agrees');
  else
    log.error(
      { first, differences: counts.differences.length, problem },
      'the ledger was verified: it differs',
    );
}
