/** What two ledgers have in their tables, as counts and digests over every column of every row, in whatever order. */
import type { BoundValues, Engine } from './engine.ts';

export interface Digest {
  rows: number;
  /** Sum of the rows' hashes modulo 2^64. */
  digest: bigint;
}

export interface DigestedTable {
  name: string;
  /** Sorted by name, so that the order in which they were added says nothing. */
  columns: readonly string[];
}

/** `values`: of the placeholders in `where`. */
export async function digestOf(
  engine: Engine,
  { name, columns }: DigestedTable,
  where: string,
  values: BoundValues,
): Promise<Digest> {
  const final = name === 'events' ? '' : 'FINAL';
  const row = `formatRowNoNewline('TabSeparated', ${columns.join(', ')})`;
  const [[rows, digest] = []] = await engine.ask(
    `SELECT count(), toString(sum(cityHash64(${row}))) FROM ${name} ${final} WHERE ${where}`,
    values,
    { patient: true },
  );
  return { rows: Number(rows ?? 0), digest: BigInt(String(digest ?? 0)) };
}

export async function tableNamed(engine: Engine, name: string): Promise<DigestedTable> {
  const rows = await engine.ask(
    'SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {name:String} ORDER BY name',
    { name },
  );
  return { name, columns: rows.map(([column]) => String(column)) };
}

export async function partitionsOf(engine: Engine, table: string): Promise<string[]> {
  const rows = await engine.ask(`SELECT DISTINCT _partition_id FROM ${table}`);
  return rows.map(([id]) => String(id));
}

export function same(one: Digest, other: Digest): boolean {
  return one.rows === other.rows && one.digest === other.digest;
}

export function added(one: Digest, other: Digest): Digest {
  return { rows: one.rows + other.rows, digest: BigInt.asUintN(64, one.digest + other.digest) };
}

export const nothing: Digest = { rows: 0, digest: 0n };
