/**
 * Brings the history into the ledger, batch by batch as the writer does; a fill that was stopped goes on where it was.
 * The next batch is made up while the ledger takes one.
 */
import { limits } from '../../src/base/limits.ts';
import type { MailEvent } from '../../src/events/event.ts';
import type { Engine } from '../../src/ledger/engine.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { historyBlocks } from './history.ts';

const node = 'relay-1';

export interface Filled {
  events: number;
  /** Of this run: those found from an earlier one are not in the rates. */
  appended: number;
  appendPerSecond: number;
  /** Of this process, without the making-up of the history. */
  appendCpuMicroseconds: number;
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
  { events, present, blocks = historyBlocks(events, limits.ledgerBatchEvents) }: Filling,
): Promise<Filled> {
  if (present > events) throw new Error(`the folder holds ${present} events already, more than --events`);
  if (present === events) return report(events, present, { ms: 0, cpu: 0 });
  const history = madeUp(blocks);
  const now = () => ({ at: performance.now(), cpu: process.cpuUsage(), madeUp: history.cpu() });
  let begun = now();
  let [shownAt, appending] = [begun.at, Promise.resolve()];
  const show = (done: number) => {
    shownAt = performance.now();
    showProgress(done, events, Math.max(0, done - present) / ((shownAt - begun.at) / 1000));
  };
  for (const block of history.blocks) {
    const [first, last] = [block[0]?.sequence ?? 0, block.at(-1)?.sequence ?? 0];
    // The newest batch of an earlier run may lack projections or partitions: it is repeated, as the writer would.
    if (last < present) {
      begun = now();
      continue;
    }
    await appending;
    if (performance.now() - shownAt > 2000) show(first - 1);
    appending = ledger.append({ node, first, last, events: block });
  }
  await appending;
  show(events);
  process.stderr.write('\n');
  const { user, system } = process.cpuUsage(begun.cpu);
  const spent = { ms: performance.now() - begun.at, cpu: user + system - (history.cpu() - begun.madeUp) };
  return report(events, present, spent);
}

/** The blocks, and the microseconds of the processor that it took to make them up. */
function madeUp(blocks: Iterable<MailEvent[]>) {
  let spent = 0;
  function* timed() {
    let before = process.threadCpuUsage();
    for (const block of blocks) {
      const { user, system } = process.threadCpuUsage(before);
      spent += user + system;
      yield block;
      before = process.threadCpuUsage();
    }
  }
  return { blocks: timed(), cpu: () => spent };
}

export async function highestSequence(engine: Engine): Promise<number> {
  const [row] = await engine.ask('SELECT max(sequence) FROM events');
  return Number(row?.[0] ?? 0);
}

function report(events: number, present: number, spent: { ms: number; cpu: number }): Filled {
  const appended = events - present;
  const [perSecond, cpu] = appended === 0 ? [0, 0] : [appended / (spent.ms / 1000), spent.cpu / appended];
  return {
    ...{ events, appended, appendPerSecond: Math.round(perSecond) },
    appendCpuMicroseconds: Number(cpu.toFixed(1)),
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
