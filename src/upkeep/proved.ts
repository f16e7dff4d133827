/**
 * How far the chain of each node was walked without a problem, so that the nightly walk is one over a day and not over
 * everything. It stands in the store, not in the ledger: who can write to the ledger cannot say what need not be looked at.
 */
import type { ProvedTo } from '../ledger/ledger.ts';
import { type Store, text } from '../store/store.ts';
import { keepRun } from './jobs.ts';

export interface Proved {
  read(): ProvedTo[];
  /** Of these nodes; what is known of others stays. */
  write(proved: readonly ProvedTo[]): void;
}

/** Beside the last runs of jobs, of which none has this kind. */
const kind = 'chain';

export function createProved(store: Store): Proved {
  const read = (): ProvedTo[] => {
    const row = store.get('SELECT run FROM upkeep_runs WHERE kind = ?', kind);
    return row ? (JSON.parse(text(row, 'run')) as ProvedTo[]) : [];
  };
  return {
    read,
    write(proved) {
      const named = new Set(proved.map(({ node }) => node));
      keepRun(store, kind, [...read().filter(({ node }) => !named.has(node)), ...proved]);
    },
  };
}
