/** One run of an import, from pieces of text to rows in the store; what `read-logs.ts` and `follow.ts` have in common. */
import { limits } from '../base/limits.ts';
import { createAssembler } from './assemble.ts';
import { beginRun, createImportWriter, sourceOf } from './import-writer.ts';
import type { ImportDeps } from './imports.ts';
import { openMailBook } from './mail-book.ts';
import type { Parsed } from './record.ts';
import { noSums, type Summary, type Sums, summaryOf } from './summary.ts';

export interface Intake {
  readonly sums: Sums;
  /** What an earlier run with the same files left, besides its sums; null for the first. */
  readonly left: unknown;
  take(parsed: Parsed): void;
  /** Lines since the last write. */
  readonly pending: number;
  /** `place`: where to go on from. `all`: also what could wait for the lines to come. */
  write(place: unknown, how: { all: boolean }): void;
  /** Waits while too much is on its way to the ledger. */
  restrain(): Promise<void>;
  finish(complete: boolean): Summary;
}

export function beginIntake(deps: ImportDeps, files: string): Intake {
  const { store, format, owner, clock } = deps;
  const source = sourceOf(store, owner.tenantId, format.name);
  const run = beginRun(store, source, files, clock.now());
  const before = run.state === null ? null : (JSON.parse(run.state) as { sums: Sums; left: unknown });
  const sums = before?.sums ?? noSums();
  const book = openMailBook(store, source);
  const assembler = createAssembler(book, run.id, sums.share);
  const writer = createImportWriter({ ...deps, book, seed: `${owner.tenantId} ${format.name}`, run: run.id });
  let pending = 0;
  let newEvents = 0;
  return {
    sums,
    left: before?.left ?? null,
    get pending() {
      return pending;
    },
    take(parsed) {
      pending += 1;
      sums.lines += 1;
      if (parsed === 'ignored' || parsed === 'unparsed') sums[parsed] += 1;
      else for (const record of parsed) assembler.take(record);
    },
    write(left, how) {
      const changes = assembler.changes(how);
      newEvents += writer.write(changes, JSON.stringify({ sums, left }));
      book.trim(!assembler.isWaiting());
      pending = 0;
    },
    async restrain() {
      while (deps.isCarried() && writer.backlog() > limits.importBacklogEvents && !deps.signal.aborted)
        await clock.sleep(limits.importBacklogWaitMs, deps.signal);
    },
    finish(complete) {
      writer.forget();
      return summaryOf(sums, newEvents, complete);
    },
  };
}
