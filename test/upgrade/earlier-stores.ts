/** Stores as earlier programs left them: the tables of their migrations, and in them what a store of today has. */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { migrations } from '../../src/store/migrate.ts';

export type Rows = Record<string, SQLInputValue>[];

/** Schema of the program that knew the first `version` migrations. */
export function emptyStore(path: string, version: number): DatabaseSync {
  const database = new DatabaseSync(path);
  // Nobody waits for the disk of a store that is made for one test.
  database.exec('PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF');
  for (const sql of migrations.slice(0, version)) database.exec(sql);
  database.exec(`PRAGMA user_version = ${version}`);
  return database;
}

export function tablesOf(database: DatabaseSync): string[] {
  return database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%' ORDER BY name",
    )
    .all()
    .map(({ name }) => String(name));
}

export function columnsOf(database: DatabaseSync, table: string): string[] {
  return database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name));
}

export function rowsOf(database: DatabaseSync, table: string, columns: readonly string[]): Rows {
  const list = columns.join(', ');
  return database.prepare(`SELECT ${list} FROM ${table} ORDER BY ${list}`).all() as Rows;
}

/**
 * A data directory of that version, with what the one of today has as far as the earlier tables have room for it.
 * Parents stand before their children in no particular order, so references are not looked at meanwhile.
 */
export function earlierDirectory(today: string, version: number): string {
  const directory = mkdtempSync(join(tmpdir(), `waybill-upgrade-${version}-`));
  mkdirSync(directory, { recursive: true });
  copyFileSync(join(today, 'installation.key'), join(directory, 'installation.key'));
  if (existsSync(join(today, 'spool')))
    cpSync(join(today, 'spool'), join(directory, 'spool'), { recursive: true });
  const source = new DatabaseSync(join(today, 'waybill.sqlite'));
  const target = emptyStore(join(directory, 'waybill.sqlite'), version);
  try {
    target.exec('BEGIN');
    for (const table of tablesOf(target)) copyTable(source, target, table);
    target.exec('COMMIT');
  } finally {
    source.close();
    target.close();
  }
  return directory;
}

function copyTable(source: DatabaseSync, target: DatabaseSync, table: string): void {
  const there = new Set(columnsOf(source, table));
  const columns = columnsOf(target, table).filter((column) => there.has(column));
  target.exec(`DELETE FROM ${table}`);
  const marks = columns.map(() => '?').join(', ');
  const insert = target.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`);
  for (const row of rowsOf(source, table, columns))
    insert.run(...columns.map((column) => row[column] ?? null));
}
