/**
 * What the chain of batches costs, on this machine: batches appended with it and without it in turn, then a walk over all
 * that was appended with it.
 *
 *   npm run bench:chain -- [--batches 40] [--events 1000]
 *
 * In a folder of its own, removed at the end; the engine runs in process. One JSON object is its last line: medians.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installationKey } from '../src/base/secret.ts';
import type { MailEvent } from '../src/events/event.ts';
import { type Ledger, ledgerOver, openEngine } from '../src/ledger/ledger.ts';
import { migrate } from '../src/ledger/schema/schema.ts';
import { historyBlocks } from './ledger/history.ts';

const { values } = parseArgs({
  options: { batches: { type: 'string', default: '40' }, events: { type: 'string', default: '1000' } },
});
const [batches, size] = [Number(values.batches), Number(values.events)];
if (!(Number.isInteger(batches) && batches >= 2 && batches <= 10_000))
  throw new Error('--batches takes 2 to 10000');
if (!(Number.isInteger(size) && size >= 1 && size <= 10_000)) throw new Error('--events takes 1 to 10000');

interface Cost {
  ms: number;
  cpuMs: number;
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

function median(costs: readonly Cost[]): Cost {
  const middle = (of: keyof Cost) => costs.map((cost) => cost[of]).sort((a, b) => a - b)[costs.length >> 1];
  return { ms: Number(middle('ms')?.toFixed(1)), cpuMs: Number(middle('cpuMs')?.toFixed(1)) };
}

function append(ledger: Ledger, node: string, block: readonly MailEvent[], first: number): Promise<void> {
  const events = block.map((event, index) => ({ ...event, sequence: first + index }));
  return ledger.append({ node, first, last: first + events.length - 1, events });
}

const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-chain-'));
const engine = await openEngine({ url: null, path: folder });
try {
  await migrate(engine);
  const plain = ledgerOver(engine);
  const chained = ledgerOver(engine, installationKey(Buffer.alloc(32, 7)));
  const [without, within]: [Cost[], Cost[]] = [[], []];
  let first = 1;
  for (const block of historyBlocks(batches * size, size)) {
    without.push(await costOf(() => append(plain, 'plain', block, first)));
    within.push(await costOf(() => append(chained, 'chained', block, first)));
    first += block.length;
  }
  const walk = await costOf(() =>
    chained.maintenance.verifyChain({ hold: (work) => work(), own: null, from: [] }),
  );
  const [cpu] = cpus();
  console.log(
    JSON.stringify({
      machine: { cpu: cpu?.model ?? '', cores: cpus().length, load: loadavg()[0] },
      ...{ batches, eventsOfABatch: size, appendWithout: median(without), appendWith: median(within) },
      walk: { events: first - 1, eventsPerSecond: Math.round((first - 1) / (walk.ms / 1000)) },
    }),
  );
} finally {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
}
