/**
 * What is due, by lane: the deliveries of one class, tenant and destination. Each question goes along an index to what
 * it answers; none looks at what merely waits (`src/store/migrations/0006-lanes.ts`).
 */
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { integer, type Store, text } from '../store/store.ts';
import { leasedDeliveryOf } from './questions.ts';
import type { QueueLanes } from './queue.ts';

/** When a lane is looked at; written as in its index. */
const lookAt = 'max(due_at, parked_until)';

/** When a delivery ends at the latest; written as in its index. */
const expiresAt = "facts ->> 'expiresAt'";

export const laneQueries = {
  nextTenant: `SELECT tenant_id, ${lookAt} AS look_at FROM lanes WHERE bulk = ? AND tenant_id > ?
    ORDER BY tenant_id, ${lookAt} LIMIT 1`,
  dueLanes: `SELECT destination FROM lanes WHERE bulk = ? AND tenant_id = ? AND ${lookAt} <= ?
    ORDER BY ${lookAt} LIMIT ?`,
  dueIn: `SELECT mail_id, n, destination FROM deliveries WHERE bulk = ? AND tenant_id = ? AND destination = ?
    AND due_at <= ? AND state <> 'held' ORDER BY due_at, mail_id, n LIMIT ?`,
  overdueIn: `SELECT mail_id, n, destination FROM deliveries WHERE bulk = ? AND tenant_id = ? AND destination = ?
    AND ${expiresAt} <= ? AND due_at IS NOT NULL AND state <> 'held' ORDER BY ${expiresAt} LIMIT ?`,
  dueOfMail: `SELECT mail_id, n, destination FROM deliveries WHERE mail_id = ? AND due_at <= ? AND state <> 'held'
    ORDER BY n LIMIT ?`,
  park: 'UPDATE lanes SET parked_until = ? WHERE bulk = ? AND tenant_id = ? AND destination = ?',
  unparkAll: 'UPDATE lanes SET parked_until = 0 WHERE parked_until > 0',
} as const;

export function createQueueLanes(store: Store): QueueLanes {
  return {
    nextTenant(mailClass, after) {
      const row = store.get(laneQueries.nextTenant, bulkOf(mailClass), after);
      return row ? { tenantId: integer(row, 'tenant_id'), lookAt: integer(row, 'look_at') } : null;
    },
    dueLanes: (mailClass, tenantId, { now, limit }) =>
      store
        .all(laneQueries.dueLanes, bulkOf(mailClass), tenantId, now, limit)
        .map((row) => ({ class: mailClass, tenantId, destination: text(row, 'destination') })),
    dueIn: (lane, { now, limit }) =>
      store
        .all(laneQueries.dueIn, bulkOf(lane.class), lane.tenantId, lane.destination, now, limit)
        .map(leasedDeliveryOf),
    overdueIn: (lane, { now, limit }) =>
      store
        .all(laneQueries.overdueIn, bulkOf(lane.class), lane.tenantId, lane.destination, now, limit)
        .map(leasedDeliveryOf),
    dueOfMail: (mailId, { now, limit }) =>
      store.all(laneQueries.dueOfMail, mailId, now, limit).map(leasedDeliveryOf),
    park: (lane, until) => {
      store.run(laneQueries.park, until, bulkOf(lane.class), lane.tenantId, lane.destination);
    },
    unparkAll: () => {
      store.run(laneQueries.unparkAll);
    },
  };
}

function bulkOf(mailClass: MailClass): 0 | 1 {
  return mailClass === 'bulk' ? 1 : 0;
}
