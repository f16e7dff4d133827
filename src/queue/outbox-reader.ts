/**
 * The other end of the outbox: read in order by the ledger's writer, which says how far it has come. What it has
 * passed is deleted in the same transaction.
 */

import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, Engagement, EventType, MailEvent, MailFacts } from '../events/event.ts';
import { integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';

export interface OutboxReader {
  /** Events after that sequence, ascending, without a hole. */
  read(after: number, limit: number): MailEvent[];
  cursor(): { appendedTo: number; pendingTo: number | null };
  /** Remembers the end of the batch about to be appended, so that a crash repeats exactly this batch. */
  begin(pendingTo: number): void;
  /** The ledger holds everything up to here. */
  advance(to: number): void;
  /** Sequence of the newest event ever written; 0 before the first. */
  newest(): number;
}

export function createOutboxReader(store: Store): OutboxReader {
  return {
    read: (after, limit) =>
      store
        .all(
          `SELECT sequence, type, at, delivery, status, engagement, mails.facts AS mail
           FROM outbox LEFT JOIN mails USING (mail_id) WHERE sequence > ? ORDER BY sequence LIMIT ?`,
          after,
          limit,
        )
        .map(eventOf),
    cursor() {
      const row = store.get('SELECT appended_to, pending_to FROM ledger_cursor');
      if (!row) throw new Error('the store has no ledger cursor');
      return { appendedTo: integer(row, 'appended_to'), pendingTo: integerOrNull(row, 'pending_to') };
    },
    begin: (pendingTo) =>
      store.transaction(() => void store.run('UPDATE ledger_cursor SET pending_to = ?', pendingTo)),
    advance: (to) =>
      store.transaction(() => {
        store.run('UPDATE ledger_cursor SET appended_to = ?, pending_to = NULL', to);
        store.run('DELETE FROM outbox WHERE sequence <= ?', to);
      }),
    newest() {
      const row = store.get("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
      return row ? integer(row, 'seq') : 0;
    },
  };
}

/**
 * For a store that is older than the ledger: what the ledger has, up to `newest`, is not brought again, and what happens
 * from now on is numbered after it. A batch that was begun and did not arrive whole is left to be repeated.
 */
export function passInOutbox(store: Store, newest: number): void {
  store.transaction(() => {
    const outbox = createOutboxReader(store);
    const { appendedTo, pendingTo } = outbox.cursor();
    if (newest <= appendedTo || newest < (pendingTo ?? 0)) return;
    outbox.advance(newest);
    if (outbox.newest() >= newest) return;
    const { changes } = store.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", newest);
    if (changes === 0) store.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)", newest);
  });
}

function eventOf(row: Row): MailEvent {
  return {
    sequence: integer(row, 'sequence'),
    type: text(row, 'type') as EventType,
    at: integer(row, 'at'),
    mail: JSON.parse(text(row, 'mail')) as MailFacts,
    delivery: JSON.parse(text(row, 'delivery')) as DeliveryFacts,
    status: row['status'] === null ? null : (JSON.parse(text(row, 'status')) as DeliveryStatus),
    engagement: row['engagement'] === null ? null : (JSON.parse(text(row, 'engagement')) as Engagement),
  };
}
