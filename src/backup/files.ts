/** Files that must be whole or absent, whenever the machine stops. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Written aside, synced, renamed; readable by its owner only. */
export function writeDurably(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.new`;
  const file = openSync(aside, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  syncFolder(dirname(path));
}

/** The names in it survive as well as what they name. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export interface FoundFile {
  /** Below the folder that was looked through, with `/` between its parts. */
  path: string;
  bytes: number;
  modifiedAt: number;
}

/** Every file below a folder, in the order of their paths. */
export function filesBelow(folder: string, prefix = ''): FoundFile[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(folder, path);
      const { size, mtimeMs } = statSync(join(folder, path));
      return [{ path, bytes: size, modifiedAt: mtimeMs }];
    });
}
