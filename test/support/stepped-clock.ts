/**
 * A clock for work that runs on by itself: waits end when a test lets time pass. Like that of a real machine its
 * time of day can jump, and waits under way do not notice.
 */
import type { Clock } from '../../src/base/clock.ts';

export interface SteppedClock extends Clock {
  /** Lets time pass, with everything that wakes up meanwhile. */
  pass(ms: number): Promise<void>;
  /** Somebody sets the time of day. */
  jump(ms: number): void;
}

const turnsAtEachStep = 3;

export function createSteppedClock(start: number): SteppedClock {
  const sleepers = new Set<{ until: number; wake: () => void }>();
  let passed = 0;
  let timeOfDay = start;
  const move = (to: number) => {
    timeOfDay += to - passed;
    passed = to;
    for (const sleeper of sleepers) if (sleeper.until <= passed) sleeper.wake();
  };
  return {
    now: () => timeOfDay,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { until: passed + delayMs, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    async pass(ms) {
      for (const end = passed + ms; passed < end; ) {
        const next = Math.min(end, ...[...sleepers].map(({ until }) => until));
        move(Math.max(next, passed));
        for (let turn = 0; turn < turnsAtEachStep; turn += 1)
          await new Promise((resolve) => setImmediate(resolve));
      }
    },
    jump: (ms) => {
      timeOfDay += ms;
    },
  };
}
