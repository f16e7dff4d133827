/** The writing half of the queue: each function is to be called within a transaction of the store. */
import { type DeliveryFacts, openStates } from '../events/event.ts';
import type { Store } from '../store/store.ts';
import { createOutbox } from './outbox.ts';
import type { QueueChanges } from './queue.ts';

export function createQueueChanges(store: Store): QueueChanges {
  const outbox = createOutbox(store);
  return {
    insertMail({ facts, content, options = null }) {
      store.run(
        `INSERT INTO mails (mail_id, tenant_id, facts, open_deliveries, last_sequence, segment, segment_offset, content_bytes, checksum, options)
         VALUES (?, ?, ?, 0, 0, ?, ?, ?, ?, ?)`,
        facts.mailId,
        facts.tenantId,
        JSON.stringify(facts),
        content?.segment ?? null,
        content?.offset ?? null,
        content?.bytes ?? 0,
        content?.checksum ?? 0,
        options && JSON.stringify(options),
      );
    },
    rememberMail(facts) {
      store.run(
        `INSERT INTO mails (mail_id, tenant_id, facts, open_deliveries, last_sequence, content_bytes, checksum)
         VALUES (?, ?, ?, 0, 0, 0, 0) ON CONFLICT (mail_id) DO UPDATE SET facts = excluded.facts`,
        facts.mailId,
        facts.tenantId,
        JSON.stringify(facts),
      );
    },
    insertDelivery(mailId, { facts, destination, options = null, class: mailClass = 'transactional' }) {
      store.run(
        `INSERT INTO deliveries (n, destination, due_at, leased_at, state, facts, options, bulk, mail_id, tenant_id)
         SELECT ?, ?, ?, ?, ?, ?, ?, ?, mail_id, tenant_id FROM mails WHERE mail_id = ?`,
        facts.n,
        destination,
        dueAtOf(facts),
        leasedAtOf(facts),
        facts.state,
        JSON.stringify(facts),
        options && JSON.stringify(options),
        mailClass === 'bulk' ? 1 : 0,
        mailId,
      );
      if (isOpen(facts))
        store.run('UPDATE mails SET open_deliveries = open_deliveries + 1 WHERE mail_id = ?', mailId);
    },
    update({ mailId, facts: before }, facts) {
      store.run(
        `UPDATE deliveries SET due_at = ?, leased_at = ?, state = ?, facts = ?, held_for = NULL, hold_requested = 0
         WHERE mail_id = ? AND n = ?`,
        dueAtOf(facts),
        leasedAtOf(facts),
        facts.state,
        JSON.stringify(facts),
        mailId,
        facts.n,
      );
      const ended = isOpen(before) && !isOpen(facts);
      if (ended)
        store.run('UPDATE mails SET open_deliveries = open_deliveries - 1 WHERE mail_id = ?', mailId);
    },
    holdInLane: (mailId, facts) => {
      store.run(
        'UPDATE deliveries SET facts = ? WHERE mail_id = ? AND n = ?',
        ...[JSON.stringify(facts), mailId, facts.n],
      );
    },
    requestCancel: (mailId, n) => {
      store.run('UPDATE deliveries SET cancel_requested = 1 WHERE mail_id = ? AND n = ?', mailId, n);
    },
    redirect: (mailId, n, destination) => {
      store.run(
        'UPDATE deliveries SET destination = ? WHERE mail_id = ? AND n = ?',
        ...[destination, mailId, n],
      );
    },
    record: outbox.record,
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
