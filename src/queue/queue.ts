/**
 * The queue: which delivery is due when, and the outbox of events that tells of each change (invariant I2:
 * both in one transaction). It knows states, not SMTP and not policy.
 *
 * This is the module's door. All functions that write are to be called within a transaction of the store.
 * `docs/queue-states.md` shows the states. Not here: verdicts (relay), content (spool).
 */
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { openStates } from '../events/event.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';
import { whereOf } from './filter.ts';
import { createOutbox, type NewEvent } from './outbox.ts';

export type { NewEvent } from './outbox.ts';
export { createOutboxReader, type OutboxReader } from './outbox-reader.ts';

/** Where the content stands; kept by the queue for the spool. */
export interface StoredContent {
  segment: number | null;
  offset: number | null;
  bytes: number;
  checksum: number;
}

export interface QueuedMail {
  facts: MailFacts;
  /** Null for a mail that was refused: it has events, but nothing to deliver. */
  content: StoredContent | null;
}

export interface QueuedDelivery {
  mailId: number;
  facts: DeliveryFacts;
  /** Deliveries of one mail and destination are tried together. */
  destination: string;
  cancelRequested: boolean;
}

export interface LeasedDelivery {
  mailId: number;
  n: number;
  destination: string;
}

export interface DueQuestion {
  now: number;
  /** Destinations that have all the attempts they may have. */
  except: readonly string[];
  limit: number;
}

export interface QueueFilter {
  tenantId?: number;
  mailId?: number;
  n?: number;
  states?: readonly DeliveryFacts['state'][];
  forwardPath?: string;
  destination?: string;
}

export interface Queue {
  /** Inserts a mail; its deliveries and events follow. */
  insertMail(mail: QueuedMail): void;
  /** A new delivery. With `facts.leased` its first attempt begins at once. */
  insertDelivery(mailId: number, destination: string, facts: DeliveryFacts): void;
  /** Writes the facts of a delivery after a change, and frees its lease unless `facts.leased`. */
  update(before: QueuedDelivery, facts: DeliveryFacts): void;
  requestCancel(mailId: number, n: number): void;
  /** Writes an event about a mail to the outbox, with its next sequence. */
  record(event: NewEvent): void;
  due(question: DueQuestion): LeasedDelivery[];
  /** Earliest time anything is due; null when nothing is. */
  nextDueAt(): number | null;
  /** Deliveries whose attempt was under way; after a start these attempts are gone. */
  leased(): LeasedDelivery[];
  mail(mailId: number): QueuedMail | null;
  delivery(mailId: number, n: number): QueuedDelivery | null;
  /** Ascending by mail and number. `after` is the last row of the page before. */
  list(filter: QueueFilter, after: { mailId: number; n: number }, limit: number): QueuedDelivery[];
  count(filter: QueueFilter): number;
  /** Highest id ever given to a mail of this store; 0 before the first. */
  highestMailId(): number;
  /** Mails whose deliveries have all ended and whose events the ledger has. */
  clearable(limit: number): { mailId: number; content: StoredContent | null }[];
  clear(mailId: number): void;
}

export function openQueue(store: Store): Queue {
  const outbox = createOutbox(store);
  return {
    insertMail({ facts, content }) {
      store.run(
        `INSERT INTO mails (mail_id, tenant_id, facts, open_deliveries, last_sequence, segment, segment_offset, content_bytes, checksum)
         VALUES (?, ?, ?, 0, 0, ?, ?, ?, ?)`,
        facts.mailId,
        facts.tenantId,
        JSON.stringify(facts),
        content?.segment ?? null,
        content?.offset ?? null,
        content?.bytes ?? 0,
        content?.checksum ?? 0,
      );
    },
    insertDelivery(mailId, destination, facts) {
      store.run(
        `INSERT INTO deliveries (mail_id, n, destination, due_at, leased_at, state, facts) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        mailId,
        facts.n,
        destination,
        dueAtOf(facts),
        leasedAtOf(facts),
        facts.state,
        JSON.stringify(facts),
      );
      if (isOpen(facts)) store.run('UPDATE mails SET open_deliveries = open_deliveries + 1 WHERE mail_id = ?', mailId);
    },
    update({ mailId, facts: before }, facts) {
      store.run(
        'UPDATE deliveries SET due_at = ?, leased_at = ?, state = ?, facts = ? WHERE mail_id = ? AND n = ?',
        dueAtOf(facts),
        leasedAtOf(facts),
        facts.state,
        JSON.stringify(facts),
        mailId,
        facts.n,
      );
      const ended = isOpen(before) && !isOpen(facts);
      if (ended) store.run('UPDATE mails SET open_deliveries = open_deliveries - 1 WHERE mail_id = ?', mailId);
    },
    requestCancel: (mailId, n) => {
      store.run('UPDATE deliveries SET cancel_requested = 1 WHERE mail_id = ? AND n = ?', mailId, n);
    },
    record: outbox.record,
    due: ({ now, except, limit }) =>
      store
        .all(
          `SELECT mail_id, n, destination FROM deliveries WHERE due_at <= ?
           AND destination NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?`,
          now,
          JSON.stringify(except),
          limit,
        )
        .map(leasedDeliveryOf),
    nextDueAt() {
      const row = store.get('SELECT min(due_at) AS due_at FROM deliveries WHERE due_at IS NOT NULL');
      return row && row['due_at'] !== null ? integer(row, 'due_at') : null;
    },
    leased: () =>
      store.all('SELECT mail_id, n, destination FROM deliveries WHERE leased_at IS NOT NULL').map(leasedDeliveryOf),
    mail(mailId) {
      const row = store.get('SELECT * FROM mails WHERE mail_id = ?', mailId);
      return row ? { facts: JSON.parse(text(row, 'facts')) as MailFacts, content: contentOf(row) } : null;
    },
    delivery(mailId, n) {
      const row = store.get('SELECT * FROM deliveries WHERE mail_id = ? AND n = ?', mailId, n);
      return row ? queuedDeliveryOf(row) : null;
    },
    list(filter, after, limit) {
      const { sql, values } = whereOf(filter);
      const query = `SELECT deliveries.* FROM deliveries JOIN mails USING (mail_id)
        WHERE (mail_id, n) > (?, ?) AND ${sql} ORDER BY mail_id, n LIMIT ?`;
      return store.all(query, after.mailId, after.n, ...values, limit).map(queuedDeliveryOf);
    },
    count(filter) {
      const { sql, values } = whereOf(filter);
      const query = `SELECT count(*) AS count FROM deliveries JOIN mails USING (mail_id) WHERE ${sql}`;
      const row = store.get(query, ...values);
      return row ? integer(row, 'count') : 0;
    },
    highestMailId() {
      const row = store.get(
        'SELECT max((SELECT coalesce(max(mail_id), 0) FROM mails), highest_cleared) AS mail_id FROM mail_ids',
      );
      return row ? integer(row, 'mail_id') : 0;
    },
    clearable: (limit) =>
      store
        .all(
          `SELECT * FROM mails WHERE open_deliveries = 0
           AND last_sequence <= (SELECT appended_to FROM ledger_cursor) ORDER BY last_sequence LIMIT ?`,
          limit,
        )
        .map((row) => ({ mailId: integer(row, 'mail_id'), content: contentOf(row) })),
    clear(mailId) {
      store.run('UPDATE mail_ids SET highest_cleared = max(highest_cleared, ?)', mailId);
      store.run('DELETE FROM deliveries WHERE mail_id = ?', mailId);
      store.run('DELETE FROM mails WHERE mail_id = ?', mailId);
    },
  };
}

function isOpen(facts: DeliveryFacts): boolean {
  return openStates.includes(facts.state);
}

function dueAtOf(facts: DeliveryFacts): number | null {
  return facts.leased || !isOpen(facts) ? null : facts.nextAttemptAt;
}

function leasedAtOf(facts: DeliveryFacts): number | null {
  return facts.leased ? facts.lastAttemptAt : null;
}

function leasedDeliveryOf(row: Row): LeasedDelivery {
  return { mailId: integer(row, 'mail_id'), n: integer(row, 'n'), destination: text(row, 'destination') };
}

function queuedDeliveryOf(row: Row): QueuedDelivery {
  return {
    mailId: integer(row, 'mail_id'),
    facts: JSON.parse(text(row, 'facts')) as DeliveryFacts,
    destination: text(row, 'destination'),
    cancelRequested: integer(row, 'cancel_requested') === 1,
  };
}

function contentOf(row: Row): StoredContent | null {
  const bytes = integer(row, 'content_bytes');
  if (bytes === 0) return null;
  return {
    segment: row['segment'] === null ? null : integer(row, 'segment'),
    offset: row['segment_offset'] === null ? null : integer(row, 'segment_offset'),
    bytes,
    checksum: integer(row, 'checksum'),
  };
}
