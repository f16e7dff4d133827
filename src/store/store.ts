/**
 * The store: one SQLite file with everything that decides (tenants, queue, outbox). WAL, and FULL
 * synchronous: a committed transaction is on disk (invariant I1). Several processes may have it open.
 *
 * This is the module's door. Not here: what the tables mean (tenants, queue, spool).
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { migrate } from './migrate.ts';

export { createGroupCommit, type GroupCommit } from './group-commit.ts';
export { type InstanceLock, takeInstanceLock } from './instance-lock.ts';

export type Value = SQLInputValue;
export type Row = Record<string, string | number | null | Uint8Array>;

export interface Store {
  readonly path: string;
  run(sql: string, ...values: Value[]): { changes: number; lastId: number };
  get(sql: string, ...values: Value[]): Row | undefined;
  all(sql: string, ...values: Value[]): Row[];
  /**
   * Runs `work` in one transaction that holds the write lock from its start; a throw undoes it all. Within another
   * transaction it becomes a part of that one: a throw undoes the part, and only the outer one commits.
   */
  transaction<T>(work: () => T): T;
  close(): void;
}

const busyTimeoutMs = 15_000;
const checkpointPages = 4_000;

const whole = { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', rollback: 'ROLLBACK' };
const part = { begin: 'SAVEPOINT part', commit: 'RELEASE part', rollback: 'ROLLBACK TO part; RELEASE part' };

/** Opens the store, making or migrating it as needed. */
export function openStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  database.exec('PRAGMA cache_size = -65536');
  migrate(database);
  return storeOver(database, path);
}

function storeOver(database: DatabaseSync, path: string): Store {
  const statements = new Map<string, StatementSync>();
  const statement = (sql: string) => {
    let prepared = statements.get(sql);
    if (!prepared) {
      prepared = database.prepare(sql);
      statements.set(sql, prepared);
    }
    return prepared;
  };
  return {
    path,
    run(sql, ...values) {
      const { changes, lastInsertRowid } = statement(sql).run(...values);
      return { changes: Number(changes), lastId: Number(lastInsertRowid) };
    },
    get: (sql, ...values) => statement(sql).get(...values) as Row | undefined,
    all: (sql, ...values) => statement(sql).all(...values) as Row[],
    transaction(work) {
      const { begin, commit, rollback } = database.isTransaction ? part : whole;
      statement(begin).run();
      try {
        const result = work();
        statement(commit).run();
        return result;
      } catch (error) {
        // SQLite itself ends the whole transaction after some errors, such as a full disk.
        if (database.isTransaction) database.exec(rollback);
        throw error;
      }
    },
    close() {
      statements.clear();
      database.close();
    },
  };
}

/** Typed reading of a row: a column that is not what the schema says is a fault of ours. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} holds no text`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`column ${column} holds no number`);
  return value;
}

export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

export function bytesOrNull(row: Row, column: string): Uint8Array | null {
  const value = row[column];
  return value instanceof Uint8Array ? value : null;
}
