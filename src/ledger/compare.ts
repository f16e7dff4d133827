/**
 * Proves the projections against the events, tenant by tenant and hour by hour (invariant I11):
 *
 *   totals, counters         events by type, and their tags, of the hour they happened in
 *   deliveries               the last states that the events give, of the hour of acceptance; and
 *                            accepted = delivered + failed + expired + suppressed + canceled + in queue
 *   engagement               opens, clicks, complaints, unsubscriptions, of the hour of acceptance
 *   in queue                 open deliveries of the ledger and of the store
 *
 * Each comparison is one statement over one month. What differs is asked again while the writer holds still: a
 * batch that comes in between the two sides of a statement is no fault. Times before a horizon are left out.
 */
import { limits } from '../base/limits.ts';
import type { BoundValues, Engine } from './engine.ts';
import { type AgedTable, beforeHorizon, horizonsOf } from './horizons.ts';
import { feedOf, type Projection, projections } from './projections.ts';
import type { Hold } from './rebuild.ts';

/** The sum over an hour that is not what the events say. */
export interface Difference {
  tenantId: number;
  /** Start of the hour (UTC): of the event for counters, else of the acceptance. */
  hour: number;
  /** `counters delivered`, `deliveries failed`, `in queue`, … */
  what: string;
  expected: number;
  found: number;
}

/** Open deliveries of this node by tenant and hour of acceptance. */
export interface QueueCounts {
  open: { tenantId: number; hour: number; count: number }[];
  /** Deliveries of which an event still waits in the outbox: they are left out on both sides. */
  waiting: { mailIds: number[]; numbers: number[] };
}

export interface CompareOptions {
  hold: Hold;
  /** Number of this node in the mail ids of its own store, and what its queue holds; null: not compared. */
  queue: { node: number; counts: () => QueueCounts | null } | null;
  onProgress?: (done: number, total: number) => void;
}

export interface Compared {
  events: number;
  /** Hours of tenants that were compared. */
  hours: number;
  /** By hour, tenant and name; at most `limits.verifyDifferences`. */
  differences: Difference[];
  /** Why the queue was not compared; null if it was. */
  queueLeftOut: string | null;
}

/** One statement that yields (tenant, hour, what, expected, found) where the two differ. */
interface Comparison {
  column: 'at' | 'accepted_at';
  statement(condition: string): string;
  /** Horizons of these tables bound what can be compared. */
  tables: readonly AgedTable[];
}

const hourOf = (column: string) => `toUnixTimestamp(toStartOfHour(toDateTime(${column}, 'UTC')))`;

const differing = (
  sides: readonly string[],
) => `SELECT tenant_id, hour, what, sum(expected) AS expected, sum(found) AS found
FROM (
${sides.join('\nUNION ALL\n')}
)
GROUP BY tenant_id, hour, what
HAVING expected != found
ORDER BY hour, tenant_id, what
LIMIT ${limits.verifyDifferences}`;

const side =
  (table: string, what: string, [expected, found]: readonly [string, string], column: string) =>
  (where: string) =>
    `SELECT tenant_id, ${hourOf(column)} AS hour, ${what} AS what, toInt64(${expected}) AS expected, toInt64(${found}) AS found
FROM ${table} WHERE ${where} GROUP BY tenant_id, hour, what`;

/** The same number asked of events and of a table that counts them. */
const counted = (
  table: string,
  what: string,
  [ofEvents, ofTable]: readonly [string, string],
): Comparison => ({
  column: 'at',
  tables: ['events', 'counters'],
  statement: (condition) =>
    differing([
      side('events', `concat('${what} ', type)`, [ofEvents, '0'], 'at')(condition),
      side(table, `concat('${what} ', type)`, ['0', ofTable], 'quarter')(ofQuarters(condition)),
    ]),
});

const counterComparisons: readonly Comparison[] = [
  counted('totals', 'totals', ['count()', 'sum(count)']),
  counted('counters', 'counters', ['count()', 'sum(count)']),
  counted('counters', 'tags of counters', ['sum(length(tags))', 'sum(count * length(tags))']),
];

/** Conditions are on whole hours, so that they cut the quarters the same way. */
const ofQuarters = (condition: string) =>
  condition
    .replaceAll('toUnixTimestamp64Milli(at)', 'toUnixTimestamp(quarter) * 1000')
    .replaceAll(/\bat\b/g, 'quarter');

const projectionNamed = (table: string): Projection => {
  const found = projections.find((projection) => projection.table === table);
  if (found === undefined) throw new Error(`${table} is no projection`);
  return found;
};

/** Counts of numbered things, so that rows which changed places do not go unseen; below 2^53. */
const fingerprint = 'sum(cityHash64(mail_id, n, version) % 1048576)';

const deliveriesComparison: Comparison = {
  column: 'accepted_at',
  tables: ['events', 'deliveries'],
  statement: (condition) => {
    const expected = `(SELECT tenant_id, any(accepted_at) AS accepted_at, mail_id, n, argMax(toString(state), place) AS state,
  max(place) AS version
FROM (SELECT *, CAST(version, 'UInt64') AS place FROM (${feedOf(projectionNamed('deliveries'), [condition])})) GROUP BY tenant_id, mail_id, n)`;
    const word = "concat('deliveries ', state)";
    return differing([
      side(expected, word, ['count()', '0'], 'accepted_at')('true'),
      side('deliveries FINAL', word, ['0', 'count()'], 'accepted_at')(condition),
      side(expected, "'deliveries (fingerprint)'", [fingerprint, '0'], 'accepted_at')('true'),
      side('deliveries FINAL', "'deliveries (fingerprint)'", ['0', fingerprint], 'accepted_at')(condition),
    ]);
  },
};

/** The identity: whatever was accepted has ended in one way, or is still open. */
const balance: Comparison = {
  column: 'accepted_at',
  tables: ['events', 'deliveries'],
  statement: (condition) => {
    const what = "'accepted = delivered + failed + expired + suppressed + canceled + in queue'";
    return differing([
      side(
        'events',
        what,
        ['uniqExact(mail_id, n)', '0'],
        'accepted_at',
      )(`${condition} AND type = 'accepted'`),
      side(
        'deliveries FINAL',
        what,
        ['0', 'count()'],
        'accepted_at',
      )(
        `${condition} AND state IN ('delivered', 'failed', 'expired', 'suppressed', 'canceled', 'queued', 'held', 'deferred')`,
      ),
    ]);
  },
};

const engagements = [
  ['opens', "countIf(type = 'opened')", 'sum(opens)'],
  ['clicks', "countIf(type = 'clicked')", 'sum(clicks)'],
  [
    'complaints',
    "uniqExactIf((mail_id, n), type = 'complained')",
    'uniqExactIf((mail_id, n), complained_at IS NOT NULL)',
  ],
  [
    'unsubscriptions',
    "uniqExactIf((mail_id, n), type = 'unsubscribed')",
    'uniqExactIf((mail_id, n), unsubscribed_at IS NOT NULL)',
  ],
] as const;

const engagementComparison: Comparison = {
  column: 'accepted_at',
  tables: ['events', 'deliveries'],
  statement: (condition) =>
    differing(
      engagements.flatMap(([name, ofEvents, ofRows]) => [
        side('events', `'engagement ${name}'`, [ofEvents, '0'], 'accepted_at')(condition),
        side('engagement', `'engagement ${name}'`, ['0', ofRows], 'accepted_at')(condition),
      ]),
    ),
};

const comparisons = [...counterComparisons, deliveriesComparison, balance, engagementComparison];

export async function compareProjections(engine: Engine, options: CompareOptions): Promise<Compared> {
  const { hold, queue, onProgress = () => {} } = options;
  const [events, hours] = await sizeOf(engine);
  const months = await monthsOf(engine);
  const steps = months.length * comparisons.length + 1;
  const differences: Difference[] = [];
  let done = 0;
  for (const month of months) {
    for (const comparison of comparisons) {
      const once = await compare(engine, comparison, month);
      if (once.length > 0) differences.push(...(await hold(() => compare(engine, comparison, month))));
      done += 1;
      onProgress(done, steps);
    }
    if (differences.length >= limits.verifyDifferences) break;
  }
  const ofQueue = queue === null ? null : await hold(() => compareQueue(engine, queue.node, queue.counts));
  onProgress(steps, steps);
  differences.push(...(ofQueue?.differences ?? []));
  return {
    ...{ events, hours, queueLeftOut: ofQueue === null ? 'no store is at hand' : ofQueue.leftOut },
    differences: differences.sort(inOrder).slice(0, limits.verifyDifferences),
  };
}

function inOrder(a: Difference, b: Difference): number {
  return a.hour - b.hour || a.tenantId - b.tenantId || (a.what < b.what ? -1 : 1);
}

async function sizeOf(engine: Engine): Promise<[events: number, hours: number]> {
  const [row] = await engine.ask(
    'SELECT sum(count), count() FROM (SELECT count() AS count FROM events GROUP BY tenant_id, toStartOfHour(at))',
    {},
    { patient: true },
  );
  return [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)];
}

/** Of events and of projections alike: a row that stands in a month without events is a difference as well. */
async function monthsOf(engine: Engine): Promise<number[]> {
  const rows = await engine.ask(
    `SELECT DISTINCT month FROM (
  SELECT DISTINCT toYYYYMM(at) AS month FROM events
  UNION ALL SELECT DISTINCT toYYYYMM(accepted_at) FROM events
  UNION ALL SELECT DISTINCT toYYYYMM(accepted_at) FROM deliveries
  UNION ALL SELECT DISTINCT toYYYYMM(accepted_at) FROM engagement
  UNION ALL SELECT DISTINCT toYYYYMM(quarter) FROM counters
  UNION ALL SELECT DISTINCT toYYYYMM(quarter) FROM totals
) ORDER BY month`,
    {},
    { patient: true },
  );
  return rows.map(([month]) => Number(month));
}

async function compare(engine: Engine, comparison: Comparison, month: number): Promise<Difference[]> {
  const { column, tables, statement } = comparison;
  const gone = beforeHorizon(await horizonsOf(engine, tables), column);
  const conditions = [`toYYYYMM(${column}) = {month:UInt32}`, ...(gone ? [`NOT (${gone.condition})`] : [])];
  const values: BoundValues = { month, ...gone?.values };
  const rows = await engine.ask(statement(conditions.join(' AND ')), values, { patient: true });
  return rows.map(([tenantId, hour, what, expected, found]) => ({
    tenantId: Number(tenantId),
    hour: Number(hour) * 1000,
    what: String(what),
    expected: Number(expected),
    found: Number(found),
  }));
}

/** Both sides as they are now: called while the writer holds still. */
async function compareQueue(
  engine: Engine,
  node: number,
  counts: () => QueueCounts | null,
): Promise<{ differences: Difference[]; leftOut: string | null }> {
  const ofStore = counts();
  if (ofStore === null) return { differences: [], leftOut: 'too many events wait in the outbox' };
  const { mailIds, numbers } = ofStore.waiting;
  const except =
    mailIds.length === 0
      ? ''
      : 'AND (mail_id, n) NOT IN arrayZip({mailIds:Array(UInt64)}, {numbers:Array(UInt32)})';
  const rows = await engine.ask(
    `SELECT tenant_id, ${hourOf('accepted_at')} AS hour, count()
FROM deliveries FINAL
WHERE state IN ('queued', 'held', 'deferred') AND bitAnd(bitShiftRight(mail_id, 7), 31) = {node:UInt8} ${except}
GROUP BY tenant_id, hour`,
    mailIds.length === 0 ? { node } : { node, mailIds, numbers },
    { patient: true },
  );
  const found = new Map(
    rows.map(([tenantId, hour, count]) => [`${tenantId} ${Number(hour) * 1000}`, Number(count)]),
  );
  const expected = new Map(ofStore.open.map(({ tenantId, hour, count }) => [`${tenantId} ${hour}`, count]));
  const keys = [...new Set([...expected.keys(), ...found.keys()])];
  const differences = keys.flatMap((key) => {
    const [tenantId = 0, hour = 0] = key.split(' ').map(Number);
    const pair = { expected: expected.get(key) ?? 0, found: found.get(key) ?? 0 };
    return pair.expected === pair.found ? [] : [{ tenantId, hour, what: 'in queue', ...pair }];
  });
  return { differences, leftOut: null };
}
