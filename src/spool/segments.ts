/**
 * Append-only segment files `<number>.seg`. Only this process appends (the relay holds the instance lock),
 * and it always begins a new file, so what a crash left half written is never written over.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
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
import { limits } from '../base/limits.ts';

interface Location {
  segment: number;
  offset: number;
}

export interface Segments {
  append(content: Buffer): Location;
  sync(): void;
  /** Null if the file is gone or shorter than the content. */
  read(place: { segment: number | null; offset: number | null; bytes: number }): Buffer | null;
  removeExcept(inUse: (segment: number) => boolean): number;
  close(): void;
}

export function openSegments(directory: string): Segments {
  mkdirSync(directory, { recursive: true });
  const pathOf = (segment: number) => join(directory, `${String(segment).padStart(8, '0')}.seg`);
  let current: { segment: number; file: number; end: number; dirty: boolean } | null = null;

  const begin = () => {
    const segment = Math.max(0, ...segmentsIn(directory)) + 1;
    const file = openSync(pathOf(segment), 'wx', 0o600);
    // The new name must survive as well as the bytes.
    syncDirectory(directory);
    return { segment, file, end: 0, dirty: false };
  };

  const finish = () => {
    if (!current) return;
    if (current.dirty) fdatasyncSync(current.file);
    closeSync(current.file);
    current = null;
  };

  return {
    append(content) {
      if (current && current.end >= limits.segmentBytes) finish();
      current ??= begin();
      const { segment, file, end } = current;
      current.dirty = true;
      // On a failed write the end stays where it was: the next content goes over what is half there.
      writeFully(file, content, end);
      current.end = end + content.length;
      return { segment, offset: end };
    },
    sync() {
      if (!current?.dirty) return;
      fdatasyncSync(current.file);
      current.dirty = false;
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
