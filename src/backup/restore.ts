/**
 * Makes a data directory from a backup. The directory is marked as unfinished until everything in it was compared, so
 * that no server starts on half of it.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type FrozenLedger, ledgerVersion } from '../ledger/ledger.ts';
import { problemOf, storeVersion } from '../store/store.ts';
import { syncFolder } from './files.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { copyExactly, openObjects } from './objects.ts';
import { BackupProblem } from './problem.ts';

export interface RestoreOptions {
  directory: string;
  /** Absent: the newest. */
  id?: string | undefined;
  dataDir: string;
  /** File with the installation's key, of a backup that was made without it. */
  keyFile?: string | undefined;
  restoreLedger(frozen: Pick<FrozenLedger, 'tables'>, from: string): Promise<void>;
  /** What else there is to do before the directory may be used. */
  beforeEnd?: (manifest: Manifest) => Promise<void>;
  onProgress?: (bytes: number, totalBytes: number) => void;
}

const markerName = 'restore-unfinished';

/** Whether the data directory was left by a restore that was broken off. */
export function isUnfinished(dataDir: string): boolean {
  return existsSync(join(dataDir, markerName));
}

export async function restoreBackup(options: RestoreOptions): Promise<Manifest> {
  const { directory, dataDir } = options;
  const manifest = readManifest(directory, options.id);
  refuseNewer(manifest);
  const { withKey } = manifest;
  if (!withKey && options.keyFile === undefined) {
    throw new BackupProblem(
      'the backup was made without the installation key; name the file that holds it with --key',
    );
  }
  clearTarget(dataDir);
  await copyFiles(options, manifest);
  if (!withKey && options.keyFile !== undefined)
    await placeKey(options.keyFile, join(dataDir, 'installation.key'));
  const problem = problemOf(join(dataDir, 'waybill.sqlite'));
  if (problem !== null) throw new BackupProblem(`the store of the backup is damaged: ${problem}`);
  if (manifest.ledger.kind === 'embedded') {
    const frozen = join(dataDir, 'ledger-parts');
    if (existsSync(join(dataDir, 'ledger'))) renameSync(join(dataDir, 'ledger'), frozen);
    await options.restoreLedger(manifest.ledger, frozen);
    rmSync(frozen, { recursive: true, force: true });
  }
  await options.beforeEnd?.(manifest);
  rmSync(join(dataDir, markerName));
  syncFolder(dataDir);
  return manifest;
}

function refuseNewer({ storeVersion: store, ledger, waybill }: Manifest): void {
  const newer =
    store > storeVersion
      ? `its store is of version ${store}, this program knows ${storeVersion}`
      : ledger.kind === 'embedded' && ledger.version > ledgerVersion
        ? `its ledger is of version ${ledger.version}, this program knows ${ledgerVersion}`
        : null;
  if (newer === null) return;
  throw new BackupProblem(
    `the backup was made by a newer Waybill (${waybill}): ${newer}; update Waybill first`,
  );
}

/** What a broken-off restore left goes; anything else is somebody's. */
function clearTarget(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const found = readdirSync(dataDir);
  if (found.length > 0 && !isUnfinished(dataDir)) {
    throw new BackupProblem(`${dataDir} is not empty; a backup is restored into a new data directory`);
  }
  for (const name of found.filter((one) => one !== markerName))
    rmSync(join(dataDir, name), { recursive: true });
  writeFileSync(join(dataDir, markerName), 'A restore began here and has not ended; run it again.\n', {
    mode: 0o600,
  });
  syncFolder(dataDir);
}

/** Each copy is compared with the checksum in the manifest. */
async function copyFiles(
  { directory, dataDir, onProgress }: RestoreOptions,
  { files }: Manifest,
): Promise<void> {
  const objects = openObjects(directory);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const { path, bytes, sha256 } of files) {
    if (!objects.has({ sha256, bytes })) throw new BackupProblem(`the backup lacks the content of ${path}`);
    const target = join(dataDir, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    if ((await copyExactly({ path: objects.pathOf(sha256), bytes }, target)) !== sha256)
      throw new BackupProblem(
        `the backup's content of ${path} was changed; "waybill backup verify" tells what else`,
      );
    done += bytes;
    onProgress?.(done, total);
  }
}

async function placeKey(keyFile: string, target: string): Promise<void> {
  if (!existsSync(keyFile)) throw new BackupProblem(`there is no file ${keyFile}`);
  await copyExactly({ path: keyFile, bytes: statSync(keyFile).size }, target);
}
