/**
 * The manifest of one backup: what it holds, and what it was made of. It is written last, so a backup that has one is
 * whole; every file it names stands under its checksum in `objects/`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './files.ts';
import { BackupProblem } from './problem.ts';

/** Counted up when an older program could not restore what a newer one has written. */
export const backupFormat = 1;

const fileEntry = z.strictObject({
  /** Below the data directory it came from. */
  path: z.string(),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  modifiedAt: z.number(),
});

const manifestSchema = z.strictObject({
  format: z.int(),
  id: z.string(),
  startedAt: z.int(),
  finishedAt: z.int(),
  waybill: z.string(),
  node: z.int(),
  storeVersion: z.int(),
  /** Events of this node that the ledger held, and the newest one of the store. */
  outbox: z.strictObject({ appendedTo: z.int(), pendingTo: z.int().nullable(), newest: z.int() }),
  ledger: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('embedded'),
      engine: z.string(),
      version: z.int(),
      tables: z.array(z.strictObject({ name: z.string(), create: z.string(), rows: z.int().nullable() })),
    }),
    /** It stands on a server, which has backups of its own. */
    z.strictObject({ kind: z.literal('server') }),
  ]),
  withKey: z.boolean(),
  files: z.array(fileEntry),
});

export type Manifest = z.output<typeof manifestSchema>;
export type FileEntry = z.output<typeof fileEntry>;

const folderOf = (directory: string) => join(directory, 'manifests');

/** Ids, oldest first. */
export function manifestIds(directory: string): string[] {
  const folder = folderOf(directory);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => /^(\d{8}T\d{9}Z)\.json$/.exec(name)?.[1] ?? [])
    .sort();
}

export function manifestPath(directory: string, id: string): string {
  return join(folderOf(directory), `${id}.json`);
}

export function writeManifest(directory: string, manifest: Manifest): void {
  const text = JSON.stringify(manifest);
  writeDurably(
    manifestPath(directory, manifest.id),
    `${JSON.stringify({ sha256: sha256Of(text), manifest: text })}\n`,
  );
}

/** Without an id the newest. */
export function readManifest(directory: string, id?: string): Manifest {
  const found = id ?? manifestIds(directory).at(-1);
  if (found === undefined) throw new BackupProblem(`${directory} holds no backup`);
  const path = manifestPath(directory, found);
  if (!existsSync(path)) {
    throw new BackupProblem(
      `there is no backup ${found}; ${directory} holds ${manifestIds(directory).join(', ')}`,
    );
  }
  return parseManifest(path);
}

const envelope = z.strictObject({ sha256: z.string(), manifest: z.string() });

function parseManifest(path: string): Manifest {
  try {
    const { sha256, manifest } = envelope.parse(JSON.parse(readFileSync(path, 'utf8')));
    if (sha256 !== sha256Of(manifest)) throw new BackupProblem(`${path} was changed after it was written`);
    const json: unknown = JSON.parse(manifest);
    refuseNewer(json);
    return manifestSchema.parse(json);
  } catch (error) {
    if (error instanceof BackupProblem) throw error;
    throw new BackupProblem(
      `${path} is no manifest: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function refuseNewer(json: unknown): void {
  const { format } = z.looseObject({ format: z.int() }).parse(json);
  if (format <= backupFormat) return;
  throw new BackupProblem(
    `the backup is of format ${format}, newer than this program knows (${backupFormat}); update Waybill`,
  );
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
