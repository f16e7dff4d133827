/**
 * How much memory an export takes, and how fast it is, on this machine:
 *
 *   npm run bench:export -- [--rows 1e6|1e7] [--of deliveries|events] [--format ndjson|csv|parquet] [--data-dir FOLDER]
 *
 * It fills a ledger with so many deliveries of the made-up history (bench/ledger), one event each, in a folder that is
 * removed at the end unless `--data-dir` names one: then a fill that was stopped goes on, and one that is complete is
 * used as it is. Then a process of its own exports them in each format (or the one given), with the ledger's default
 * settings, and tells its peak of resident memory. One JSON object is the last line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { limits } from '../src/base/limits.ts';
import type { MailEvent } from '../src/events/event.ts';
import {
  type ExportFormat,
  exportFormats,
  ledgerOver,
  openEngine,
  openLedger,
} from '../src/ledger/ledger.ts';
import { migrate } from '../src/ledger/schema/schema.ts';
import { type Filled, fill, highestSequence } from './ledger/fill.ts';
import { eventsPerDelivery, historyBlocks } from './ledger/history.ts';
import { peakRssMb } from './relay/relays.ts';

const batchEvents = limits.ledgerBatchEvents;
const kinds = ['deliveries', 'events'] as const;
const roles = ['all', 'fill', 'export'] as const;

interface Arguments {
  rows: number;
  of: (typeof kinds)[number];
  formats: readonly ExportFormat[];
  dataDir: string | null;
  /** Filling and exporting are processes of their own, or the memory of one would be told as that of the other. */
  role: (typeof roles)[number];
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '1e6' },
      of: { type: 'string', default: 'deliveries' },
      format: { type: 'string' },
      'data-dir': { type: 'string' },
      role: { type: 'string', default: 'all' },
    },
  });
  const one = <T extends string>(name: string, value: string | undefined, known: readonly T[]): T => {
    const found = known.find((each) => each === value);
    if (found === undefined) throw new Error(`--${name} takes one of ${known.join(', ')}`);
    return found;
  };
  const rows = Number(values.rows);
  if (!(Number.isInteger(rows) && rows >= 1e5 && rows <= 1e8)) throw new Error('--rows takes 1e5 to 1e8');
  const formats = values.format === undefined ? exportFormats : [one('format', values.format, exportFormats)];
  const [of, role] = [one('of', values.of, kinds), one('role', values.role, roles)];
  return { rows, of, formats, dataDir: values['data-dir'] ?? null, role };
}

/** The verdict of each delivery alone: what an export reads, made in a fraction of the time. */
function* verdicts(rows: number): Generator<MailEvent[]> {
  let [sequence, batch]: [number, MailEvent[]] = [0, []];
  const ends = new Set(['delivered', 'failed', 'expired', 'suppressed', 'rejected']);
  for (const block of historyBlocks(Math.ceil(rows * eventsPerDelivery * 1.1), batchEvents)) {
    for (const event of block) {
      if (!ends.has(event.type)) continue;
      sequence += 1;
      batch.push({ ...event, sequence });
      if (batch.length < batchEvents && sequence < rows) continue;
      yield batch;
      batch = [];
      if (sequence === rows) return;
    }
  }
}

async function fillLedger(path: string, rows: number): Promise<Filled> {
  const engine = await openEngine({ url: null, path });
  try {
    await migrate(engine);
    const present = await highestSequence(engine);
    return await fill(ledgerOver(engine), { events: rows, present, blocks: verdicts(rows) });
  } finally {
    await engine.close();
  }
}

interface Exported {
  format: ExportFormat;
  bytes: number;
  rowsPerSecond: number;
  /** After the ledger was opened, before anything was asked. */
  openRssMb: number;
  peakRssMb: number;
}

async function exportLedger(path: string, { rows, of }: Arguments, format: ExportFormat): Promise<Exported> {
  const tenants = Array.from({ length: 500 }, (_, index) => ({ id: index + 1, name: `tenant${index + 1}` }));
  const ledger = await openLedger({ url: null, path });
  try {
    const openRssMb = peakRssMb(process.pid);
    const [begun, seen] = [performance.now(), { bytes: 0, shownAt: 0 }];
    const sink = new Writable({
      write(piece: Uint8Array, _, done) {
        seen.bytes += piece.length;
        const now = performance.now();
        if (now - seen.shownAt > 2000) {
          seen.shownAt = now;
          const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
          process.stderr.write(`\r${format}: ${mb(seen.bytes)}, resident ${mb(process.memoryUsage.rss())} `);
        }
        setImmediate(done); // as a socket would: later
      },
    });
    await pipeline(ledger.export({ rows: of, format, tenants }), sink);
    process.stderr.write('\n');
    const seconds = (performance.now() - begun) / 1000;
    const rounded = (mb: number) => Math.round(mb);
    return {
      ...{ format, bytes: seen.bytes, rowsPerSecond: Math.round(rows / seconds) },
      ...{ openRssMb: rounded(openRssMb), peakRssMb: rounded(peakRssMb(process.pid)) },
    };
  } finally {
    await ledger.close();
  }
}

/** Runs this file in another role and returns what its last line says. */
async function inOwnProcess<T>(role: 'fill' | 'export', given: Arguments, path: string): Promise<T> {
  const { rows, of, formats } = given;
  const file = fileURLToPath(import.meta.url);
  const format = role === 'export' ? ['--format', String(formats[0])] : [];
  const child = spawn(
    process.execPath,
    [file, '--role', role, '--rows', String(rows), '--of', of, '--data-dir', path, ...format],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stop = (signal: NodeJS.Signals) => child.kill(signal); // it ends, and we with it
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const [code, signal] = await once(child, 'close');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop);
  if (code !== 0) throw new Error(`${role} ended with ${code ?? signal}`);
  return JSON.parse(text) as T;
}

async function measure(given: Arguments): Promise<void> {
  const path = given.dataDir ?? mkdtempSync(join(tmpdir(), 'waybill-export-'));
  try {
    const filled = await inOwnProcess<Filled>('fill', given, path);
    const exports: Exported[] = [];
    for (const format of given.formats) {
      exports.push(await inOwnProcess<Exported>('export', { ...given, formats: [format] }, path));
    }
    const [cpu] = cpus();
    const machine = {
      ...{ cpu: cpu?.model ?? '', cores: cpus().length, memoryBytes: totalmem() },
      load: loadavg()[0],
    };
    const { rows, of } = given;
    console.log(
      JSON.stringify({ machine, node: process.versions.node, rows, of, appended: filled.appended, exports }),
    );
  } finally {
    if (given.dataDir === null) rmSync(path, { recursive: true, force: true });
  }
}

const given = readArguments();
const path = given.dataDir ?? '';
const format = given.formats[0] ?? 'ndjson';
if (given.role === 'all') await measure(given);
else if (given.role === 'fill') console.log(JSON.stringify(await fillLedger(path, given.rows)));
else console.log(JSON.stringify(await exportLedger(path, given, format)));
