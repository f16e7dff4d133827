/**
 * Proves the projections against the events, tenant by tenant and hour by hour (invariant I11):
 *
 *   totals, counters         events by type, and their tags, of the hour they happened in
 *   deliveries               the last states that the events give, of the hour of acceptance; and
 *                            accepted = delivered + failed + expired + suppressed + canceled + in queue
 *   engagement               opens, clicks, complaints, unsubscriptions, of the hour of acceptance
 *   in queue                 open deliveries of the ledger and of the store
 *
 * Each comparison is one statement over one month, which reads each table once. What differs is asked again while the
 * writer holds still: a batch that comes in between the two sides of a statement is no fault. Times before a horizon are
 * left out.
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

/** Horizons of these tables bound what can be compared, by the column whose hour is looked at. */
const agedBy = {
  at: ['events', 'counters'],
  accepted_at: ['events', 'deliveries'],
} as const satisfies Record<string, readonly AgedTable[]>;

/** One statement that yields (tenant, hour, what, expected, found) where the two differ. */
interface Comparison {
  column: keyof typeof agedBy;
  statement(condition: string): string;
}

const hourOf = (column: string) => `toUnixTimestamp(toStartOfHour(toDateTime(${column}, 'UTC')))`;

/** A name and what is counted under it, as expressions. */
type Count = readonly [what: string, count: string];

interface Side {
  counted: 'expected' | 'found';
  table: string;
  /** Of the hour. */
  column: string;
  where: string;
  /** Groups that the names of counts tell apart. */
  by?: string;
  counts: readonly Count[];
}

/** All counts of one table in one pass. */
function sideOf({ counted, table, column, where, by, counts }: Side): string {
  const pairs = counts.map(([what, count]) => `(${what}, toInt64(${count}))`).join(', ');
  const [expected, found] = counted === 'expected' ? ['counts.2', '0'] : ['0', 'counts.2'];
  return `SELECT tenant_id, hour, counts.1 AS what, ${expected} AS expected, ${found} AS found
FROM (
  SELECT tenant_id, ${hourOf(column)} AS hour, arrayJoin([${pairs}]) AS counts
  FROM ${table} WHERE ${where} GROUP BY tenant_id, hour${by === undefined ? '' : `, ${by}`}
)`;
}

const differing = (
  sides: readonly Side[],
) => `SELECT tenant_id, hour, what, sum(expected) AS expected, sum(found) AS found
FROM (
${sides.map(sideOf).join('\nUNION ALL\n')}
)
GROUP BY tenant_id, hour, what
HAVING expected != found
ORDER BY hour, tenant_id, what
LIMIT ${limits.verifyDifferences}`;

const ofType = (what: string) => `concat('${what} ', type)`;

const counterComparison: Comparison = {
  column: 'at',
  statement: (condition) => {
    const ofQuarters = { column: 'quarter', where: quarters(condition), by: 'type' };
    return differing([
      {
        ...{ counted: 'expected', table: 'events', column: 'at', where: condition, by: 'type' },
        counts: [
          [ofType('totals'), 'count()'],
          [ofType('counters'), 'count()'],
          [ofType('tags of counters'), 'sum(length(tags))'],
        ],
      },
      { counted: 'found', table: 'totals', ...ofQuarters, counts: [[ofType('totals'), 'sum(count)']] },
      {
        ...{ counted: 'found', table: 'counters', ...ofQuarters },
        counts: [
          [ofType('counters'), 'sum(count)'],
          [ofType('tags of counters'), 'sum(count * length(tags))'],
        ],
      },
    ]);
  },
};

/** Conditions are on whole hours, so that they cut the quarters the same way. */
const quarters = (condition: string) =>
  condition
    .replaceAll('toUnixTimestamp64Milli(at)', 'toUnixTimestamp(quarter) * 1000')
    .replaceAll(/\bat\b/g, 'quarter');

const projectionNamed = (table: string): Projection => {
  const found = projections.find((projection) => projection.table === table);
  if (found === undefined) throw new Error(`${table} is no projection`);
  return found;
};

/** By state how many rows, and their fingerprint, so that rows which changed places do not go unseen; below 2^53. */
const byState: Pick<Side, 'column' | 'by' | 'counts'> = {
  column: 'accepted_at',
  by: 'state',
  counts: [
    ["concat('deliveries ', state)", 'count()'],
    ["'deliveries (fingerprint)'", 'sum(cityHash64(mail_id, n, version) % 1048576)'],
  ],
};

const deliveriesComparison: Comparison = {
  column: 'accepted_at',
  statement: (condition) => {
    const told = `(SELECT tenant_id, any(accepted_at) AS accepted_at, mail_id, n, argMax(toString(state), place) AS state,
  max(place) AS version
FROM (SELECT *, CAST(version, 'UInt64') AS place FROM (${feedOf(projectionNamed('deliveries'), [condition])})) GROUP BY tenant_id, mail_id, n)`;
    return differing([
      { counted: 'expected', table: told, where: 'true', ...byState },
      { counted: 'found', table: 'deliveries FINAL', where: condition, ...byState },
    ]);
  },
};

/** The identity: whatever was accepted has ended in one way, or is still open. */
const balance: Comparison = {
  column: 'accepted_at',
  statement: (condition) => {
    const what = "'accepted = delivered + failed + expired + suppressed + canceled + in queue'";
    const states =
      "state IN ('delivered', 'failed', 'expired', 'suppressed', 'canceled', 'queued', 'held', 'deferred')";
    const column = 'accepted_at';
    return differing([
      {
        ...{ counted: 'expected', table: 'events', column, where: `${condition} AND type = 'accepted'` },
        counts: [[what, 'uniqExact(mail_id, n)']],
      },
      {
        ...{ counted: 'found', table: 'deliveries FINAL', column, where: `${condition} AND ${states}` },
        counts: [[what, 'count()']],
      },
    ]);
  },
};

const engagementComparison: Comparison = {
  column: 'accepted_at',
  statement: (condition) => {
    const column = 'accepted_at';
    const types = "type IN ('opened', 'clicked', 'complained', 'unsubscribed')";
    const deliveriesWith = (what: string) => `uniqExactIf((mail_id, n), ${what})`;
    return differing([
      {
        ...{ counted: 'expected', table: 'events', column, where: `${condition} AND ${types}` },
        counts: [
          ["'engagement opens'", "countIf(type = 'opened')"],
          ["'engagement clicks'", "countIf(type = 'clicked')"],
          ["'engagement complaints'", deliveriesWith("type = 'complained'")],
          ["'engagement unsubscriptions'", deliveriesWith("type = 'unsubscribed'")],
        ],
      },
      {
        ...{ counted: 'found', table: 'engagement', column, where: condition },
        counts: [
          ["'engagement opens'", 'sum(opens)'],
          ["'engagement clicks'", 'sum(clicks)'],
          ["'engagement complaints'", deliveriesWith('complained_at IS NOT NULL')],
          ["'engagement unsubscriptions'", deliveriesWith('unsubscribed_at IS NOT NULL')],
        ],
      },
    ]);
  },
};

const comparisons = [counterComparison, deliveriesComparison, balance, engagementComparison];

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
  const { column, statement } = comparison;
  const gone = beforeHorizon(await horizonsOf(engine, agedBy[column]), column);
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
