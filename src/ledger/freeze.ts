/**
 * The tables of the embedded ledger as they stand at one moment, as files: the engine links the parts of each table,
 * which never change, beside themselves (FREEZE), so that this takes milliseconds whatever their size. And the way
 * back: the tables made by their own statements, the parts attached.
 *
 * Not here: keeping the writer quiet meanwhile, so that all tables hold the same events (backup).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';

export interface FrozenTable {
  name: string;
  /** The statement that makes it. */
  create: string;
  /** Null for a view, which holds nothing. */
  rows: number | null;
}

interface FoundTable {
  name: string;
  create: string;
  /** Its folder below that of the engine; null for a view. */
  folder: string | null;
}

/** Moves the parts of each table to `<into>/<table>/<part>/`. Tables first, then the views that fill them. */
export async function freezeTables(engine: Engine, path: string, into: string): Promise<FrozenTable[]> {
  mkdirSync(into, { recursive: true, mode: 0o700 });
  const name = 'waybill_backup';
  const shadow = join(path, 'shadow', name);
  rmSync(shadow, { recursive: true, force: true });
  const frozen: FrozenTable[] = [];
  for (const table of await tablesOf(engine, path)) {
    if (table.folder === null) {
      frozen.push({ name: table.name, create: table.create, rows: null });
      continue;
    }
    await engine.command(`ALTER TABLE ${quoted(table.name)} FREEZE WITH NAME '${name}'`);
    const [parts, target] = [join(shadow, table.folder), join(into, table.name)];
    if (existsSync(parts)) renameSync(parts, target);
    else mkdirSync(target);
    frozen.push({ name: table.name, create: table.create, rows: rowsIn(target) });
  }
  rmSync(shadow, { recursive: true, force: true });
  return frozen;
}

async function tablesOf(engine: Engine, path: string): Promise<FoundTable[]> {
  const rows =
    await engine.ask(`SELECT name, engine LIKE '%MergeTree' AS holds, create_table_query, data_paths
FROM system.tables WHERE database = currentDatabase() AND NOT is_temporary
ORDER BY holds DESC, name`);
  return rows.map(([name, holds, create, paths]) => ({
    name: String(name),
    create: String(create),
    folder: Number(holds) === 1 ? relative(path, String((paths as string[])[0])) : null,
  }));
}

/** Each part tells how many rows it holds. */
function rowsIn(folder: string): number {
  return readdirSync(folder).reduce(
    (sum, part) => sum + Number(readFileSync(join(folder, part, 'count.txt'), 'utf8')),
    0,
  );
}

/** Makes the tables in an engine that has none, and moves their parts from `<from>/<table>/` into them. */
export async function restoreTables(
  engine: Engine,
  path: string,
  { tables, from }: { tables: readonly FrozenTable[]; from: string },
): Promise<void> {
  if ((await tablesOf(engine, path)).length > 0)
    throw new LedgerFault('inconsistent', `the ledger in ${path} holds tables already`);
  for (const { create } of tables.filter(({ rows }) => rows !== null)) await engine.command(create);
  const made = new Map((await tablesOf(engine, path)).map((table) => [table.name, table.folder]));
  for (const { name, rows } of tables) {
    const folder = made.get(name);
    if (rows === null || folder === undefined || folder === null) continue;
    await attachParts(engine, name, { from: join(from, name), to: join(path, folder, 'detached') });
    await expectRows(engine, name, rows);
  }
  for (const { create } of tables.filter(({ rows }) => rows === null)) await engine.command(create);
}

/** No part is merged before all are counted. */
async function attachParts(engine: Engine, table: string, folders: { from: string; to: string }) {
  await engine.command(`SYSTEM STOP MERGES ${quoted(table)}`);
  for (const part of existsSync(folders.from) ? readdirSync(folders.from).sort() : []) {
    renameSync(join(folders.from, part), join(folders.to, part));
    await engine.command(`ALTER TABLE ${quoted(table)} ATTACH PART '${part}'`);
  }
}

async function expectRows(engine: Engine, table: string, rows: number): Promise<void> {
  const [[found] = []] = await engine.ask(`SELECT count() FROM ${quoted(table)}`);
  if (Number(found) === rows) return;
  throw new LedgerFault('inconsistent', `${table} holds ${found} rows after the restore, not ${rows}`);
}

/** Names come from the engine itself or from a manifest whose checksum was compared. */
function quoted(name: string): string {
  return `\`${name.replaceAll('`', '')}\``;
}
