/** Whether every file that a backup names is there and unchanged. */

import { type Manifest, readManifest } from './manifest.ts';
import { checksumOf, openObjects } from './objects.ts';

export interface Verified {
  id: string;
  files: number;
  bytes: number;
  /** Files that are gone or changed. */
  broken: { path: string; problem: 'missing' | 'changed' }[];
}

/** `known` remembers what was compared already: backups share most of their files. */
export async function verifyBackup(
  directory: string,
  id: string,
  known: Map<string, 'whole' | 'missing' | 'changed'> = new Map(),
): Promise<Verified> {
  const { files } = readManifest(directory, id);
  const objects = openObjects(directory);
  const broken: Verified['broken'] = [];
  for (const { sha256, path } of files) {
    const found = known.get(sha256) ?? stateOf(await checksumOf(objects.pathOf(sha256)), sha256);
    known.set(sha256, found);
    if (found !== 'whole') broken.push({ path, problem: found });
  }
  return { id, files: files.length, bytes: bytesOf(files), broken };
}

function stateOf(found: string | null, wanted: string): 'whole' | 'missing' | 'changed' {
  if (found === null) return 'missing';
  return found === wanted ? 'whole' : 'changed';
}

export function bytesOf(files: Manifest['files']): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
