/**
 * Rows changed or removed where they stand, partition by partition: a mutation of a whole table goes through every part
 * of it, also of months in which it finds nothing.
 */
import type { BoundValues, Cell, Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';

/** Rows of a table. */
export interface Which {
  condition: string;
  values: BoundValues;
}

export interface Partition {
  id: string;
  rows: number;
  /** Rows that the condition holds for; at least one. */
  meant: number;
}

export async function partitionsWith(
  engine: Engine,
  table: string,
  { condition, values }: Which,
): Promise<Partition[]> {
  const rows = await engine.ask(
    `SELECT _partition_id, count() AS rows, countIf(${condition}) AS meant FROM ${table}
GROUP BY _partition_id HAVING meant > 0 ORDER BY _partition_id`,
    values,
    { patient: true },
  );
  return rows.map(([id, all, meant]) => ({ id: partitionId(id), rows: Number(all), meant: Number(meant) }));
}

export async function countRows(
  engine: Engine,
  table: string,
  { condition, values }: Which,
): Promise<number> {
  const [row] = await engine.ask(`SELECT count() FROM ${table} WHERE ${condition}`, values, {
    patient: true,
  });
  return Number(row?.[0] ?? 0);
}

/** `assignments` null: the rows are removed. Lists within the condition may be of other tables. */
export async function changeRows(
  engine: Engine,
  { table, partition }: { table: string; partition: Partition },
  which: Which,
  assignments: readonly string[] | null,
): Promise<void> {
  const change = assignments === null ? 'DELETE' : `UPDATE ${assignments.join(',\n  ')}`;
  await engine.command(
    `ALTER TABLE ${table} ${change} IN PARTITION ID '${partition.id}' WHERE ${which.condition}
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1`,
    which.values,
  );
}

/** The engine makes these of dates; it stands in the statement's text, so it is looked at. */
function partitionId(id: Cell | undefined): string {
  if (typeof id === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(id)) return id;
  throw new LedgerFault('inconsistent', `the ledger has a partition named ${String(id)}`);
}
