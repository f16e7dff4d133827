/** Long-running work under one small contract: it runs until told to stop, then finishes what it has begun. */
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface Service {
  name: string;
  /** Resolves after `signal` aborts and the work in hand is finished. A throw is a fault. */
  run(signal: AbortSignal): Promise<void>;
}

const firstWaitMs = 200;
const longestWaitMs = 30_000;

/** Runs a service again after a fault, later each time; the waits start over once it has run for a while. */
export async function keepRunning(
  service: Service,
  signal: AbortSignal,
  { clock, log }: { clock: Clock; log: Log },
): Promise<void> {
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    const startedAt = clock.now();
    try {
      await service.run(signal);
      return;
    } catch (fault) {
      if (clock.now() - startedAt > longestWaitMs) waitMs = firstWaitMs;
      log.error({ fault, service: service.name, waitMs }, 'service failed, starting it again');
      await clock.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }
}
