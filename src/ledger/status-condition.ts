/**
 * `StatusCondition` on a row in hand; `queries/delivery-filter.ts` says the same to the engine, and
 * `test/laws/` holds the two together. A side door of the module: who names rows needs no engine.
 */
import type { DeliveryRow, StatusCondition } from './question.ts';

export function statusHolds(condition: StatusCondition, { delivery, engagement }: DeliveryRow): boolean {
  const { states, reasons, exceptReasons, engaged } = condition;
  const { state, reason } = delivery;
  return (
    states.includes(state) &&
    (reasons === undefined || (reason !== null && reasons.includes(reason))) &&
    (exceptReasons === undefined || reason === null || !exceptReasons.includes(reason)) &&
    (engaged === undefined || engaged === engagement.opens + engagement.clicks > 0)
  );
}
