/**
 * How fast the ledger takes events and answers questions, on this machine:
 *
 *   npm run bench:ledger -- --events 1e6|1e7|1e8 [--path FOLDER] [--repeat 200] [--only WORDS] [--fill-only]
 *
 * It fills a folder (removed at the end, unless `--path` names one: then a fill that was stopped goes on, and one that
 * is complete is only asked) with a made-up history of 400 days and 500 tenants of very different size. Then it asks
 * every question of three tenants: the one with a third of everything, one with about 3 %, and a small one; and once
 * more a page of the small one while the large one asks for a heavy question and the writer appends. One JSON object is
 * its last line. The engine runs in process with 2 GiB and two threads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/ledger/engine.ts';
import { ledgerOver, openEngine } from '../src/ledger/ledger.ts';
import { migrate } from '../src/ledger/schema/schema.ts';
import { fill, letSettle } from './ledger/fill.ts';
import { sideBySide } from './ledger/side-by-side.ts';
import { askAll } from './ledger/timing.ts';

const maxMemoryBytes = 2 * 1024 ** 3;
const tenants = [1, 4, 100];

interface Arguments {
  events: number;
  repeat: number;
  path: string | null;
  only: string;
  fillOnly: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1e6' },
      repeat: { type: 'string', default: '200' },
      path: { type: 'string' },
      only: { type: 'string', default: '' },
      'fill-only': { type: 'boolean', default: false },
    },
  });
  const [events, repeat] = [Number(values.events), Number(values.repeat)];
  if (!(Number.isInteger(events) && events >= 1e5 && events <= 1e9))
    throw new Error('--events takes 1e5 to 1e9');
  if (!(Number.isInteger(repeat) && repeat >= 1 && repeat <= 10_000))
    throw new Error('--repeat takes 1 to 10000');
  return { events, repeat, path: values.path ?? null, only: values.only, fillOnly: values['fill-only'] };
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

async function main({ events, repeat, path, only, fillOnly }: Arguments): Promise<void> {
  const folder = path ?? mkdtempSync(join(tmpdir(), 'waybill-bench-'));
  const engine = await openEngine({ url: null, path: folder, maxMemoryBytes });
  try {
    await migrate(engine);
    const ledger = ledgerOver(engine);
    const filled = await fill(engine, ledger, events);
    await letSettle(engine);
    const asking = { tenants, repeat, only, dropCaches: () => dropCaches(engine) };
    const queries = fillOnly ? [] : await askAll(ledger, asking);
    const together = fillOnly ? null : await sideBySide(ledger, { heavy: 1, light: 100, repeat });
    const bytes = await bytesByTable(engine);
    const [cpu] = cpus();
    const report = {
      machine: { cpu: cpu?.model ?? '', cores: cpus().length, memoryBytes: totalmem(), load: loadavg()[0] },
      versions: await versionsOf(engine),
      ...filled,
      bytesPerEvent: Number(((bytes.events ?? 0) / events).toFixed(1)),
      bytesPerEventByTable: Object.fromEntries(
        Object.entries(bytes).map(([table, sum]) => [table, Number((sum / events).toFixed(1))]),
      ),
      queries,
      together,
    };
    console.log(JSON.stringify(report));
  } finally {
    await engine.close();
    if (path === null) rmSync(folder, { recursive: true, force: true });
  }
}

await main(readArguments());
