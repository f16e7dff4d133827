/** The events of the crash test: enough of them that an append takes a while. */
import type { Batch } from '../../../src/ledger/ledger.ts';
import { batchesOf, generateHistory, type History } from '../../support/histories.ts';
import { inOneMonth } from './subject.ts';

export const kills = 5;

export function crashHistory(): History {
  return generateHistory(51, { ...inOneMonth, mails: 900, tenants: 1, latenessMs: 60_000 });
}

/** One batch before each kill, and two that nobody disturbs. */
export function crashBatches(): Batch[] {
  const history = crashHistory();
  return batchesOf(history, Math.ceil(history.events.length / (kills + 2)));
}
