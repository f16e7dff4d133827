/**
 * How fast the ledger takes events and answers questions, on this machine, and PostgreSQL beside it:
 *
 *   npm run bench:ledger -- --events 1e6|1e7|1e8 [--path FOLDER] [--repeat 200] [--only WORDS] [--fill-only]
 *     [--peer postgres|none]
 *
 * It fills a folder (removed at the end, unless `--path` names one: then a fill that was stopped goes on, and one that
 * is complete is only asked) with a made-up history of 400 days and 500 tenants of very different size. Then it asks
 * every question of three tenants: the one with a third of everything, one with about 3 %, and a small one; and once
 * more a page of the small one while the large one asks for a heavy question and the writer appends. One JSON object is
 * its last line. The engine runs in process with 2 GiB and two threads.
 *
 * The peer comes afterwards, alone, in a folder of its own (`FOLDER-postgres`): Debian's postgresql-15 where it is
 * installed, unless more than 1e7 events are asked for.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/ledger/engine.ts';
import { ledgerOver, openEngine } from '../src/ledger/ledger.ts';
import { migrate } from '../src/ledger/schema/schema.ts';
import { fill, highestSequence, letSettle } from './ledger/fill.ts';
import { measurePeer } from './ledger/postgres/peer.ts';
import { postgresIsHere, stopServers } from './ledger/postgres/server.ts';
import { type Sampled, sampleOf } from './ledger/questions.ts';
import { sideBySide } from './ledger/side-by-side.ts';
import { askAll } from './ledger/timing.ts';

const maxMemoryBytes = 2 * 1024 ** 3;
const tenants = [1, 4, 100];
const peerEvents = 1e7;

interface Arguments {
  events: number;
  repeat: number;
  path: string | null;
  only: string;
  fillOnly: boolean;
  peer: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1e6' },
      repeat: { type: 'string', default: '200' },
      path: { type: 'string' },
      only: { type: 'string', default: '' },
      'fill-only': { type: 'boolean', default: false },
      peer: { type: 'string' },
    },
  });
  const [events, repeat] = [Number(values.events), Number(values.repeat)];
  if (!(Number.isInteger(events) && events >= 1e5 && events <= 1e9))
    throw new Error('--events takes 1e5 to 1e9');
  if (!(Number.isInteger(repeat) && repeat >= 1 && repeat <= 10_000))
    throw new Error('--repeat takes 1 to 10000');
  const peer = values.peer ?? (postgresIsHere() && events <= peerEvents ? 'postgres' : 'none');
  if (!['postgres', 'none'].includes(peer)) throw new Error('--peer takes postgres or none');
  if (peer === 'postgres' && !postgresIsHere()) throw new Error('apt-get install postgresql-15 for the peer');
  const { path = null, only, 'fill-only': fillOnly } = values;
  return { events, repeat, path, only, fillOnly, peer: peer === 'postgres' };
}

async function bytesByTable(engine: Engine): Promise<Record<string, number>> {
  const rows = await engine.ask(`SELECT table, sum(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table`);
  return Object.fromEntries(rows.map(([table, bytes]) => [String(table), Number(bytes)]));
}

async function versionsOf(engine: Engine): Promise<Record<string, string>> {
  const [row] = await engine.ask('SELECT version()');
  return { node: process.versions.node, engine: String(row?.[0]) };
}

async function dropCaches(engine: Engine): Promise<void> {
  for (const cache of ['MARK', 'UNCOMPRESSED', 'INDEX MARK', 'QUERY CONDITION']) {
    await engine.command(`SYSTEM DROP ${cache} CACHE`);
  }
}

/** The samples go to the peer as well; null where nothing is asked. */
async function measureLedger({ events, repeat, only, fillOnly }: Arguments, folder: string) {
  const engine = await openEngine({ url: null, path: folder, maxMemoryBytes });
  try {
    await migrate(engine);
    const ledger = ledgerOver(engine);
    const filled = await fill(ledger, { events, present: await highestSequence(engine) });
    await letSettle(engine);
    const samples: Sampled[] = [];
    if (!fillOnly) for (const tenant of tenants) samples.push(await sampleOf(ledger, tenant));
    const queries = await askAll(ledger, { samples, repeat, only, dropCaches: () => dropCaches(engine) });
    const together = fillOnly ? null : await sideBySide(ledger, { heavy: 1, light: 100, repeat });
    const bytes = await bytesByTable(engine);
    const bytesPerEventByTable = Object.fromEntries(
      Object.entries(bytes).map(([table, sum]) => [table, Number((sum / events).toFixed(1))]),
    );
    const [versions, bytesPerEvent] = [await versionsOf(engine), bytesPerEventByTable.events ?? 0];
    return {
      samples,
      report: { versions, ...filled, bytesPerEvent, bytesPerEventByTable, queries, together },
    };
  } finally {
    await engine.close();
  }
}

const folders: string[] = [];

function folderFor({ path }: Arguments, name: string): string {
  if (path !== null) return `${path}${name}`;
  const folder = mkdtempSync(join(tmpdir(), `waybill-bench${name}-`));
  folders.push(folder);
  return folder;
}

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

async function main(given: Arguments): Promise<void> {
  const [cpu] = cpus();
  const { samples, report } = await measureLedger(given, folderFor(given, ''));
  const { events, repeat, only } = given;
  const machine = {
    cpu: cpu?.model ?? '',
    cores: cpus().length,
    memoryBytes: totalmem(),
    load: loadavg()[0],
  };
  const peer = given.peer
    ? await measurePeer({
        ...{ folder: folderFor(given, '-postgres'), events, samples, repeat, only, ledger: report.queries },
      })
    : null;
  console.log(JSON.stringify({ machine, ...report, peer }));
  if (peer?.differing.length) process.exitCode = 1;
}

/** By the signal itself: the engine does not survive an exit in the middle of its work. */
async function interrupted(signal: NodeJS.Signals): Promise<void> {
  process.on('uncaughtException', () => undefined); // what now breaks off
  await stopServers();
  removeFolders();
  process.kill(process.pid, signal);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void interrupted(signal));
try {
  await main(readArguments());
} finally {
  removeFolders();
}
