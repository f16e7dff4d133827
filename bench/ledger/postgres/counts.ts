/** Counts by bucket: whole hours from `totals` or `counters`, the ends of the range from the events. */
import type { EventType } from '../../../src/events/event.ts';
import type { Reason } from '../../../src/events/reason.ts';
import type { CountDimension, CountQuestion, CountRow, Scope } from '../../../src/ledger/question.ts';
import type { Sql } from './server.ts';
import { Where } from './where.ts';

const quarterMs = 900_000;
const hourMs = 3_600_000;

const columns: Record<CountDimension, string> = {
  ...{ sendingDomain: 'sending_domain', provider: 'provider', sendingIp: 'sending_ip', tag: 'tag' },
  ...{ country: 'country', device: 'device' },
};

interface Range {
  from: number;
  to: number;
}

export async function countByBucket(sql: Sql, scope: Scope, question: CountQuestion): Promise<CountRow[]> {
  const range = wholeQuarters(question);
  const rows = new Map<string, CountRow>();
  for (const row of await counted(sql, scope, question, range)) rows.set(nameOf(row), row);
  for (const type of ['opened', 'clicked'] as const) {
    if (!question.types.includes(type)) continue;
    for (const row of await uniques(sql, scope, question, { ...range, type })) {
      const known = rows.get(nameOf(row));
      if (known) known.unique = row.unique;
      else rows.set(nameOf(row), row);
    }
  }
  return [...rows.values()];
}

function wholeQuarters({ from, to }: CountQuestion): Range {
  if (from === undefined || to === undefined) throw new Error('every question here has a range');
  return { from: Math.floor(from / quarterMs) * quarterMs, to: Math.ceil(to / quarterMs) * quarterMs };
}

const nameOf = ({ bucketAt, group, type, reason, authenticated, first }: CountRow) =>
  JSON.stringify([bucketAt, group, type, reason, authenticated, first]);

/** The start of a bucket, in a zone whose hours begin with those of UTC. */
function bucketOf(where: Where, { unit, zone }: CountQuestion, at: string): string {
  if (unit === 'all') return 'NULL::timestamptz';
  return `date_trunc('${unit}', ${at}, ${where.bind(unit === 'hour' ? 'UTC' : zone)})`;
}

const groupOf = ({ groupBy }: CountQuestion) => (groupBy === undefined ? "''" : columns[groupBy]);

function given(where: Where, question: CountQuestion): string[] {
  const pairs = Object.entries(question.where ?? {}) as [CountDimension, string][];
  return pairs.map(([dimension, value]) => `${columns[dimension]} = ${where.bind(value)}`);
}

const tagged = ({ groupBy, where }: CountQuestion) => groupBy === 'tag' || where?.tag !== undefined;

async function counted(sql: Sql, scope: Scope, question: CountQuestion, range: Range): Promise<CountRow[]> {
  const where = new Where(scope);
  where.and(`type = ANY (${where.bind(question.types)})`);
  const first = Math.ceil(range.from / hourMs) * hourMs;
  const end = Math.max(first, Math.floor(range.to / hourMs) * hourMs);
  const [from, to, firstHour, endHour] = [range.from, range.to, first, end].map((ms) => where.bindTime(ms));
  const asked = [question.groupBy, ...Object.keys(question.where ?? {})];
  const inTotals = asked.every((one) => one === undefined || one === 'sendingDomain');
  const facts = `type, hour, sending_domain, reason, authenticated, first, count${
    inTotals ? '' : ', provider, sending_ip, country, device, tags'
  }`;
  const conditions = given(where, question);
  const statement = `SELECT ${bucketOf(where, question, 'hour')} AS bucket, ${groupOf(question)} AS dimension,
  type, reason, authenticated, first, sum(count)
FROM (
  SELECT ${facts} FROM ${inTotals ? 'totals' : 'counters'} ${where} AND hour >= ${firstHour} AND hour < ${endHour}
  UNION ALL
  SELECT ${facts} FROM event_counters ${where} AND at >= ${from} AND at < least(${firstHour}, ${to})
  UNION ALL
  SELECT ${facts} FROM event_counters ${where} AND at >= greatest(${endHour}, ${from}) AND at < ${to}
) AS counts ${tagged(question) ? 'CROSS JOIN unnest(tags) AS tag' : ''}
${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
GROUP BY 1, 2, 3, 4, 5, 6`;
  const rows = await sql.unsafe(statement, where.values, { prepare: true }).values();
  return rows.map(([bucket, group, type, reason, authenticated, isFirst, count]) => ({
    bucketAt: bucket ?? question.from ?? 0,
    ...{
      group: String(group),
      type: type as EventType,
      reason: ((reason as string) || null) as Reason | null,
    },
    ...{ authenticated, first: isFirst, count: Number(count), unique: 0 },
  }));
}

async function uniques(
  sql: Sql,
  scope: Scope,
  question: CountQuestion,
  { from, to, type }: Range & { type: 'opened' | 'clicked' },
): Promise<CountRow[]> {
  const where = new Where(scope);
  where.and(`${type}_at >= ${where.bindTime(from)} AND ${type}_at < ${where.bindTime(to)}`);
  const statement = `SELECT ${bucketOf(where, question, 'at')} AS bucket, ${groupOf(question)} AS dimension,
  authenticated, count(*)
FROM (
  SELECT ${type}_at AS at, ${type}_country AS country, ${type}_device AS device, ${type}_sending_ip AS sending_ip,
    sending_domain, provider, authenticated, tags FROM engagement ${where}
) AS firsts ${tagged(question) ? 'CROSS JOIN unnest(tags) AS tag' : ''}
WHERE ${['true', ...given(where, question)].join(' AND ')} GROUP BY 1, 2, 3`;
  const rows = await sql.unsafe(statement, where.values, { prepare: true }).values();
  return rows.map(([bucket, group, authenticated, unique]) => ({
    bucketAt: bucket ?? question.from ?? 0,
    ...{ group: String(group), type, reason: null, authenticated, first: false, count: 0 },
    unique: Number(unique),
  }));
}
