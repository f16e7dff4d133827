/**
 * Group commit: what arrives within one turn of the event loop is written in one transaction and one sync.
 * A sync costs as much for fifty mails as for one, so this is what makes durable mail fast.
 */
import { afterThisTurn } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Store } from './store.ts';

export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is on disk. `work` only reads and writes the store: when another
   * of its group fails, it is run again alone.
   */
  run<T>(work: () => T): Promise<T>;
  /** Resolves when everything handed in so far is committed. */
  drain(): Promise<void>;
}

interface Operation {
  work: () => unknown;
  settle: (outcome: { ok: true; value: unknown } | { ok: false; error: unknown }) => void;
}

/** `beforeCommit` makes durable what the transaction refers to (contents), before it commits. */
export function createGroupCommit(store: Store, beforeCommit: () => void = () => {}): GroupCommit {
  const waiting: Operation[] = [];
  let scheduled = false;

  const commit = (operations: Operation[]): unknown[] =>
    store.transaction(() => {
      const values = operations.map((operation) => operation.work());
      beforeCommit();
      return values;
    });

  const commitAlone = (operation: Operation): void => {
    try {
      operation.settle({ ok: true, value: commit([operation])[0] });
    } catch (error) {
      operation.settle({ ok: false, error });
    }
  };

  const commitGroup = (operations: Operation[]): void => {
    let values: unknown[];
    try {
      values = commit(operations);
    } catch {
      for (const operation of operations) commitAlone(operation);
      return;
    }
    for (const [index, operation] of operations.entries())
      operation.settle({ ok: true, value: values[index] });
  };

  const flush = (): void => {
    scheduled = false;
    const operations = waiting.splice(0, limits.groupCommitOperations);
    if (waiting.length > 0) schedule();
    if (operations.length > 0) commitGroup(operations);
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    afterThisTurn(flush);
  };

  return {
    run: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        waiting.push({
          work,
          settle: (outcome) => (outcome.ok ? resolve(outcome.value as T) : reject(outcome.error)),
        });
        schedule();
      }),
    async drain() {
      while (waiting.length > 0) await new Promise<void>((resolve) => afterThisTurn(resolve));
    },
  };
}
