/**
 * Makes the projections anew from the events (invariant I11): after a change of a projection, or to see
 * that nothing was lost. Nothing may be appended meanwhile: the caller stops the writer.
 */
import type { Engine } from './engine.ts';
import { deliveriesFeed } from './schema/0002-deliveries.ts';
import { engagementFeed } from './schema/0003-engagement.ts';
import { countersFeed, totalsFeed } from './schema/0004-counters.ts';

/** The feeds are the very statements of the materialized views. */
export const projections: readonly { table: string; feed: string }[] = [
  { table: 'deliveries', feed: deliveriesFeed },
  { table: 'engagement', feed: engagementFeed },
  { table: 'totals', feed: totalsFeed },
  { table: 'counters', feed: countersFeed },
];

/**
 * Deduplication would take a second rebuild for a repetition of the first one. Blocks are small and there is
 * one thread, so that a rebuild fits into the memory of a small machine.
 */
const settings = `insert_deduplicate = 0, max_partitions_per_insert_block = 0, max_threads = 1, asterisk_include_alias_columns = 1,
  max_block_size = 8192, max_insert_block_size = 65536, min_insert_block_size_rows = 65536,
  min_insert_block_size_bytes = 0`;

export async function rebuildProjections(engine: Engine): Promise<void> {
  const months = await engine.ask('SELECT DISTINCT toYYYYMM(at) AS month FROM events ORDER BY month');
  for (const { table, feed } of projections) {
    await engine.command(`TRUNCATE TABLE ${table}`);
    for (const [month] of months) await fill(engine, table, feed, Number(month));
  }
}

/** Month by month, so that no step needs more memory than a month's worth of groups. */
async function fill(engine: Engine, table: string, feed: string, month: number): Promise<void> {
  const ofMonth = feed.replace(
    'FROM events',
    'FROM (SELECT * FROM events WHERE toYYYYMM(at) = {month:UInt32}) AS events',
  );
  await engine.command(`INSERT INTO ${table} ${ofMonth} SETTINGS ${settings}`, { month });
}
