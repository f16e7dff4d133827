/** When a deferred delivery is tried again. Pure. */

export interface RetryPlan {
  /** Waits between attempts, in milliseconds. After the last one the next failure is the end. */
  waitsMs: readonly number[];
}

/** The wait after the given number of deferrals (from 1); null when the plan is used up. */
export function waitAfter(plan: RetryPlan, deferrals: number): number | null {
  return plan.waitsMs[deferrals - 1] ?? null;
}

/** The latest moment a delivery accepted then can still be tried, not counting the attempts themselves. */
export function expiryOf(plan: RetryPlan, acceptedAt: number): number {
  return plan.waitsMs.reduce((at, waitMs) => at + waitMs, acceptedAt);
}
