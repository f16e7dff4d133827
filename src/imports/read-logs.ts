/**
 * Reads files from their beginning, or from where an earlier import of the same files stopped, to their end. The
 * oldest comes first, whatever order they were named in.
 */
import { createHash } from 'node:crypto';
import { limits } from '../base/limits.ts';
import type { ImportDeps } from './imports.ts';
import { beginIntake, type Intake } from './intake.ts';
import { objectsOf } from './json-pieces.ts';
import { type LogFile, linesOf, type Piece } from './log-file.ts';
import type { LogFormat, Parsed } from './record.ts';
import type { Summary } from './summary.ts';

export async function importLogs(deps: ImportDeps, given: readonly LogFile[]): Promise<Summary> {
  const files = await oldestFirst(deps, given);
  const intake = beginIntake(deps, await runName(files));
  const places = placesIn(intake.left, files.length);
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const [index, file] of files.entries()) {
    const tell = () =>
      deps.tell({ ...intake.sums, file: file.name, bytes: before + file.readBytes(), totalBytes });
    await readFile(deps, intake, { file, places, index, tell });
    before += file.size;
    if (deps.signal.aborted) return intake.finish(false);
  }
  return intake.finish(true);
}

/** Standard input is never the same twice. */
async function runName(files: readonly LogFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { fingerprint, writtenAt } of files) hash.update(fingerprint ?? `- ${writtenAt}`);
  return hash.digest('base64url');
}

function placesIn(left: unknown, files: number): number[] {
  const places = Array.isArray(left) ? left.map(Number) : [];
  return Array.from({ length: files }, (_, index) => places[index] ?? 0);
}

interface Reading {
  file: LogFile;
  /** Where to go on from, for each file. */
  places: number[];
  index: number;
  tell(): void;
}

async function readFile(deps: ImportDeps, intake: Intake, reading: Reading): Promise<void> {
  const { file, places, index, tell } = reading;
  const parse = readerOf(deps, file);
  let hasRest = false;
  for await (const pieces of batches(piecesOf(deps.format, file, places[index] ?? 0), deps.format)) {
    const parsed = pieces.map((piece) => ({ piece, said: parse(piece.text) }));
    if (deps.format.cut === 'json') parsed.sort((a, b) => timeOf(a.said) - timeOf(b.said));
    for (const { piece, said } of parsed) if (piece.whole) intake.take(said);
    hasRest = pieces.some(({ whole }) => !whole);
    places[index] = pieces.findLast(({ whole }) => whole)?.end ?? places[index] ?? 0;
    intake.write(places, { all: false });
    tell();
    await intake.restrain();
    if (deps.signal.aborted) break;
  }
  intake.write(places, { all: index === places.length - 1 });
  // Told, but not kept with the progress: it is read again when more of it may be there.
  if (hasRest) intake.take('unparsed');
}

function readerOf(
  { format, zone, year, clock }: ImportDeps,
  { writtenAt }: LogFile,
): (line: string) => Parsed {
  return format.reader({ zone, year, writtenAt: () => Math.min(writtenAt, clock.now()) });
}

function piecesOf({ cut }: LogFormat, file: LogFile, from: number): AsyncGenerator<Piece> {
  return cut === 'json' ? objectsOf(file.bytes(), from) : linesOf(file.bytes(), from);
}

/** So many as are written together. */
async function* batches(pieces: AsyncGenerator<Piece>, { cut }: LogFormat): AsyncGenerator<Piece[]> {
  const size = cut === 'json' ? limits.importSortedEvents : limits.importBatchLines;
  let batch: Piece[] = [];
  for await (const piece of pieces) {
    batch.push(piece);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function timeOf(said: Parsed): number {
  return typeof said === 'string' ? 0 : (said[0]?.at ?? 0);
}

/** By the time of their first line. A mail is told of in order only if its log is read in order. */
async function oldestFirst(deps: ImportDeps, files: readonly LogFile[]): Promise<LogFile[]> {
  if (files.length === 1) return [...files];
  const dated = await Promise.all(files.map(async (file) => ({ file, at: await firstTime(deps, file) })));
  return dated.sort((a, b) => a.at - b.at).map(({ file }) => file);
}

/** What tells no time in its first lines was not written long ago. */
async function firstTime(deps: ImportDeps, file: LogFile): Promise<number> {
  if (file.fingerprint === null) return Number.POSITIVE_INFINITY;
  const parse = readerOf(deps, file);
  let looked = 0;
  for await (const { text } of piecesOf(deps.format, file, 0)) {
    const said = parse(text);
    if (typeof said !== 'string' && said[0] !== undefined) return said[0].at;
    looked += 1;
    if (looked >= limits.importBatchLines) break;
  }
  return file.writtenAt;
}
