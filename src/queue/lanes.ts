/**
 * What is due, by lane: the deliveries of one class, tenant and destination. Each question goes along an index to what
 * it answers; none looks at what merely waits (`src/store/migrations/0006-lanes.ts`).
 */
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { integer, integerOrNull, type Store, text } from '../store/store.ts';
import { leasedDeliveryOf } from './questions.ts';
import type { QueueLanes } from './queue.ts';

/** When a lane is looked at; written as in its index. */
const lookAt = 'max(due_at, parked_until)';

/** When a delivery ends at the latest; written as in its index. */
const expiresAt = "facts ->> 'expiresAt'";

/** Nothing of the lane is tried now, because of a warm-up. */
const isHeldLane = 'lanes.warm_up_until > 0 AND lanes.warm_up_until > ? AND lanes.parked_until > ?';

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
  park: 'UPDATE lanes SET parked_until = ?, warm_up_until = ? WHERE bulk = ? AND tenant_id = ? AND destination = ?',
  unparkAll: 'UPDATE lanes SET parked_until = 0, warm_up_until = 0 WHERE parked_until > 0',
  unparkWarmUps: 'UPDATE lanes SET parked_until = 0, warm_up_until = 0 WHERE warm_up_until > 0',
  warmUpUntil: `SELECT warm_up_until FROM deliveries JOIN lanes USING (bulk, tenant_id, destination)
    WHERE mail_id = ? AND n = ? AND deliveries.due_at <= ? AND ${isHeldLane}`,
  warmUpLanes: `SELECT bulk, tenant_id, destination, warm_up_until FROM lanes
    WHERE (warm_up_until, bulk, tenant_id, destination) > (?, ?, ?, ?) AND warm_up_until > 0 AND parked_until > ?
    ORDER BY warm_up_until, bulk, tenant_id, destination LIMIT ?`,
  dueAfter: `SELECT due_at, mail_id, n FROM deliveries WHERE bulk = ? AND tenant_id = ? AND destination = ?
    AND (due_at, mail_id, n) > (?, ?, ?) AND due_at <= ? AND due_at IS NOT NULL AND state <> 'held'
    ORDER BY due_at, mail_id, n LIMIT ?`,
  waitingForWarmUp: `SELECT count(*) AS count, min(warm_up_until) AS until
    FROM lanes CROSS JOIN deliveries USING (bulk, tenant_id, destination)
    WHERE deliveries.due_at <= ? AND state <> 'held' AND ${isHeldLane}`,
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
    park: (lane, until, warmUpUntil = null) => {
      store.run(
        laneQueries.park,
        ...[until, warmUpUntil ?? 0, bulkOf(lane.class), lane.tenantId, lane.destination],
      );
    },
    unparkAll: () => {
      store.run(laneQueries.unparkAll);
    },
    unparkWarmUps: () => {
      store.run(laneQueries.unparkWarmUps);
    },
    warmUpUntil(mailId, n, now) {
      const row = store.get(laneQueries.warmUpUntil, mailId, n, now, now, now);
      return row ? integer(row, 'warm_up_until') : null;
    },
    warmUpLanes: (after, { now, limit }) =>
      store
        .all(
          laneQueries.warmUpLanes,
          // Those whose day has begun are let go.
          ...(after
            ? [after.until, bulkOf(after.class), after.tenantId, after.destination]
            : [now, 2, 0, '']),
          ...[now, limit],
        )
        .map((row) => ({
          ...{
            class: integer(row, 'bulk') === 1 ? 'bulk' : 'transactional',
            tenantId: integer(row, 'tenant_id'),
          },
          ...{ destination: text(row, 'destination'), until: integer(row, 'warm_up_until') },
        })),
    dueAfter: (lane, after, { now, limit }) =>
      store
        .all(
          laneQueries.dueAfter,
          ...[
            bulkOf(lane.class),
            lane.tenantId,
            lane.destination,
            after.dueAt,
            after.mailId,
            after.n,
            now,
            limit,
          ],
        )
        .map((row) => ({
          dueAt: integer(row, 'due_at'),
          mailId: integer(row, 'mail_id'),
          n: integer(row, 'n'),
        })),
    waitingForWarmUp(now) {
      const row = store.get(laneQueries.waitingForWarmUp, now, now, now);
      return row
        ? { count: integer(row, 'count'), until: integerOrNull(row, 'until') }
        : { count: 0, until: null };
    },
  };
}

function bulkOf(mailClass: MailClass): 0 | 1 {
  return mailClass === 'bulk' ? 1 : 0;
}
