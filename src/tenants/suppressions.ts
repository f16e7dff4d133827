/** Addresses a tenant does not send to, until someone takes them off the list. */
import { integer, type Store, text } from '../store/store.ts';
import { mapped } from './register.ts';
import type { Suppression, Tenants } from './tenants.ts';

type Suppressions = Pick<Tenants, 'suppress' | 'unsuppress' | 'suppressionOf'>;

const kinds: readonly Suppression['kind'][] = ['bounce', 'complaint', 'unsubscribe'];

export function createSuppressions(store: Store): Suppressions {
  return {
    suppress({ tenantId, address, kind, createdAt }) {
      store.run(
        `INSERT INTO suppressions (tenant_id, address, kind, created_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (tenant_id, address) DO NOTHING`,
        tenantId,
        address.toLowerCase(),
        kind,
        createdAt,
      );
    },
    unsuppress: (tenantId, address) =>
      store.run(
        'DELETE FROM suppressions WHERE tenant_id = ? AND address = ?',
        tenantId,
        address.toLowerCase(),
      ).changes > 0,
    suppressionOf: (tenantId, address) =>
      mapped(
        store.get(
          'SELECT * FROM suppressions WHERE tenant_id = ? AND address = ?',
          tenantId,
          address.toLowerCase(),
        ),
        (row) => ({
          tenantId,
          address: text(row, 'address'),
          kind: kinds.find((kind) => kind === row['kind']) ?? 'bounce',
          createdAt: integer(row, 'created_at'),
        }),
      ),
  };
}
