/**
 * How fast the ledger takes events and answers questions, on this machine:
 *
 *   npm run bench:ledger -- --events 1e5 [--repeat 30] [--path folder]
 *
 * It fills a folder of its own (removed at the end, unless `--path` names one) with a made-up history of 90
 * days and 200 tenants of very different size, asks each question of a large and of a middling tenant, and
 * prints one JSON object as its last line. The engine runs in process, with the limits of a small machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/ledger/engine.ts';
import { type Ledger, ledgerOver, openEngine } from '../src/ledger/ledger.ts';
import type { DeliveryRow } from '../src/ledger/question.ts';
import { migrate } from '../src/ledger/schema/schema.ts';
import { batchesOf, generateSlices, randomSource, realisticFates } from '../test/support/histories.ts';

const maxEvents = 2e8;
const eventsPerMail = 3.9; // of the fates below, one forward-path a mail
const batchEvents = 10_000;
const dayMs = 24 * 3_600_000;
const to = Date.UTC(2025, 6, 1);
const from = to - 90 * dayMs;

interface Arguments {
  events: number;
  repeat: number;
  path: string | null;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1e5' },
      repeat: { type: 'string', default: '30' },
      path: { type: 'string' },
    },
  });
  const [events, repeat] = [Number(values.events), Number(values.repeat)];
  if (!(events >= 1e4 && events <= maxEvents)) throw new Error(`--events takes 10000 to ${maxEvents}`);
  if (!(repeat >= 1 && repeat <= 10_000)) throw new Error('--repeat takes 1 to 10000');
  return { events, repeat, path: values.path ?? null };
}

/* ---- filling ---- */

interface Filled {
  events: number;
  appendPerSecond: number;
}

/** Only the appends are timed: making the history up costs as much again. */
async function fill(ledger: Ledger, wanted: number): Promise<Filled> {
  const options = {
    ...{
      mails: Math.ceil(wanted / eventsPerMail),
      from,
      to,
      tenants: 200,
      tenantSkew: 4,
      maxForwardPaths: 1,
    },
    ...{ fateWeights: realisticFates, openRate: 0.3, latenessMs: 1000 },
  };
  let [events, spentMs, shown] = [0, 0, 0];
  for (const slice of generateSlices(2025, options, 5000)) {
    for (const batch of batchesOf(slice, batchEvents)) {
      const begun = performance.now();
      await ledger.append(batch);
      spentMs += performance.now() - begun;
      events += batch.events.length;
    }
    if (events - shown >= wanted / 10) {
      shown = events;
      console.error(`${events} events, ${Math.round(events / (spentMs / 1000))} a second`);
    }
  }
  return { events, appendPerSecond: Math.round(events / (spentMs / 1000)) };
}

/**
 * Does at once what the engine does by itself in the hours after a week has ended (schema/0002), since here
 * ninety days went by in minutes. The last two weeks stay as they are.
 */
async function letSettle(engine: Engine): Promise<void> {
  const weeks = await engine.ask(
    "SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() AND table = 'deliveries' ORDER BY partition",
  );
  for (const [week] of weeks.slice(0, -2)) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(String(week))) throw new Error(`"${week}" is not a week`);
    await engine.command(`OPTIMIZE TABLE deliveries PARTITION '${week}' FINAL`);
  }
}

/* ---- asking ---- */

interface Timing {
  name: string;
  tenantDeliveries: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

interface Sample {
  tenantId: number;
  rows: DeliveryRow[];
  random: () => number;
}

type Question = (ledger: Ledger, sample: Sample) => Promise<unknown>;

const newest = { offset: 0, limit: 100, direction: 'descending' } as const;
const rowOf = ({ rows, random }: Sample): DeliveryRow => {
  const row = rows[Math.floor(random() * rows.length)];
  if (!row) throw new Error('the tenant has no deliveries to ask about');
  return row;
};
const scopeOf = ({ tenantId }: Sample) => ({ tenantId });
const bounced = [{ states: ['failed', 'expired'] as const }];
const month = { from: to - 30 * dayMs, to, zone: 'Europe/Berlin' };

const questions: Record<string, Question> = {
  'log: newest 100': (ledger, sample) => ledger.deliveries(scopeOf(sample), {}, newest),
  'log: newest 100 of a week': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), { from: to - 21 * dayMs, to: to - 14 * dayMs }, newest),
  'log: page 100 (offset 10,000)': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), {}, { ...newest, offset: 10_000 }),
  'log: by recipient': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), { forwardPath: rowOf(sample).delivery.forwardPath }, newest),
  'log: by subject': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), { subject: rowOf(sample).mail.subject }, newest),
  'log: by part of Message-ID': (ledger, sample) =>
    ledger.deliveries(
      scopeOf(sample),
      { messageIdContains: rowOf(sample).mail.messageIdField.slice(2) },
      newest,
    ),
  'log: by mail id': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), { mailId: rowOf(sample).mail.mailId }, newest),
  'log: failed ones': (ledger, sample) => ledger.deliveries(scopeOf(sample), { status: bounced }, newest),
  'log: opened ones': (ledger, sample) =>
    ledger.deliveries(scopeOf(sample), { status: [{ states: ['delivered'], engaged: true }] }, newest),
  'mails: newest 100': (ledger, sample) => ledger.mails(scopeOf(sample), {}, newest),
  'queue: first 100': (ledger, sample) => ledger.queue(scopeOf(sample), {}, newest),
  'events: newest 300': (ledger, sample) => ledger.events(scopeOf(sample), {}, 'descending', null, 300),
  'events: of one mail': (ledger, sample) =>
    ledger.events(scopeOf(sample), { mailId: rowOf(sample).mail.mailId }, 'ascending', null, 100),
  'events: failed, newest 300': (ledger, sample) =>
    ledger.events(scopeOf(sample), { types: ['failed', 'deferred'] }, 'descending', null, 300),
  'counts: 30 days by day': (ledger, sample) =>
    ledger.countByBucket(scopeOf(sample), {
      ...month,
      types: ['accepted', 'delivered', 'failed'],
      unit: 'day',
    }),
  'counts: 30 days by day and provider': (ledger, sample) =>
    ledger.countByBucket(scopeOf(sample), {
      ...month,
      types: ['delivered'],
      unit: 'day',
      groupBy: 'provider',
    }),
  'counts: 30 days by tag': (ledger, sample) =>
    ledger.countByBucket(scopeOf(sample), { ...month, types: ['accepted'], unit: 'all', groupBy: 'tag' }),
  'counts: unique opens, 30 days by day': (ledger, sample) =>
    ledger.countByBucket(scopeOf(sample), { ...month, types: ['opened', 'clicked'], unit: 'day' }),
  'totals: 30 days': (ledger, sample) => ledger.mailTotals(scopeOf(sample), month.from, month.to),
  'top senders: 30 days': (ledger, sample) =>
    ledger.top(scopeOf(sample), 'reversePath', month.from, month.to, 500),
};

async function sampleOf(
  ledger: Ledger,
  tenantId: number,
): Promise<{ sample: Sample; tenantDeliveries: number }> {
  const { total, rows } = await ledger.deliveries({ tenantId }, {}, { ...newest, limit: 1000 });
  return { sample: { tenantId, rows, random: randomSource(tenantId) }, tenantDeliveries: total };
}

async function time(ask: () => Promise<unknown>, repeat: number): Promise<number[]> {
  const times: number[] = [];
  await ask();
  for (let turn = 0; turn < repeat; turn += 1) {
    const begun = performance.now();
    await ask();
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b);
}

function rank(sorted: readonly number[], share: number): number {
  const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return Number((sorted[Math.max(0, at)] ?? 0).toFixed(1));
}

async function askAll(ledger: Ledger, tenantId: number, repeat: number): Promise<Timing[]> {
  const { sample, tenantDeliveries } = await sampleOf(ledger, tenantId);
  const timings: Timing[] = [];
  for (const [name, question] of Object.entries(questions)) {
    const times = await time(() => question(ledger, sample), repeat);
    const timing = {
      name,
      tenantDeliveries,
      p50Ms: rank(times, 0.5),
      p95Ms: rank(times, 0.95),
      p99Ms: rank(times, 0.99),
    };
    console.error(
      `${name.padEnd(40)} ${tenantDeliveries} deliveries  p50 ${timing.p50Ms}  p95 ${timing.p95Ms} ms`,
    );
    timings.push(timing);
  }
  return timings;
}

/* ---- the report ---- */

async function bytesPerEvent(engine: Engine, events: number): Promise<number> {
  const sum = 'SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()';
  const [row] = await engine.ask(sum);
  return Math.round(Number(row?.[0]) / events);
}

async function versions(engine: Engine): Promise<Record<string, string>> {
  const [row] = await engine.ask('SELECT version()');
  return { node: process.versions.node, engine: String(row?.[0]) };
}

async function main({ events, repeat, path }: Arguments): Promise<void> {
  const folder = path ?? mkdtempSync(join(tmpdir(), 'waybill-bench-'));
  const engine = await openEngine({ url: null, path: folder });
  try {
    await migrate(engine);
    const ledger = ledgerOver(engine);
    const filled = await fill(ledger, events);
    await letSettle(engine);
    const queries = [...(await askAll(ledger, 1, repeat)), ...(await askAll(ledger, 20, repeat))];
    const [cpu] = cpus();
    const report = {
      machine: { cpu: cpu?.model ?? '', cores: cpus().length, memoryBytes: totalmem() },
      versions: await versions(engine),
      ...filled,
      bytesPerEvent: await bytesPerEvent(engine, filled.events),
      queries,
    };
    console.log(JSON.stringify(report));
  } finally {
    await engine.close();
    if (path === null) rmSync(folder, { recursive: true, force: true });
  }
}

await main(readArguments());
