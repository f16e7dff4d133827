/**
 * Deliveries that are held: by a tenant's quota (`heldFor`), which releases them oldest first, or by a person, who has
 * to release them. Those held until a time are found by that (`heldDue`).
 */
import { integer, type Store } from '../store/store.ts';
import type { QueueHolds } from './queue.ts';

/** From one tenant to the next along the index, however many deliveries each has there. */
const tenantsAlongIndex = `WITH RECURSIVE found (tenant_id) AS (
    SELECT min(held_for) FROM deliveries WHERE held_for IS NOT NULL
    UNION ALL
    SELECT (SELECT min(held_for) FROM deliveries WHERE held_for > tenant_id) FROM found WHERE tenant_id IS NOT NULL
  ) SELECT tenant_id FROM found WHERE tenant_id IS NOT NULL`;

export function createQueueHolds(store: Store): QueueHolds {
  return {
    holdFor: (mailId, n, tenantId) => {
      store.run('UPDATE deliveries SET held_for = ? WHERE mail_id = ? AND n = ?', tenantId, mailId, n);
    },
    requestHold: (mailId, n, wanted) => {
      store.run(
        'UPDATE deliveries SET hold_requested = ? WHERE mail_id = ? AND n = ?',
        ...[wanted ? 1 : 0, mailId, n],
      );
    },
    tenantsHeldFor: () => store.all(tenantsAlongIndex).map((row) => integer(row, 'tenant_id')),
    heldFor: (tenantId, limit) =>
      store
        .all(
          'SELECT mail_id, n FROM deliveries WHERE held_for = ? ORDER BY mail_id, n LIMIT ?',
          ...[tenantId, limit],
        )
        .map((row) => ({ mailId: integer(row, 'mail_id'), n: integer(row, 'n') })),
    countHeldFor(tenantId) {
      const row = store.get('SELECT count(*) AS count FROM deliveries WHERE held_for = ?', tenantId);
      return row ? integer(row, 'count') : 0;
    },
  };
}
