/** Which pool of source addresses the mail of a tenant leaves from, by class of mail. */
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { type Store, text } from '../store/store.ts';
import { mapped } from './register.ts';

export interface IpPools {
  /** Null: the operating system chooses the address. */
  ipPool(tenantId: number, mailClass: MailClass): string | null;
  setIpPool(tenantId: number, mailClass: MailClass, pool: string | null): void;
}

export function createIpPools(store: Store): IpPools {
  return {
    ipPool: (tenantId, mailClass) =>
      mapped(
        store.get('SELECT pool FROM ip_pools WHERE tenant_id = ? AND class = ?', tenantId, mailClass),
        (row) => text(row, 'pool'),
      ),
    setIpPool(tenantId, mailClass, pool) {
      if (pool === null) {
        store.run('DELETE FROM ip_pools WHERE tenant_id = ? AND class = ?', tenantId, mailClass);
        return;
      }
      store.run(
        `INSERT INTO ip_pools (tenant_id, class, pool) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET pool = excluded.pool`,
        ...[tenantId, mailClass, pool],
      );
    },
  };
}
