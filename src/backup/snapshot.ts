/**
 * A snapshot: store, spool and ledger of one moment, in a folder of the data directory and on its disk, made while mail
 * flows. What the backup copies at leisure is this folder.
 *
 * Why they fit together. The ledger's writer is kept quiet from the first step to the last of `hold`, so
 *   - all tables of the ledger hold the same events: those up to the store's cursor, which stands still as well;
 *   - no event is begun: none is in the ledger and in the outbox, none in neither;
 *   - no mail becomes clearable meanwhile (that takes the cursor), so a segment file that the pinned store names was
 *     there before the pin, when it was linked, or came after it and is linked the second time.
 *
 * Only the segment in use still grows; what the pinned store names of it was synced before (invariant I1).
 */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FrozenLedger } from '../ledger/ledger.ts';
import { openStore, type PinnedStore, pinStore } from '../store/store.ts';
import { filesBelow } from './files.ts';
import { BackupProblem } from './problem.ts';

export interface SnapshotPaths {
  store: string;
  spool: string;
  /** Where snapshots stand while they are copied. */
  snapshots: string;
}

export interface SnapshotDeps {
  paths: SnapshotPaths;
  /** Keeps the ledger's writer between two batches while `work` runs. */
  between<T>(work: () => Promise<T>): Promise<T>;
  freeze(into: string): Promise<FrozenLedger | null>;
}

export interface Snapshot {
  directory: string;
  outbox: { appendedTo: number; pendingTo: number | null; newest: number };
  /** Null: it stands on a server. */
  ledger: FrozenLedger | null;
  /** Bytes of each segment file that belong to the snapshot, by its name. */
  segments: Record<string, number>;
}

/** Removes what an earlier backup that was broken off has left. One snapshot at a time. */
export async function takeSnapshot({ paths, between, freeze }: SnapshotDeps): Promise<Snapshot> {
  rmSync(paths.snapshots, { recursive: true, force: true });
  const directory = paths.snapshots;
  mkdirSync(join(directory, 'spool'), { recursive: true, mode: 0o700 });
  const { pinned, ...facts } = await between(() => hold(paths, directory, freeze));
  try {
    await pinned.copyTo(join(directory, 'waybill.sqlite'));
  } finally {
    pinned.close();
  }
  const segments = keepNamedSegments(directory);
  return { directory, segments, ...facts };
}

async function hold(paths: SnapshotPaths, directory: string, freeze: SnapshotDeps['freeze']) {
  linkSegments(paths.spool, join(directory, 'spool'));
  const pinned = pinStore(paths.store);
  try {
    linkSegments(paths.spool, join(directory, 'spool'));
    const outbox = outboxOf(pinned);
    const ledger = await freeze(join(directory, 'ledger'));
    if (ledger !== null && outbox.pendingTo !== null) {
      throw new BackupProblem('the ledger has not taken the last events; try again when it can be reached');
    }
    return { pinned, outbox, ledger };
  } catch (fault) {
    pinned.close();
    throw fault;
  }
}

function outboxOf(pinned: PinnedStore): Snapshot['outbox'] {
  const row = pinned.get(
    `SELECT appended_to, pending_to, (SELECT seq FROM sqlite_sequence WHERE name = 'outbox') AS newest FROM ledger_cursor`,
  );
  const [appendedTo, newest] = [Number(row?.['appended_to'] ?? 0), Number(row?.['newest'] ?? 0)];
  return { appendedTo, pendingTo: row?.['pending_to'] == null ? null : Number(row['pending_to']), newest };
}

/** A segment that the relay removes in this very moment is not named by anything any more. */
function linkSegments(spool: string, into: string): void {
  if (!existsSync(spool)) return;
  for (const name of readdirSync(spool).filter(
    (one) => one.endsWith('.seg') && !existsSync(join(into, one)),
  )) {
    try {
      linkSync(join(spool, name), join(into, name));
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== 'ENOENT') throw fault;
    }
  }
}

/** Of each segment that the copied store names, the bytes it names; the links to others go. */
function keepNamedSegments(directory: string): Record<string, number> {
  const store = openStore(join(directory, 'waybill.sqlite'));
  const rows = store.all(
    'SELECT segment, max(segment_offset + content_bytes) AS bytes FROM mails WHERE segment IS NOT NULL GROUP BY segment',
  );
  store.close();
  const named = Object.fromEntries(
    rows.map(({ segment, bytes }) => [`${String(segment).padStart(8, '0')}.seg`, Number(bytes)]),
  );
  const found = new Map(filesBelow(join(directory, 'spool')).map(({ path, bytes }) => [path, bytes]));
  for (const [name, bytes] of Object.entries(named)) {
    if ((found.get(name) ?? -1) < bytes) throw new BackupProblem(`the spool lacks ${name}, or its end`);
  }
  for (const name of found.keys()) if (!(name in named)) rmSync(join(directory, 'spool', name));
  return named;
}
