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

const expressions: DimensionExpressions = {
  sendingDomain: 'sending_domain',
  provider: 'provider',
  sendingIp: 'earliest.sending_ip',
  tag: 'tag',
  country: 'earliest.country',
  device: 'earliest.device',
};

export async function uniquesByBucket(
  engine: Engine,
  scope: Scope,
  question: CountQuestion,
): Promise<CountCell[]> {
  const types = (Object.keys(firsts) as Countable[]).filter((type) => question.types.includes(type));
  return (await Promise.all(types.map((type) => uniquesOf(engine, scope, question, type)))).flat();
}

/**
 * Grouped here, not by FINAL: of a tuple of which only one element is read, FINAL keeps that of any version instead of
 * the smallest tuple's, and counts go wrong as soon as a delivery has rows in two parts. Only deliveries with a row in the
 * range are grouped: whoever opened before has as a rule no row there, since parts are merged.
 */
async function uniquesOf(
  engine: Engine,
  scope: Scope,
  question: CountQuestion,
  type: Countable,
): Promise<CountCell[]> {
  const where = inScope(scope);
  // Rows after `to` cannot hold the first event of the range; rows before `from` can disprove one.
  const end = question.to ?? Date.UTC(2298, 0);
  where.fixed(`${firsts[type]}.at < ${moment(where, 'end', end)}`);
  const from = moment(where, 'from', question.from ?? 0);
  const inRange = `SELECT mail_id, n FROM engagement ${where} AND ${firsts[type]}.at >= ${from}`;
  const inner = `${where} AND (mail_id, n) IN (${inRange})`; // what is bound from here on belongs to the outer statement
  const outer = [`earliest.at >= ${from}`];
  outer.push(...inDimensions(where, question, expressions));
  const bucket = bucketExpression(
    where,
    'intDiv(toUnixTimestamp64Milli(earliest.at), 900000) * 900',
    question,
  );
  const tagged = question.groupBy === 'tag' || question.where?.tag !== undefined;
  const statement = `SELECT ${bucket} AS bucket, ${groupExpression(question, expressions)} AS dimension,
  authenticated, count()
FROM (
  SELECT mail_id, n, min(${firsts[type]}) AS earliest, any(provider) AS provider,
    any(sending_domain) AS sending_domain, any(authenticated) AS authenticated, any(tags) AS tags
  FROM (SELECT * FROM engagement ${inner})
  GROUP BY mail_id, n
)
${tagged ? 'ARRAY JOIN tags AS tag' : ''}
WHERE ${outer.join('\n  AND ')}
GROUP BY bucket, dimension, authenticated`;
  return (await engine.ask(statement, where.values)).map((cells) => readCell(type, cells));
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
