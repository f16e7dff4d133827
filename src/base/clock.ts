/**
 * The only door to time. Everything that reads the clock or waits takes a `Clock`, so that a test can
 * run an hour of retries in a millisecond.
 */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

export interface Clock {
  now(): EpochMs;
  /** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** A clock that stands still until it is told to move; `sleep` moves it. For tests. */
export function manualClock(start: EpochMs): Clock & { set(now: EpochMs): void; advance(ms: number): void } {
  let current = start;
  return {
    now: () => current,
    sleep: (delayMs) => {
      current += delayMs;
      return Promise.resolve();
    },
    set: (now) => {
      current = now;
    },
    advance: (ms) => {
      current += ms;
    },
  };
}

/** Runs `work` after the events that are waiting now: what came in together is handled together. */
export function afterThisTurn(work: () => void): void {
  setImmediate(work);
}

/** Resolves when `signal` aborts; at once if it has already. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
