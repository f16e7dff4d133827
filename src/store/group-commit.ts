/**
 * Group commit: what arrives while a sync is under way is committed together and shares the next sync. A sync costs as
 * much for fifty mails as for one, so this is what makes durable mail fast; and it runs beside the event loop.
 *
 * The store is opened with `grouped`: SQLite writes a commit to the WAL, and we sync the WAL before anybody hears of it.
 */
import { afterThisTurn } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import type { Store } from './store.ts';

export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is on disk. `work` only reads and writes the store: when another
   * of its group fails, it is run again alone.
   */
  run<T>(work: () => T): Promise<T>;
  /** The same for what nobody waits for: joins the next group, and is the reason for one only after some milliseconds. */
  runSoon<T>(work: () => T): Promise<T>;
  /** Nothing is being committed, and nobody waits for it. */
  idle(): boolean;
  /** Resolves when everything handed in so far is on disk. */
  drain(): Promise<void>;
}

interface Operation {
  work: () => unknown;
  settle: (outcome: Outcome) => void;
}

type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

/**
 * `onSyncFault` is told when the disk did not take a sync. What was committed may or may not be there then, and later
 * syncs prove nothing: the process has to end and begin again from what the disk holds.
 */
export function createGroupCommit(store: Store, onSyncFault: (fault: unknown) => void): GroupCommit {
  const waiting: Operation[] = [];
  /** Something that waits is to be committed as soon as the disk is free. */
  let due = false;
  let running: Promise<void> | null = null;

  const commit = (operations: Operation[]): unknown[] =>
    store.transaction(() => operations.map((operation) => operation.work()));

  const commitAlone = (operation: Operation): Outcome => {
    try {
      return { ok: true, value: commit([operation])[0] };
    } catch (error) {
      return { ok: false, error };
    }
  };

  const commitGroup = (operations: Operation[]): Outcome[] => {
    try {
      return commit(operations).map((value) => ({ ok: true, value }));
    } catch {
      return operations.map(commitAlone);
    }
  };

  const pump = async (): Promise<void> => {
    await new Promise<void>((resolve) => afterThisTurn(resolve));
    while (due) {
      const operations = waiting.splice(0, limits.groupCommitOperations);
      due = waiting.length > 0;
      lingering.clear();
      const outcomes = commitGroup(operations);
      try {
        await store.sync();
      } catch (fault) {
        onSyncFault(fault);
        for (const operation of operations) operation.settle({ ok: false, error: fault });
        continue;
      }
      for (const [index, operation] of operations.entries()) {
        const outcome = outcomes[index];
        if (outcome) operation.settle(outcome);
      }
    }
    running = null;
  };

  const commitNow = (): void => {
    due = waiting.length > 0;
    if (due) running ??= pump();
  };

  const lingering = new Deadline(commitNow);

  const queued = <T>(work: () => T) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({
        work,
        settle: (outcome) => (outcome.ok ? resolve(outcome.value as T) : reject(outcome.error)),
      });
    });

  return {
    run(work) {
      const done = queued(work);
      commitNow();
      return done;
    },
    runSoon(work) {
      const done = queued(work);
      if (!due && waiting.length === 1) lingering.set(limits.groupCommitLingerMs);
      return done;
    },
    idle: () => running === null,
    async drain() {
      for (commitNow(); running !== null; commitNow()) await running;
    },
  };
}
