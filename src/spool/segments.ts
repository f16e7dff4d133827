/**
 * Append-only segment files `<number>.seg`. Only this process appends (the relay holds the instance lock), and it
 * always begins a new file, so what a crash left half written is never written over.
 *
 * Contents that are appended while a sync is under way share the next one. A sync that fails is the last of its file:
 * the system may have dropped what it could not write, and a later sync of the same file would prove nothing.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { limits } from '../base/limits.ts';

export interface Location {
  segment: number;
  offset: number;
}

export interface Segments {
  /** Resolves when the content is on disk. */
  append(content: Buffer): Promise<Location>;
  /** Null if the file is gone or shorter than the content. */
  read(place: { segment: number | null; offset: number | null; bytes: number }): Buffer | null;
  removeExcept(inUse: (segment: number) => boolean): number;
  close(): void;
}

interface OpenSegment {
  segment: number;
  file: number;
  end: number;
  /** A sync of it failed. */
  failed: boolean;
  /** Under way; resolves when what was appended before its start is on disk. */
  sync: Promise<void> | null;
  /** The one after it; for what was appended since. */
  nextSync: Promise<void> | null;
}

const sync = promisify(fdatasync);

export function openSegments(directory: string): Segments {
  mkdirSync(directory, { recursive: true });
  const pathOf = (segment: number) => join(directory, `${String(segment).padStart(8, '0')}.seg`);
  let current: OpenSegment | null = null;

  const begin = (): OpenSegment => {
    const segment = Math.max(0, ...segmentsIn(directory)) + 1;
    const file = openSync(pathOf(segment), 'wx', 0o600);
    try {
      // The new name must survive as well as the bytes.
      syncDirectory(directory);
    } catch (fault) {
      closeSync(file);
      throw fault;
    }
    return { segment, file, end: 0, failed: false, sync: null, nextSync: null };
  };

  /** The file is closed when the last sync of it has ended. */
  const finish = (): void => {
    if (!current) return;
    const { file, sync: running, nextSync } = current;
    current = null;
    const last = nextSync ?? running;
    if (last) void last.catch(() => {}).then(() => closeSync(file));
    else closeSync(file);
  };

  return {
    async append(content) {
      if (current && (current.failed || current.end >= limits.segmentBytes)) finish();
      current ??= begin();
      const segment = current;
      const offset = segment.end;
      // On a failed write the end stays where it was: the next content goes over what is half there.
      writeFully(segment.file, content, offset);
      segment.end = offset + content.length;
      await durable(segment);
      return { segment: segment.segment, offset };
    },
    read({ segment, offset, bytes }) {
      if (segment === null || offset === null || !existsSync(pathOf(segment))) return null;
      const file = openSync(pathOf(segment), 'r');
      try {
        if (fstatSync(file).size < offset + bytes) return null;
        const content = Buffer.allocUnsafe(bytes);
        return readSync(file, content, 0, bytes, offset) === bytes ? content : null;
      } finally {
        closeSync(file);
      }
    },
    removeExcept(inUse) {
      const unused = segmentsIn(directory).filter(
        (segment) => segment !== current?.segment && !inUse(segment),
      );
      for (const segment of unused) unlinkSync(pathOf(segment));
      return unused.length;
    },
    close: finish,
  };
}

/** Resolves when everything appended so far is on disk. */
function durable(segment: OpenSegment): Promise<void> {
  if (!segment.sync) {
    segment.sync = sync(segment.file)
      .catch((fault: unknown) => {
        segment.failed = true;
        throw fault;
      })
      .finally(() => {
        segment.sync = null;
      });
    return segment.sync;
  }
  segment.nextSync ??= segment.sync.then(() => {
    segment.nextSync = null;
    return durable(segment);
  });
  return segment.nextSync;
}

function segmentsIn(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => {
    const match = /^(\d{8,})\.seg$/.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

function writeFully(file: number, content: Buffer, position: number): void {
  let written = 0;
  while (written < content.length) {
    written += writeSync(file, content, written, content.length - written, position + written);
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
