/**
 * Events that broke the rule of states (canonical model, section 4): stored, but without effect on the
 * state. None are expected; each one is a fault of whoever recorded it. Range of acceptance.
 *
 * After the first terminal event of a delivery nothing moves it any more, but for one `returned` of a mail
 * that had been delivered. Ranks are those of `deliveries` (schema/0002).
 */
import type { Engine } from '../engine.ts';
import type { Scope } from '../question.ts';
import { acceptedBetween } from './delivery-filter.ts';
import { inScope } from './where.ts';

const terminal = "state NOT IN ('queued', 'held', 'deferred')";
const returned = "type = 'returned' AND delivered_at IS NOT NULL";
const carriesState = `type IN ('accepted', 'rejected', 'held', 'released', 'attempted', 'deferred', 'delivered', 'failed',
    'expired', 'suppressed', 'canceled', 'returned')`;

export async function countRuleBreaks(
  engine: Engine,
  scope: Scope,
  from: number,
  to: number,
): Promise<number> {
  const where = inScope(scope);
  acceptedBetween(where, from, to);
  where.fixed(carriesState);
  const statement = `SELECT sum(late + returns - if(ended_as = 'delivered' AND returns > 0, 1, 0))
FROM (
  SELECT
    minIf(sequence, ${terminal} AND NOT (${returned})) AS ended,
    argMinIf(state, sequence, ${terminal} AND NOT (${returned})) AS ended_as,
    toInt64(countIf(${returned})) AS returns,
    if(ended = 0, 0, toInt64(arrayCount(s -> s > ended, groupArrayIf(sequence, NOT (${returned}))))) AS late
  FROM events
  ${where}
  GROUP BY mail_id, n
)`;
  const [row] = await engine.ask(statement, where.values);
  return Number(row?.[0] ?? 0);
}
