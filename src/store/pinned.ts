/**
 * The store as it stands at one moment, held while others go on writing: a read transaction keeps its pages in the WAL
 * until it is closed, so what is copied page by page is the state of one commit.
 */
import { backup, DatabaseSync } from 'node:sqlite';
import type { Row } from './store.ts';

export interface PinnedStore {
  get(sql: string): Row | undefined;
  /** Writes the whole state into a new file. */
  copyTo(path: string): Promise<void>;
  close(): void;
}

/** Pages copied between two turns of the event loop: 4 MiB. */
const pagesAtOnce = 1024;

export function pinStore(path: string): PinnedStore {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('BEGIN');
  // The transaction reads nothing, and so holds nothing, before its first question.
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  return {
    get: (sql) => database.prepare(sql).get() as Row | undefined,
    async copyTo(target) {
      await backup(database, target, { rate: pagesAtOnce });
    },
    close: () => database.close(),
  };
}

/** What SQLite finds wrong with a file that nobody has open; null when it is whole. */
export function problemOf(path: string): string | null {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    return found === 'ok' ? null : String(found);
  } finally {
    database.close();
  }
}
