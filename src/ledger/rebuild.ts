/**
 * Makes the projections anew from the events (invariant I11): after a change of a projection, or when one was
 * damaged. Mail flows on, answers are given, and events are appended meanwhile:
 *
 *   1  new tables are filled beside the old ones from the events up to a cut, month by month
 *   2  what came in since is added, again and again, until little is left
 *   3  while the writer holds still, the rest is added and the tables change places
 *
 * A crash leaves the old tables in place, or after the exchange the new ones: both hold everything. What
 * retention removed from `events` cannot be told again; rows of that age are carried over as they are.
 */
import { limits } from '../base/limits.ts';
import type { BoundValues, Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';
import { beforeHorizon, type Horizons, horizonsOf } from './horizons.ts';
import { feedOf, type Projection, projections } from './projections.ts';

/** Runs `work` while no batch is half appended and none is begun. */
export type Hold = <T>(work: () => Promise<T>) => Promise<T>;

export interface RebuildOptions {
  hold: Hold;
  onProgress?: (done: number, total: number) => void;
}

export interface Rebuilt {
  events: number;
  tables: string[];
}

/**
 * Deduplication would take a second rebuild for a repetition of the first one. Blocks are small and there is
 * one thread, so that a rebuild fits into the memory of a small machine.
 */
const settings = `insert_deduplicate = 0, max_partitions_per_insert_block = 0, max_threads = 1,
  max_block_size = 8192, max_insert_block_size = 65536, min_insert_block_size_rows = 65536,
  min_insert_block_size_bytes = 0`;

const rebuilt = (table: string) => `${table}_rebuilt`;

export async function rebuildProjections(engine: Engine, options: RebuildOptions): Promise<Rebuilt> {
  const { hold, onProgress = () => {} } = options;
  const horizons = await horizonsOf(engine, ['events']);
  await dropRebuilt(engine);
  let cut = await hold(() => cutNow(engine));
  for (const { table } of projections) await engine.command(`CREATE TABLE ${rebuilt(table)} AS ${table}`);
  await fillUpTo(engine, cut, horizons, onProgress);
  for (let round = 0; round < limits.rebuildRounds; round += 1) {
    const next = await hold(() => cutNow(engine));
    if (next.events - cut.events < limits.rebuildRestEvents) break;
    await fillBetween(engine, cut, next, horizons);
    cut = next;
  }
  const events = await hold(async () => {
    const last = await cutNow(engine);
    await fillBetween(engine, cut, last, horizons);
    for (const { table } of projections)
      await engine.command(`EXCHANGE TABLES ${table} AND ${rebuilt(table)}`);
    await refuseOthers(engine, last);
    return last.events;
  });
  await dropRebuilt(engine);
  return { events, tables: projections.map(({ table }) => table) };
}

/** Also what a crash left behind. */
async function dropRebuilt(engine: Engine): Promise<void> {
  for (const { table } of projections) await engine.command(`DROP TABLE IF EXISTS ${rebuilt(table)} SYNC`);
}

/** Of each node the newest sequence: batches come in whole and in order, so it tells which events are there. */
interface Cut {
  nodes: string[];
  sequences: number[];
  events: number;
}

async function cutNow(engine: Engine): Promise<Cut> {
  const rows = await engine.ask(
    'SELECT outbox_node, max(sequence), count() FROM events GROUP BY outbox_node ORDER BY outbox_node',
    {},
    { patient: true },
  );
  return {
    nodes: rows.map(([node]) => String(node)),
    sequences: rows.map(([, sequence]) => Number(sequence)),
    events: rows.reduce((sum, [, , count]) => sum + Number(count), 0),
  };
}

/** The hold keeps this node still; of others we can only see that they were not. */
async function refuseOthers(engine: Engine, expected: Cut): Promise<void> {
  const found = await cutNow(engine);
  if (found.events === expected.events) return;
  throw new LedgerFault(
    'inconsistent',
    'another node appended events while the tables changed places; stop its office and rebuild again',
  );
}

async function fillUpTo(
  engine: Engine,
  cut: Cut,
  horizons: Horizons,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  if (cut.nodes.length === 0) return;
  const months = await engine.ask(
    'SELECT toYYYYMM(at) AS month, count() FROM events GROUP BY month ORDER BY month',
    {},
    { patient: true },
  );
  const total = cut.events * projections.length;
  let done = 0;
  for (const projection of projections) {
    await carryOver(engine, projection, horizons);
    for (const [month, count] of months) {
      const slice = { condition: 'toYYYYMM(at) = {month:UInt32}', values: { month: Number(month) } };
      await fill(engine, projection, horizons, [slice, upTo(cut)]);
      done += Number(count);
      onProgress(Math.min(done, total), total);
    }
  }
}

async function fillBetween(engine: Engine, from: Cut, to: Cut, horizons: Horizons): Promise<void> {
  if (to.events === from.events) return;
  for (const projection of projections) await fill(engine, projection, horizons, [after(from), upTo(to)]);
}

interface Condition {
  condition: string;
  values: BoundValues;
}

function upTo({ nodes, sequences }: Cut): Condition {
  return {
    condition:
      'sequence <= transform(toString(outbox_node), {toNodes:Array(String)}, {toSequences:Array(UInt64)}, toUInt64(0))',
    values: { toNodes: nodes, toSequences: sequences },
  };
}

function after({ nodes, sequences }: Cut): Condition {
  if (nodes.length === 0) return { condition: 'true', values: {} };
  return {
    condition:
      'sequence > transform(toString(outbox_node), {fromNodes:Array(String)}, {fromSequences:Array(UInt64)}, toUInt64(0))',
    values: { fromNodes: nodes, fromSequences: sequences },
  };
}

/** Month by month, so that no step needs more memory than a month's worth of groups. */
async function fill(
  engine: Engine,
  projection: Projection,
  horizons: Horizons,
  slices: readonly Condition[],
): Promise<void> {
  const gone = beforeHorizon(horizons, projection.agedEvents);
  const conditions = [
    ...slices.map(({ condition }) => condition),
    ...(gone ? [`NOT (${gone.condition})`] : []),
  ];
  const values = Object.assign({}, gone?.values, ...slices.map((slice) => slice.values)) as BoundValues;
  const feed = feedOf(projection, conditions);
  await engine.command(`INSERT INTO ${rebuilt(projection.table)} ${feed} SETTINGS ${settings}`, values);
}

/** Rows of the time whose events are gone. */
async function carryOver(engine: Engine, { table, aged }: Projection, horizons: Horizons): Promise<void> {
  const gone = beforeHorizon(horizons, aged);
  if (gone === null) return;
  await engine.command(
    `INSERT INTO ${rebuilt(table)} SELECT * FROM ${table} WHERE ${gone.condition} SETTINGS ${settings}`,
    gone.values,
  );
}
