/**
 * Backups: store, spool and ledger of one moment, consistent with each other, made while mail flows, incremental, and
 * the way back into a new data directory.
 *
 *   DIR/objects/<2 digits>/<sha256>   contents, each once
 *   DIR/manifests/<id>.json           one backup: what it is of, and the files it names; written last
 *
 * Each backup is whole by itself: older ones may be removed at any time. One that was broken off leaves contents that
 * nothing names, and the earlier backups as they were.
 *
 * This is the module's door. Not here: who keeps the ledger's writer quiet (the composition roots), a ledger on a
 * server (it has backups of its own).
 */

import { rmSync } from 'node:fs';
import { manifestIds, manifestPath, readManifest } from './manifest.ts';
import { openObjects } from './objects.ts';

export { holdsBackups, type Made, makeBackup, type Progress } from './make.ts';
export { type Manifest, manifestIds, readManifest } from './manifest.ts';
export { BackupProblem } from './problem.ts';
export { isUnfinished, restoreBackup } from './restore.ts';
export { type Snapshot, takeSnapshot } from './snapshot.ts';
export { bytesOf, type Verified, verifyBackup } from './verify.ts';

/** Keeps the newest backups, so many, and removes the others with the contents that only they name. */
export function pruneBackups(directory: string, keep: number): { backups: number; files: number } {
  const old = manifestIds(directory).slice(0, -keep);
  for (const id of old) rmSync(manifestPath(directory, id));
  const named = manifestIds(directory).flatMap((id) =>
    readManifest(directory, id).files.map(({ sha256 }) => sha256),
  );
  return { backups: old.length, files: openObjects(directory).removeExcept(new Set(named)) };
}
