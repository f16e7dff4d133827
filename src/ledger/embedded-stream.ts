/** Long answers of the embedded engine, piece by piece, and answers in a session of their own. */
import { mkdirSync, rmSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from 'chdb';
import { systemClock } from '../base/clock.ts';
import { randomHex } from '../base/random.ts';
import type { BoundValues, StreamFormat } from './engine.ts';
import { literal, withLiterals } from './literals.ts';

export interface EngineAt {
  path: string;
  /** A new session. */
  open(): Session;
}

/** What a crash left of files on their way out. */
export function clearExports(path: string): void {
  rmSync(folderIn(path), { recursive: true, force: true });
}

const folderIn = (path: string) => join(path, 'exports');

export async function* stream(
  { path, open }: EngineAt,
  statement: string,
  values: BoundValues,
  format: StreamFormat,
): AsyncGenerator<Uint8Array> {
  const session = open();
  try {
    if (format === 'Parquet') yield* wholeFile({ path, open }, session, statement, values);
    else for await (const chunk of session.queryStreamBind(statement, values, { format })) yield chunk.raw();
  } finally {
    session.close();
  }
}

/**
 * The engine cuts a streamed answer into pieces that are files each, so a format with a head and an end is written to
 * one file, which is read while it grows.
 */
async function* wholeFile(
  { path, open }: EngineAt,
  session: Session,
  statement: string,
  values: BoundValues,
): AsyncGenerator<Uint8Array> {
  mkdirSync(folderIn(path), { recursive: true, mode: 0o700 });
  const name = `${randomHex(8)}.parquet`;
  const file = join(folderIn(path), name);
  await (await openFile(file, 'wx', 0o600)).close();
  let ended = false;
  const into = `INSERT INTO FUNCTION file(${literal(file)}, Parquet)`;
  const written = session
    .queryAsync(withLiterals(`${into} ${statement}, engine_file_truncate_on_insert = 1`, values))
    .finally(() => {
      ended = true;
    });
  written.catch(() => undefined); // told below, where it is awaited
  try {
    yield* growing(file, () => ended);
    await written;
  } finally {
    if (!ended) stopWriting(open(), name);
    rmSync(file, { force: true });
  }
}

/** Whoever asked is gone. */
function stopWriting(killer: Session, name: string): void {
  killer.query(`KILL QUERY WHERE query LIKE '%exports/${name}%' AND query NOT LIKE 'KILL%' ASYNC`);
  killer.close();
}

const pieceBytes = 256 * 1024;
const lookAgainMs = 50;

async function* growing(path: string, ended: () => boolean): AsyncGenerator<Uint8Array> {
  const file = await openFile(path, 'r');
  try {
    for (;;) {
      const last = ended();
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(pieceBytes) });
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (last) return;
      else await systemClock.sleep(lookAgainMs);
    }
  } finally {
    await file.close();
  }
}

/** Settings hold for this session only, and in this order. */
export async function answer(
  open: EngineAt['open'],
  statement: string,
  settings: readonly (readonly [string, string | number])[],
): Promise<string> {
  const session = open();
  try {
    for (const [name, value] of settings) session.query(`SET ${name} = ${literal(value)}`);
    return (await session.queryAsync(statement)).text();
  } finally {
    session.close();
  }
}
