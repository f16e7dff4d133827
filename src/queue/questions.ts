/** The reading half of the queue. */
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { ForwardPathOptions, MailOptions } from '../protocol/smtp/envelope-options.ts';
import { integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';
import { whereOf } from './filter.ts';
import type { LeasedDelivery, QueuedDelivery, QueueQuestions, StoredContent } from './queue.ts';

export function createQueueQuestions(store: Store): QueueQuestions {
  return {
    heldDue: (now, limit) =>
      store
        .all(
          `SELECT mail_id, n, destination FROM deliveries WHERE state = 'held' AND due_at <= ? ORDER BY due_at LIMIT ?`,
          now,
          limit,
        )
        .map(leasedDeliveryOf),
    leased: () =>
      store
        .all('SELECT mail_id, n, destination FROM deliveries WHERE leased_at IS NOT NULL')
        .map(leasedDeliveryOf),
    mail(mailId) {
      const row = store.get('SELECT * FROM mails WHERE mail_id = ?', mailId);
      if (!row) return null;
      return {
        facts: JSON.parse(text(row, 'facts')) as MailFacts,
        content: contentOf(row),
        options: optionsOf<MailOptions>(row),
      };
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
  };
}

export function leasedDeliveryOf(row: Row): LeasedDelivery {
  return { mailId: integer(row, 'mail_id'), n: integer(row, 'n'), destination: text(row, 'destination') };
}

function queuedDeliveryOf(row: Row): QueuedDelivery {
  const facts = JSON.parse(text(row, 'facts')) as DeliveryFacts;
  return {
    mailId: integer(row, 'mail_id'),
    facts,
    destination: text(row, 'destination'),
    cancelRequested: integer(row, 'cancel_requested') === 1,
    holdRequested: integer(row, 'hold_requested') === 1,
    heldFor: integerOrNull(row, 'held_for'),
    heldInLane: facts.state === 'held' && row['state'] !== 'held',
    options: optionsOf<ForwardPathOptions>(row),
  };
}

function optionsOf<T>(row: Row): T | null {
  return row['options'] === null ? null : (JSON.parse(text(row, 'options')) as T);
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
