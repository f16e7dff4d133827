/** Copies a snapshot into a backup: what an earlier backup there holds already is named again, not copied. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { storeVersion } from '../store/store.ts';
import { filesBelow, syncFolder } from './files.ts';
import {
  backupFormat,
  type FileEntry,
  type Manifest,
  manifestIds,
  readManifest,
  writeManifest,
} from './manifest.ts';
import { type Objects, openObjects } from './objects.ts';
import type { Snapshot } from './snapshot.ts';

export interface MakeOptions {
  directory: string;
  dataDir: string;
  snapshot: Snapshot;
  startedAt: number;
  program: string;
  node: number;
  /** The key that seals the secrets of the store goes along. */
  withKey: boolean;
  clock: Clock;
  onProgress?: (done: Progress) => void;
}

export interface Progress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

export interface Made {
  manifest: Manifest;
  copiedFiles: number;
  copiedBytes: number;
}

interface Wanted {
  /** Name in the backup. */
  path: string;
  source: string;
  bytes: number;
  modifiedAt: number;
}

export async function makeBackup(options: MakeOptions): Promise<Made> {
  const { directory, snapshot, clock } = options;
  const objects = openObjects(directory);
  const wanted = filesOf(options);
  const { files, copiedFiles, copiedBytes } = await copyAll(
    objects,
    wanted,
    earlierFiles(directory),
    options,
  );
  syncFolder(join(directory, 'objects'));
  const finishedAt = clock.now();
  const manifest: Manifest = {
    format: backupFormat,
    id: idAt(finishedAt),
    ...{
      startedAt: options.startedAt,
      finishedAt,
      waybill: options.program,
      node: options.node,
      storeVersion,
    },
    outbox: snapshot.outbox,
    ledger:
      snapshot.ledger === null
        ? { kind: 'server' }
        : {
            kind: 'embedded',
            engine: snapshot.ledger.engineVersion,
            version: snapshot.ledger.version,
            tables: snapshot.ledger.tables,
          },
    withKey: options.withKey,
    files,
  };
  writeManifest(directory, manifest);
  return { manifest, copiedFiles, copiedBytes };
}

/** `20261127T123732123Z`. */
function idAt(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at)
    .toString({ fractionalSecondDigits: 3 })
    .replaceAll(/[-:.]/g, '');
}

function filesOf({ snapshot, dataDir, withKey }: MakeOptions): Wanted[] {
  const inSnapshot = filesBelow(snapshot.directory).map((file) => ({
    ...file,
    source: join(snapshot.directory, file.path),
    bytes: snapshot.segments[file.path.slice('spool/'.length)] ?? file.bytes,
  }));
  const beside = filesBelow(dataDir).filter(
    ({ path }) => path.startsWith('tls/') || (withKey && path === 'installation.key'),
  );
  return [...beside.map((file) => ({ ...file, source: join(dataDir, file.path) })), ...inSnapshot];
}

/** By what a file that was not changed keeps: its path, length and time. */
function earlierFiles(directory: string): Map<string, FileEntry> {
  if (manifestIds(directory).length === 0) return new Map();
  return new Map(readManifest(directory).files.map((file) => [identityOf(file), file]));
}

function identityOf({ path, bytes, modifiedAt }: Pick<FileEntry, 'path' | 'bytes' | 'modifiedAt'>): string {
  return `${modifiedAt} ${bytes} ${path}`;
}

async function copyAll(
  objects: Objects,
  wanted: readonly Wanted[],
  earlier: ReadonlyMap<string, FileEntry>,
  { onProgress }: MakeOptions,
) {
  const files: FileEntry[] = [];
  const progress = {
    files: 0,
    bytes: 0,
    totalFiles: wanted.length,
    totalBytes: wanted.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  let [copiedFiles, copiedBytes] = [0, 0];
  for (const { path, source, bytes, modifiedAt } of wanted) {
    const known = earlier.get(identityOf({ path, bytes, modifiedAt }));
    if (known !== undefined && objects.has(known)) {
      files.push(known);
    } else {
      const { sha256, copied } = await objects.put({ path: source, bytes });
      files.push({ path, bytes, sha256, modifiedAt });
      if (copied) [copiedFiles, copiedBytes] = [copiedFiles + 1, copiedBytes + bytes];
    }
    progress.files += 1;
    progress.bytes += bytes;
    onProgress?.(progress);
  }
  return { files, copiedFiles, copiedBytes };
}

/** Whether a folder may hold backups: it is empty, or holds some. */
export function holdsBackups(directory: string): boolean {
  return existsSync(join(directory, 'objects'));
}
