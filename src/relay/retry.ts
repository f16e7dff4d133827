/** When a deferred delivery is tried again. Pure, but for `createRetryPlans`, which asks for a tenant's own schedule. */
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Tenants } from '../tenants/tenants.ts';

export interface RetryPlan {
  /** Waits between attempts, in milliseconds. After the last one the next failure is the end. */
  waitsMs: readonly number[];
}

/** Read at each use: a changed schedule holds from the next deferral on, also for mail that waits. */
export interface RetryPlans {
  of(tenantId: number, mailClass: MailClass): RetryPlan;
}

export function createRetryPlans(
  tenants: Pick<Tenants, 'retrySchedule'>,
  standard: Readonly<Record<MailClass, RetryPlan>>,
): RetryPlans {
  return {
    of(tenantId, mailClass) {
      const waitsMs = tenants.retrySchedule(tenantId, mailClass);
      return waitsMs === null ? standard[mailClass] : { waitsMs };
    },
  };
}

/** The wait after the given number of deferrals (from 1); null when the plan is used up. */
export function waitAfter(plan: RetryPlan, deferrals: number): number | null {
  return plan.waitsMs[deferrals - 1] ?? null;
}

/** The latest moment a delivery can still be tried after that many deferrals, not counting the attempts themselves. */
export function expiryOf(plan: RetryPlan, from: number, deferrals = 0): number {
  return plan.waitsMs.slice(deferrals).reduce((at, waitMs) => at + waitMs, from);
}
