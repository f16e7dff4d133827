/** The outbox: events on their way to the ledger, written in the transaction that changes the state (I2). */
import type { DeliveryFacts, MailEvent } from '../events/event.ts';
import type { Store } from '../store/store.ts';

/** An event as the queue writes it: the mail's facts stand with the mail, the sequence is given here. */
export type NewEvent = Pick<MailEvent, 'type' | 'at' | 'status' | 'engagement'> & {
  mailId: number;
  delivery: DeliveryFacts;
};

export interface Outbox {
  record(event: NewEvent): void;
}

export function createOutbox(store: Store): Outbox {
  return {
    record({ mailId, type, at, delivery, status, engagement }) {
      const { lastId } = store.run(
        'INSERT INTO outbox (mail_id, type, at, delivery, status, engagement) VALUES (?, ?, ?, ?, ?, ?)',
        mailId,
        type,
        at,
        JSON.stringify(delivery),
        status && JSON.stringify(status),
        engagement && JSON.stringify(engagement),
      );
      store.run('UPDATE mails SET last_sequence = ? WHERE mail_id = ?', lastId, mailId);
    },
  };
}
