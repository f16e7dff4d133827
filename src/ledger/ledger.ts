/**
 * The ledger: the memory of every event, and the answers drawn from it. It is ClickHouse, in process or
 * behind a URL, and decides nothing (invariant I9): delete it and mail flows on.
 *
 * This is the module's door. Not here: what is due next (queue), who may ask (tenants, dialects).
 */
import type { MailEvent } from '../events/event.ts';
import type { Ask } from './question.ts';

export type * from './question.ts';

/** Events `first`..`last` of one node's outbox, without a hole. */
export interface Batch {
  node: string;
  first: number;
  last: number;
  events: readonly MailEvent[];
}

export interface Ledger extends Ask {
  /**
   * Appends a batch to `events` and all projections. Appending the same batch again (same node, first,
   * last, same content) changes nothing: after a crash the writer repeats the batch it had begun.
   */
  append(batch: Batch): Promise<void>;
  close(): Promise<void>;
}
