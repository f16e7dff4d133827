/**
 * Follows a log as it grows, as `tail -F` does: through rotation by renaming (the old file is read to its end) and by
 * copying (the file is shorter than before), and through restarts: where it stopped is in the store.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { limits } from '../base/limits.ts';
import type { ImportDeps } from './imports.ts';
import { beginIntake, type Intake } from './intake.ts';
import { createLineCutter, type LineCutter } from './log-file.ts';
import type { Parsed } from './record.ts';
import type { Summary } from './summary.ts';

/** Where an earlier run stopped: in which file, and at which byte of it. */
interface Place {
  /** Its first bytes, hashed, and how many. */
  head: string;
  headBytes: number;
  offset: number;
}

interface Followed {
  handle: FileHandle;
  inode: number;
  place: Place;
  /** Where it was opened, and how much has been read behind that. */
  base: number;
  readBytes: number;
  cutter: LineCutter;
  parse(line: string): Parsed;
}

export async function followLog(deps: ImportDeps, path: string): Promise<Summary> {
  const intake = beginIntake(deps, `follow ${resolve(path)}`);
  let left = placeIn(intake.left);
  let followed: Followed | null = null;
  try {
    while (!deps.signal.aborted) {
      if (followed !== null && (await isCutOff(followed))) {
        await followed.handle.close();
        [followed, left] = [null, null];
      }
      followed ??= await openAt(deps, path, left);
      const read: number = followed === null ? 0 : await readOn(intake, followed);
      if (followed !== null) left = followed.place;
      if (intake.pending > 0 || read === 0) intake.write(left, { all: read === 0 });
      deps.tell({ ...intake.sums, file: path, bytes: left?.offset ?? 0, totalBytes: 0 });
      if (read > 0) {
        await intake.restrain();
      } else if (followed !== null && (await isReplaced(followed, path))) {
        await followed.handle.close();
        [followed, left] = [null, null];
      } else {
        await deps.clock.sleep(limits.importFollowMs, deps.signal);
      }
    }
  } finally {
    await followed?.handle.close();
  }
  intake.write(left, { all: true });
  return intake.finish(true);
}

function placeIn(left: unknown): Place | null {
  return typeof left === 'object' && left !== null ? (left as Place) : null;
}

/** Null while there is no such file: it may be between two names. */
async function openAt(deps: ImportDeps, path: string, left: Place | null): Promise<Followed | null> {
  // It was rotated since: what was written to it before that comes first.
  for (const name of left === null ? [] : [path, `${path}.1`]) {
    const handle = await openIfThere(name);
    if (handle === null || left === null) continue;
    if (await isThatFile(handle, left)) return followedFrom(deps, handle, left.offset);
    await handle.close();
  }
  const handle = await openIfThere(path);
  return handle === null ? null : followedFrom(deps, handle, 0);
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  return open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

async function isThatFile(handle: FileHandle, { head, headBytes, offset }: Place): Promise<boolean> {
  const { size } = await handle.stat();
  return headBytes > 0 && offset <= size && (await headOf(handle, headBytes)) === head;
}

async function followedFrom(deps: ImportDeps, handle: FileHandle, offset: number): Promise<Followed> {
  const { ino, size } = await handle.stat();
  const headBytes = Math.min(size, limits.importFingerprintBytes);
  const place: Place = { head: await headOf(handle, headBytes), headBytes, offset };
  const { format, zone, year, clock } = deps;
  const parse = format.reader({ zone, year, writtenAt: () => clock.now() });
  return { handle, inode: ino, place, base: offset, readBytes: 0, cutter: createLineCutter(0), parse };
}

async function headOf(handle: FileHandle, bytes: number): Promise<string> {
  const head = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(head, 0, bytes, 0);
  return createHash('sha256').update(head.subarray(0, bytesRead)).digest('base64url');
}

const chunkBytes = 128 * 1024;

/** Reads what came; returns how many bytes that were. Half a line waits for its other half. */
async function readOn(intake: Intake, followed: Followed): Promise<number> {
  const { handle, place, cutter, parse, base } = followed;
  const chunk = Buffer.alloc(chunkBytes);
  const { bytesRead } = await handle.read(chunk, 0, chunkBytes, base + followed.readBytes);
  followed.readBytes += bytesRead;
  for (const { text, end } of cutter.take(chunk.subarray(0, bytesRead))) {
    intake.take(parse(text));
    place.offset = base + end;
  }
  if (bytesRead > 0 && place.headBytes < limits.importFingerprintBytes) await growHead(followed);
  return bytesRead;
}

/** A file that was short when it was opened is better known by more of it. */
async function growHead({ handle, place, base, readBytes }: Followed): Promise<void> {
  place.headBytes = Math.min(base + readBytes, limits.importFingerprintBytes);
  place.head = await headOf(handle, place.headBytes);
}

/** Its content was copied elsewhere, and it begins anew. */
async function isCutOff({ handle, place, base, readBytes }: Followed): Promise<boolean> {
  const { size } = await handle.stat();
  return size < base + readBytes || (await headOf(handle, place.headBytes)) !== place.head;
}

/** Another file has its name. */
async function isReplaced({ inode }: Followed, path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  return facts !== null && facts.ino !== inode;
}
