/**
 * One process of a kind per data directory. The lock is an exclusive transaction on a small SQLite file of its
 * own: the kernel lets go of it however the process ends, also at SIGKILL.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';

export interface InstanceLock {
  release(): void;
}

/** A database that nobody refers to any more is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();

/** Null if another process still holds it after `waitMs`. Blocks while it waits. */
export function takeInstanceLock(path: string, waitMs: number): InstanceLock | null {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${waitMs}`);
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return null;
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}

const tryAgainMs = 50;

/** Waits beside the event loop. Null if another process still holds it after `waitMs`, or when `signal` aborts. */
export async function waitForInstanceLock(
  path: string,
  waitMs: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<InstanceLock | null> {
  const giveUpAt = clock.now() + waitMs;
  while (!signal.aborted) {
    const lock = takeInstanceLock(path, 0);
    if (lock || clock.now() >= giveUpAt) return lock;
    await clock.sleep(tryAgainMs, signal);
  }
  return null;
}
