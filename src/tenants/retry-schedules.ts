/** Retry schedules that a tenant has of its own, by class of mail. */
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { type Store, text } from '../store/store.ts';
import { mapped } from './register.ts';

export interface RetrySchedules {
  /** Waits between the attempts in milliseconds; null: the schedule of the configuration. */
  retrySchedule(tenantId: number, mailClass: MailClass): readonly number[] | null;
  /** Null: as the configuration says. */
  setRetrySchedule(tenantId: number, mailClass: MailClass, waitsMs: readonly number[] | null): void;
}

export function createRetrySchedules(store: Store): RetrySchedules {
  return {
    retrySchedule: (tenantId, mailClass) =>
      mapped(
        store.get('SELECT waits FROM retry_schedules WHERE tenant_id = ? AND class = ?', tenantId, mailClass),
        (row) => JSON.parse(text(row, 'waits')) as number[],
      ),
    setRetrySchedule(tenantId, mailClass, waitsMs) {
      if (waitsMs === null) {
        store.run('DELETE FROM retry_schedules WHERE tenant_id = ? AND class = ?', tenantId, mailClass);
        return;
      }
      store.run(
        `INSERT INTO retry_schedules (tenant_id, class, waits) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET waits = excluded.waits`,
        ...[tenantId, mailClass, JSON.stringify(waitsMs)],
      );
    },
  };
}
