/**
 * The store: one SQLite file with everything that decides (tenants, queue, outbox), in WAL mode. Several processes may
 * have it open. A committed transaction is on disk (invariant I1) unless the store was opened `grouped`; then it is
 * once `sync` has resolved, which is what `createGroupCommit` waits for.
 *
 * Readers of other processes may see a commit before it is synced. Whoever acts on it outside the store must commit
 * something first, as the ledger's writer does (`begin`): that sync covers everything written to the WAL before.
 *
 * This is the module's door. Not here: what the tables mean (tenants, queue, spool).
 */
import { closeSync, fdatasync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { migrate } from './migrate.ts';

export { createGroupCommit, type GroupCommit } from './group-commit.ts';
export { type InstanceLock, takeInstanceLock, waitForInstanceLock } from './instance-lock.ts';
export { storeVersion } from './migrate.ts';
export { type PinnedStore, pinStore, problemOf } from './pinned.ts';

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
  /** Resolves when everything committed before the call is on disk. */
  sync(): Promise<void>;
  close(): void;
}

export interface StoreOptions {
  /** Commits do not sync; the caller does, for many at once. */
  grouped?: boolean;
}

const busyTimeoutMs = 15_000;
/** Pages of WAL at which a commit moves them into the database. Of a grouped store only if nobody else does. */
const checkpointPages = { each: 4_000, grouped: 32_000 };

const whole = { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', rollback: 'ROLLBACK' };
const part = { begin: 'SAVEPOINT part', commit: 'RELEASE part', rollback: 'ROLLBACK TO part; RELEASE part' };

/** Opens the store, making or migrating it as needed. */
export function openStore(path: string, { grouped = false }: StoreOptions = {}): Store {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${grouped ? 'NORMAL' : 'FULL'}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${grouped ? checkpointPages.grouped : checkpointPages.each}`);
  database.exec('PRAGMA cache_size = -65536');
  migrate(database);
  if (grouped) moveWalIntoDatabase(database);
  return storeOver(database, path, grouped ? openWal(path) : null);
}

/**
 * After a sync that failed, what SQLite reads from the WAL need not be on disk, and what is committed behind it would be
 * lost with it. So nothing is built on a WAL that an earlier process left: it is synced into the database file first.
 * When a reader is in the way, SQLite has still synced and copied everything it could.
 */
function moveWalIntoDatabase(database: DatabaseSync): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** The WAL exists for as long as a connection is open. Its name must survive as well as what is in it. */
function openWal(path: string): number {
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
  return openSync(`${path}-wal`, 'r');
}

const syncFile = promisify(fdatasync);

function storeOver(database: DatabaseSync, path: string, wal: number | null): Store {
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
    sync: () => (wal === null ? Promise.resolve() : syncFile(wal)),
    close() {
      if (wal !== null) closeSync(wal);
      statements.clear();
      database.close();
    },
  };
}

/** Tells this store from every other. */
export function storeId(store: Store): string {
  const row = store.get('SELECT store_id FROM installation');
  if (row === undefined) throw new Error('the store has no id');
  return text(row, 'store_id');
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
