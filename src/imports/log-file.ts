/**
 * Log files as they are on disk: plain or compressed with gzip, or standard input. They are cut into pieces (lines, or
 * the objects of JSON), each with the place behind it, so that reading can go on there.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { limits } from '../base/limits.ts';

export interface Piece {
  text: string;
  /** Place behind it: bytes of the uncompressed file for lines, their number for objects. */
  end: number;
  /** False for an object that has no end: the rest of it may be written later. */
  whole: boolean;
}

export type Bytes = AsyncIterable<Uint8Array>;

export interface LogFile {
  /** As given on the command line. */
  name: string;
  /** What it begins with, hashed; null for standard input. */
  fingerprint: string | null;
  writtenAt: number;
  /** Bytes on disk; 0 if unknown. */
  size: number;
  /** Uncompressed, from the beginning. */
  bytes(): Bytes;
  /** How far the file has been read on disk. */
  readBytes(): number;
}

export async function openLogFile(path: string): Promise<LogFile> {
  const { size, mtimeMs } = await statFile(path);
  const head = await headOf(path);
  let read = 0;
  return {
    name: path,
    fingerprint: createHash('sha256')
      .update(`${Math.min(size, head.length)} `)
      .update(head)
      .digest('base64url'),
    writtenAt: Math.floor(mtimeMs),
    size,
    bytes: () => {
      read = 0;
      const file = createReadStream(path, { highWaterMark: 256 * 1024 });
      file.on('data', (chunk) => {
        read += chunk.length;
      });
      return isGzip(head) ? unzipped(file) : (file as Bytes);
    },
    readBytes: () => read,
  };
}

async function statFile(path: string): Promise<{ size: number; mtimeMs: number }> {
  const { size, mtimeMs, ...facts } = await stat(path);
  if (facts.isDirectory?.() === true) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  return { size, mtimeMs };
}

async function headOf(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const head = Buffer.alloc(limits.importFingerprintBytes);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function unzipped(file: ReturnType<typeof createReadStream>): Bytes {
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

export function standardInput(writtenAt: number): LogFile {
  let read = 0;
  return {
    ...{ name: 'standard input', fingerprint: null, writtenAt, size: 0 },
    bytes: () =>
      counted(process.stdin as Bytes, (bytes) => {
        read += bytes;
      }),
    readBytes: () => read,
  };
}

/** Compressed or not, as its first bytes say. */
async function* counted(bytes: Bytes, count: (bytes: number) => void): Bytes {
  for await (const chunk of bytes) {
    count(chunk.length);
    yield chunk;
  }
}

/** Lines without their line end, behind the first `skip` bytes. Too long ones are cut; the last needs no end. */
export async function* linesOf(bytes: Bytes, skip: number): AsyncGenerator<Piece> {
  const cutter = createLineCutter(skip);
  for await (const chunk of bytes) yield* cutter.take(chunk);
  yield* cutter.end();
}

const lineFeed = 0x0a;

export interface LineCutter {
  take(chunk: Uint8Array): Generator<Piece>;
  /** What stands behind the last line end. */
  end(): Generator<Piece>;
}

export function createLineCutter(skip: number): LineCutter {
  let place = 0;
  /** The last byte passed over: a line that was read before its end was there is not read again. */
  let before = lineFeed;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  const keep = (part: Uint8Array) => {
    if (keptBytes < limits.importLineChars) kept.push(part.subarray(0, limits.importLineChars - keptBytes));
    keptBytes += part.length;
  };
  const piece = (): Piece => {
    const text = Buffer.concat(kept).toString('utf8');
    kept = [];
    keptBytes = 0;
    return { text: text.endsWith('\r') ? text.slice(0, -1) : text, end: place, whole: true };
  };
  return {
    *take(chunk) {
      let from = 0;
      if (place < skip) {
        from = Math.min(chunk.length, skip - place);
        place += from;
        before = chunk[from - 1] ?? before;
      }
      for (let at = chunk.indexOf(lineFeed, from); at !== -1; at = chunk.indexOf(lineFeed, from)) {
        keep(chunk.subarray(from, at));
        place += at + 1 - from;
        from = at + 1;
        const next = piece();
        if (before === lineFeed) yield next;
        before = lineFeed;
      }
      if (from < chunk.length) {
        // The chunk may be used again by whoever reads.
        keep(Uint8Array.prototype.slice.call(chunk, from));
        place += chunk.length - from;
      }
    },
    *end() {
      if (keptBytes > 0 && before === lineFeed) yield piece();
    },
  };
}
