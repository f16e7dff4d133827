/**
 * Contents under the name of their own checksum: `objects/<2 digits>/<64 digits>`. Equal contents stand there once,
 * whichever backups name them, and one that is there is never written again.
 */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Source {
  path: string;
  /** Bytes from its start; the file may have grown since. */
  bytes: number;
}

export interface Objects {
  has(entry: { sha256: string; bytes: number }): boolean;
  pathOf(sha256: string): string;
  /** Returns the checksum; `copied` is false if the content was there already. */
  put(source: Source): Promise<{ sha256: string; copied: boolean }>;
  /** Removes what `named` does not hold, and what a crash left half written. Returns how many went. */
  removeExcept(named: ReadonlySet<string>): number;
}

export function openObjects(directory: string): Objects {
  const folder = join(directory, 'objects');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);
  const has: Objects['has'] = ({ sha256, bytes }) =>
    statSync(pathOf(sha256), { throwIfNoEntry: false })?.size === bytes;
  return {
    has,
    pathOf,
    async put({ path, bytes }) {
      const aside = join(folder, 'incoming');
      const sha256 = await copyExactly({ path, bytes }, aside);
      const copied = !has({ sha256, bytes });
      if (copied) {
        mkdirSync(dirname(pathOf(sha256)), { recursive: true, mode: 0o700 });
        renameSync(aside, pathOf(sha256));
      } else {
        rmSync(aside);
      }
      return { sha256, copied };
    },
    removeExcept(named) {
      const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      const unnamed = found.filter(({ name }) => !named.has(name));
      for (const { parentPath, name } of unnamed) rmSync(join(parentPath, name));
      return unnamed.length;
    },
  };
}

/** Copies so many bytes to a new file and returns their checksum; the copy is on disk then. */
export async function copyExactly({ path, bytes }: Source, target: string): Promise<string> {
  const hash = createHash('sha256');
  let seen = 0;
  const watch = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      seen += chunk.length;
      yield chunk;
    }
  };
  rmSync(target, { force: true });
  const source = bytes === 0 ? emptyStream() : createReadStream(path, { end: bytes - 1 });
  await pipeline(source, watch, createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true }));
  if (seen !== bytes) throw new Error(`${path} holds ${seen} bytes, not ${bytes}`);
  return hash.digest('hex');
}

async function* emptyStream(): AsyncGenerator<Buffer> {}

export async function checksumOf(path: string): Promise<string | null> {
  if (!existsSync(path)) return null;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
