/**
 * Recipients by the bucket of their first open and first click. They belong where the first one happened:
 * to its time, country, device and sending IP.
 */
import type { Cell, Engine } from '../engine.ts';
import type { CountQuestion, Scope } from '../question.ts';
import {
  bucketExpression,
  type CountCell,
  type DimensionExpressions,
  groupExpression,
  inDimensions,
} from './buckets.ts';
import { moment } from './delivery-filter.ts';
import { inScope } from './where.ts';

const firsts = { opened: 'first_opened', clicked: 'first_clicked' } as const;
type Countable = keyof typeof firsts;

export async function uniquesByBucket(
  engine: Engine,
  scope: Scope,
  question: CountQuestion,
): Promise<CountCell[]> {
  const types = (Object.keys(firsts) as Countable[]).filter((type) => question.types.includes(type));
  const cells: CountCell[] = [];
  for (const type of types) cells.push(...(await uniquesOf(engine, scope, question, type)));
  return cells;
}

/** FINAL brings the parts of a delivery's row together, so that its first event is the first of all. */
async function uniquesOf(
  engine: Engine,
  scope: Scope,
  question: CountQuestion,
  type: Countable,
): Promise<CountCell[]> {
  const first = firsts[type];
  const expressions = expressionsOf(first);
  const where = inScope(scope);
  where.changing(`${first}.at >= ${moment(where, 'from', question.from ?? 0)}`);
  where.changing(`${first}.at < ${moment(where, 'to', question.to ?? never)}`);
  for (const condition of inDimensions(where, question, expressions)) where.changing(condition);
  const second = `intDiv(toUnixTimestamp64Milli(${first}.at), 900000) * 900`;
  const bucket = bucketExpression(where, second, question);
  const tagged = question.groupBy === 'tag' || question.where?.tag !== undefined;
  const statement = `SELECT ${bucket} AS bucket, ${groupExpression(question, expressions)} AS dimension,
  authenticated, count()
FROM engagement FINAL ${tagged ? 'ARRAY JOIN tags AS tag' : ''}
${where.ofVersions()}
GROUP BY bucket, dimension, authenticated`;
  return (await engine.ask(statement, where.values)).map((cells) => readCell(type, cells));
}

/** The engine writes "never" as 2299-12-31 (schema/0003). */
const never = Date.UTC(2298, 0);

function expressionsOf(first: string): DimensionExpressions {
  return {
    sendingDomain: 'sending_domain',
    provider: 'provider',
    sendingIp: `${first}.sending_ip`,
    tag: 'tag',
    country: `${first}.country`,
    device: `${first}.device`,
  };
}

function readCell(type: Countable, [bucketKey, group, authenticated, unique]: Cell[]): CountCell {
  return {
    bucketKey: Number(bucketKey),
    group: String(group),
    type,
    reason: null,
    authenticated: authenticated === true,
    first: false,
    count: 0,
    unique: Number(unique),
  };
}
