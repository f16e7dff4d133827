/** Who sends or gets the most, in mails accepted. */
import { limits } from '../../base/limits.ts';
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { Scope, TopKey, TopRow } from '../question.ts';
import { acceptedBetween } from './delivery-filter.ts';
import { inScope } from './where.ts';

const columns: Record<TopKey, string> = {
  reversePath: 'reverse_path',
  origin: 'origin',
  forwardPath: 'forward_path',
};

export interface TopQuestion {
  key: TopKey;
  from: number;
  to: number;
  limit: number;
}

export async function top(
  engine: Engine,
  scope: Scope,
  { key, from, to, limit }: TopQuestion,
): Promise<TopRow[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.logPageRows) {
    throw new LedgerFault('question', `a ranking has 1 to ${limits.logPageRows} rows`);
  }
  const where = inScope(scope);
  acceptedBetween(where, from, to);
  where.changing("state != 'rejected'");
  const statement = `SELECT ${columns[key]} AS name, uniqExact(mail_id) AS mails
FROM deliveries FINAL
${where.ofVersions()}
GROUP BY name
ORDER BY mails DESC, name ASC
LIMIT {limit:UInt64}`;
  const rows = await engine.ask(statement, { ...where.values, limit });
  return rows.map(([name, mails]) => ({ key: String(name), count: Number(mails) }));
}
