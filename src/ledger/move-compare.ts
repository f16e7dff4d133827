/** Whether a move has brought everything, and nothing else was there under the same names. */
import {
  added,
  type Digest,
  type DigestedTable,
  digestOf,
  nothing,
  partitionsOf,
  same,
  tableNamed,
} from './digests.ts';
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';
import { projections } from './projections.ts';

export interface ComparedTable {
  table: string;
  rows: number;
  /** 16 hexadecimal digits. */
  digest: string;
}

/** The events of one node in one month. */
export interface Stretch {
  node: string;
  month: number;
  last: number;
  events: number;
}

export const ofStretch = 'outbox_node = {node:String} AND toYYYYMM(at) = {month:UInt32}';

/** How far an earlier move came: all batches up to `doneTo`, and up to `reached` if the last one arrived. */
export interface Reached extends Stretch {
  reached: number;
  doneTo: number;
}

/** Events of the stretch on the other side that no move has brought. */
export async function holdsOthers(
  from: Engine,
  to: Engine,
  { node, month, last, reached, doneTo }: Reached,
): Promise<boolean> {
  const events = await tableNamed(from, 'events');
  const upTo = (engine: Engine, end: number) =>
    digestOf(engine, events, `${ofStretch} AND sequence <= {end:UInt64}`, { node, month, end });
  const there = await upTo(to, last);
  if (there.rows === 0) return false;
  if (same(there, await upTo(from, reached))) return false;
  return !same(there, await upTo(from, doneTo));
}

export async function compareLedgers(
  from: Engine,
  to: Engine,
  stretches: readonly Stretch[],
): Promise<ComparedTable[]> {
  const events = await compareEvents(from, to, stretches);
  const compared = [shown('events', events)];
  const [row] = await to.ask('SELECT count() FROM events');
  if (Number(row?.[0]) !== events.rows) return compared; // what several relays filled has projections of its own
  for (const { table } of projections) compared.push(shown(table, await compareTable(from, to, table)));
  return compared;
}

async function compareEvents(from: Engine, to: Engine, stretches: readonly Stretch[]): Promise<Digest> {
  const events = await tableNamed(from, 'events');
  let sum = nothing;
  for (const { node, month, last } of stretches) {
    const where = `${ofStretch} AND sequence <= {last:UInt64}`;
    sum = added(sum, await compareRows(from, to, events, { where, values: { node, month, last } }));
  }
  return sum;
}

async function compareTable(from: Engine, to: Engine, name: string): Promise<Digest> {
  const table = await tableNamed(from, name);
  const partitions = new Set([...(await partitionsOf(from, name)), ...(await partitionsOf(to, name))]);
  let sum = nothing;
  for (const partition of partitions) {
    const part = { where: '_partition_id = {partition:String}', values: { partition } };
    sum = added(sum, await compareRows(from, to, table, part));
  }
  return sum;
}

interface Rows {
  where: string;
  values: Readonly<Record<string, string | number>>;
}

async function compareRows(
  from: Engine,
  to: Engine,
  table: DigestedTable,
  { where, values }: Rows,
): Promise<Digest> {
  const [here, there] = await Promise.all([from, to].map((engine) => digestOf(engine, table, where, values)));
  if (here !== undefined && there !== undefined && same(here, there)) return here;
  throw differing(table.name, there?.rows ?? 0, here?.rows ?? 0);
}

function differing(table: string, there: number, here: number): LedgerFault {
  return new LedgerFault(
    'inconsistent',
    `${table} on the server differs from what was moved: ${there} rows there, ${here} expected. This ledger is as it was; ` +
      'drop the database on the server, or name another one (--database), and move again',
  );
}

function shown(table: string, { rows, digest }: Digest): ComparedTable {
  return { table, rows, digest: digest.toString(16).padStart(16, '0') };
}
