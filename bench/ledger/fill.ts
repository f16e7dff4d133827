/** Brings the history into the ledger, batch by batch as the writer does; a fill that was stopped goes on where it was. */
import type { MailEvent } from '../../src/events/event.ts';
import type { Engine } from '../../src/ledger/engine.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { historyBlocks } from './history.ts';

const node = 'relay-1';
const batchEvents = 50_000;

export interface Filled {
  events: number;
  /** Of this run: those found from an earlier one are not in the rates. */
  appended: number;
  appendPerSecond: number;
  appendCpuMicroseconds: number;
  endToEndPerSecond: number;
}

export interface Filling {
  events: number;
  /** The highest sequence that the folder has already. */
  present: number;
  /** The whole history, unless said. */
  blocks?: Iterable<MailEvent[]>;
}

export async function fill(
  ledger: Pick<Ledger, 'append'>,
  { events, present, blocks = historyBlocks(events, batchEvents) }: Filling,
): Promise<Filled> {
  if (present > events) throw new Error(`the folder holds ${present} events already, more than --events`);
  const [begun, spent] = [performance.now(), { ms: 0, cpu: 0 }];
  let shownAt = begun;
  for (const block of blocks) {
    const [first, last] = [block[0]?.sequence ?? 0, block.at(-1)?.sequence ?? 0];
    // The newest batch of an earlier run may lack projections or partitions: it is repeated, as the writer would.
    if (last < present) continue;
    const [at, cpu] = [performance.now(), process.cpuUsage()];
    await ledger.append({ node, first, last, events: block });
    spent.ms += performance.now() - at;
    spent.cpu += cpuSince(cpu);
    if (performance.now() - shownAt > 2000) {
      shownAt = performance.now();
      showProgress(last, events, Math.max(0, last - present) / (spent.ms / 1000));
    }
  }
  process.stderr.write('\n');
  return report(events, present, { ...spent, wallMs: performance.now() - begun });
}

export async function highestSequence(engine: Engine): Promise<number> {
  const [row] = await engine.ask('SELECT max(sequence) FROM events');
  return Number(row?.[0] ?? 0);
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function report(events: number, present: number, spent: { ms: number; cpu: number; wallMs: number }): Filled {
  const appended = events - present;
  const per = (ms: number) => (appended === 0 ? 0 : Math.round(appended / (ms / 1000)));
  return {
    events,
    appended,
    appendPerSecond: per(spent.ms),
    appendCpuMicroseconds: appended === 0 ? 0 : Number((spent.cpu / appended).toFixed(1)),
    endToEndPerSecond: per(spent.wallMs),
  };
}

function showProgress(done: number, events: number, perSecond: number): void {
  const width = 40;
  const filled = Math.round((done / events) * width);
  const bar = '█'.repeat(filled).padEnd(width, '·');
  process.stderr.write(
    `\r${bar} ${((done / events) * 100).toFixed(1)} %  ${Math.round(perSecond)} events/s `,
  );
}

/**
 * Does at once what the engine does by itself in the hours after a month has ended (schema/0002), since here 400 days
 * went by in minutes. The last month stays as it is.
 */
export async function letSettle(engine: Engine): Promise<void> {
  const months = await engine.ask(`SELECT partition FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'deliveries'
GROUP BY partition ORDER BY partition`);
  for (const [month] of months.slice(0, -1)) {
    if (!/^\d{6}$/.test(String(month))) throw new Error(`"${month}" is not a month`);
    await engine.command(
      `OPTIMIZE TABLE deliveries PARTITION '${month}' FINAL SETTINGS optimize_skip_merged_partitions = 1`,
    );
  }
}
