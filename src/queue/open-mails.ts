/** What of the queue the ledger's upkeep has to know: what is open, and which mails name an address. */
import { integer, type Store } from '../store/store.ts';

export interface OpenMails {
  /** Open deliveries by tenant and hour of acceptance, and the deliveries of which an event waits in the outbox. */
  openByHour(): {
    open: { tenantId: number; hour: number; count: number }[];
    waiting: { mailIds: number[]; numbers: number[] };
  };
  countWaitingEvents(): number;
  /** Mails accepted before a time that have not ended, at most `limit`. */
  openBefore(acceptedAt: number, limit: number): number[];
  /** Mails of the tenants that name an address (lower case), with open deliveries or without. */
  naming(tenantIds: readonly number[], address: string): { mailId: number; open: boolean }[];
}

const hourMs = 3_600_000;

export function createOpenMails(store: Store): OpenMails {
  return {
    openByHour() {
      const waiting = store.all("SELECT DISTINCT mail_id, delivery ->> 'n' AS n FROM outbox");
      const open = store.all(
        `SELECT mails.tenant_id, (mails.facts ->> 'acceptedAt') / ${hourMs} AS hour, count(*) AS count
         FROM deliveries JOIN mails USING (mail_id)
         WHERE state IN ('queued', 'held', 'deferred') AND NOT EXISTS (
           SELECT 1 FROM outbox WHERE outbox.mail_id = deliveries.mail_id AND outbox.delivery ->> 'n' = deliveries.n)
         GROUP BY 1, 2`,
      );
      return {
        open: open.map((row) => ({
          tenantId: integer(row, 'tenant_id'),
          hour: integer(row, 'hour') * hourMs,
          count: integer(row, 'count'),
        })),
        waiting: {
          mailIds: waiting.map((row) => integer(row, 'mail_id')),
          numbers: waiting.map((row) => integer(row, 'n')),
        },
      };
    },
    countWaitingEvents() {
      const row = store.get('SELECT count(*) AS count FROM outbox');
      return row ? integer(row, 'count') : 0;
    },
    openBefore: (acceptedAt, limit) =>
      store
        .all(
          `SELECT mail_id FROM mails WHERE open_deliveries > 0 AND facts ->> 'acceptedAt' < ? ORDER BY mail_id LIMIT ?`,
          ...[acceptedAt, limit],
        )
        .map((row) => integer(row, 'mail_id')),
    naming: (tenantIds, address) =>
      store
        .all(
          `SELECT mail_id, open_deliveries FROM mails
           WHERE tenant_id IN (SELECT value FROM json_each(?)) AND (instr(lower(facts), ?) > 0 OR EXISTS (
             SELECT 1 FROM deliveries WHERE deliveries.mail_id = mails.mail_id AND instr(lower(deliveries.facts), ?) > 0))`,
          ...[JSON.stringify(tenantIds), address, address],
        )
        .map((row) => ({ mailId: integer(row, 'mail_id'), open: integer(row, 'open_deliveries') > 0 })),
  };
}
