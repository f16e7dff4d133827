/** "How many, when?": counts by hour, day or month of any zone, by one dimension, from the counters. */
import type { EventType } from '../../events/event.ts';
import type { Reason } from '../../events/reason.ts';
import type { Cell, Engine } from '../engine.ts';
import type { CountQuestion, CountRow, Scope } from '../question.ts';
import {
  bucketExpression,
  type CountCell,
  type DimensionExpressions,
  groupExpression,
  inDimensions,
} from './buckets.ts';
import { uniquesByBucket } from './uniques-by-bucket.ts';
import { inScope } from './where.ts';
import { bucketStart, checkZone } from './zone.ts';

const quarterMs = 900_000;

const expressions: DimensionExpressions = {
  sendingDomain: 'sending_domain',
  provider: 'provider',
  sendingIp: 'sending_ip',
  tag: 'tag',
  country: 'country',
  device: 'device',
};

export async function countByBucket(engine: Engine, scope: Scope, asked: CountQuestion): Promise<CountRow[]> {
  checkZone(asked.zone);
  const question = wholeQuarters(asked);
  const [counts, uniques] = await Promise.all([
    counted(engine, scope, question),
    uniquesByBucket(engine, scope, question),
  ]);
  const cells = uniques.length === 0 ? counts : together(counts, uniques);
  return cells.map(({ bucketKey, ...cell }) => ({
    bucketAt: bucketStart(asked.unit, bucketKey, asked.zone, asked.from),
    ...cell,
  }));
}

function together(counts: readonly CountCell[], uniques: readonly CountCell[]): CountCell[] {
  const cells = new Map(counts.map((cell) => [nameOf(cell), cell]));
  for (const unique of uniques) {
    const cell = cells.get(nameOf(unique));
    if (cell) cell.unique = unique.unique;
    else cells.set(nameOf(unique), unique);
  }
  return [...cells.values()];
}

/** `from` back to its quarter, `to` on to the end of its own: what just happened is never cut off. */
function wholeQuarters(question: CountQuestion): CountQuestion {
  const { from, to, ...rest } = question;
  const last = 2 ** 32 * 1000; // counters keep their time in 32 bits of seconds
  const within = (at: number) => Math.min(last, Math.max(0, at * quarterMs));
  return {
    ...rest,
    ...(from === undefined ? {} : { from: within(Math.floor(from / quarterMs)) }),
    ...(to === undefined ? {} : { to: within(Math.ceil(to / quarterMs)) }),
  };
}

function nameOf({ bucketKey, group, type, reason, authenticated, first }: CountCell): string {
  return JSON.stringify([bucketKey, group, type, reason, authenticated, first]);
}

async function counted(engine: Engine, scope: Scope, question: CountQuestion): Promise<CountCell[]> {
  if (question.types.length === 0) return [];
  const where = inScope(scope);
  where.fixed(`type IN ${where.bind('types', 'Array(String)', [...question.types])}`);
  const { from, to } = question;
  if (from !== undefined) where.fixed(`toInt64(quarter) >= ${where.bind('from', 'Int64', from / 1000)}`);
  if (to !== undefined) where.fixed(`toInt64(quarter) < ${where.bind('to', 'Int64', to / 1000)}`);
  for (const condition of inDimensions(where, question, expressions)) where.fixed(condition);
  const asked = [question.groupBy, ...Object.keys(question.where ?? {})];
  const bucket = bucketExpression(where, 'toUnixTimestamp(quarter)', question);
  const statement = `SELECT ${bucket} AS bucket, ${groupExpression(question, expressions)} AS dimension,
  type, reason, authenticated, first, sum(count) AS happened
FROM ${sourceOf(asked)}
${where}
GROUP BY bucket, dimension, type, reason, authenticated, first
HAVING happened > 0
ORDER BY bucket, dimension, type, reason, authenticated, first`;
  return (await engine.ask(statement, where.values)).map(readCell);
}

/** The smallest table that knows all dimensions of a question. */
function sourceOf(dimensions: readonly (string | undefined)[]): string {
  if (dimensions.includes('tag')) return 'counters ARRAY JOIN tags AS tag';
  const inTotals = dimensions.every((one) => one === undefined || one === 'sendingDomain');
  return inTotals ? 'totals' : 'counters';
}

function readCell([bucketKey, group, type, reason, authenticated, first, count]: Cell[]): CountCell {
  return {
    bucketKey: Number(bucketKey),
    group: String(group),
    type: type as EventType,
    reason: (reason as Reason | '') || null,
    authenticated: authenticated === true,
    first: first === true,
    count: Number(count),
    unique: 0,
  };
}
