/** How many mails were accepted, and how many of them reached someone. */
import type { Engine } from '../engine.ts';
import type { MailTotals, Scope } from '../question.ts';
import { acceptedBetween } from './delivery-filter.ts';
import { inScope } from './where.ts';

export async function mailTotals(
  engine: Engine,
  scope: Scope,
  from: number,
  to: number,
): Promise<MailTotals> {
  const where = inScope(scope);
  acceptedBetween(where, from, to);
  where.changing("state != 'rejected'");
  const statement = `SELECT uniqExact(mail_id), uniqExactIf(mail_id, state = 'delivered')
FROM deliveries FINAL
${where.ofVersions()}`;
  const [row] = await engine.ask(statement, where.values);
  return { accepted: Number(row?.[0] ?? 0), delivered: Number(row?.[1] ?? 0) };
}
