/** Brings the tables of the ledger up to date: numbered steps, forward only, each recorded once applied. */
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import { type RebuildOptions, rebuildProjections } from '../rebuild.ts';
import { migration as events } from './0001-events.ts';
import { migration as deliveries } from './0002-deliveries.ts';
import { migration as engagement } from './0003-engagement.ts';
import { migration as counters } from './0004-counters.ts';
import { migration as upkeep } from './0005-upkeep.ts';
import { migration as nodes } from './0006-nodes.ts';
import { migration as deliveriesByMonth } from './0007-deliveries-by-month.ts';
import { migration as quickFilters } from './0008-quick-filters.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  events,
  deliveries,
  engagement,
  counters,
  upkeep,
  nodes,
  deliveriesByMonth,
  quickFilters,
];

/** Number of the newest migration that this program knows. */
export const ledgerVersion = Math.max(...migrations.map(({ number }) => number));

const recordTable = `CREATE TABLE IF NOT EXISTS migrations (
  number UInt32,
  name String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** All that ever makes or changes a table, in its order. */
export function tableStatements(): string[] {
  return [recordTable, ...migrations.flatMap(({ statements }) => statements)];
}

export interface MigrateOptions {
  /** Of the events that new tables are filled from. */
  onProgress?: RebuildOptions['onProgress'];
  /** Those of an earlier program, for tests. */
  known?: readonly Migration[];
}

/** Returns the names of the migrations it applied. */
export async function migrate(
  engine: Engine,
  { onProgress, known = migrations }: MigrateOptions = {},
): Promise<string[]> {
  if (!(await hasRecord(engine))) await engine.command(recordTable);
  const rows = await engine.ask('SELECT DISTINCT number FROM migrations');
  const applied = new Set(rows.map(([number]) => Number(number)));
  refuseNewer(Math.max(0, ...applied));
  const missing = known.filter(({ number }) => !applied.has(number));
  for (const { statements } of missing) for (const statement of statements) await engine.command(statement);
  if (missing.some(({ projections }) => projections)) await fillProjections(engine, onProgress);
  for (const migration of missing) await record(engine, migration);
  return missing.map(({ name }) => name);
}

/**
 * Views see what is appended after them; what was there before is told again. Broken off, it begins anew at the next
 * start, because the migrations are recorded after it only.
 */
async function fillProjections(engine: Engine, onProgress: RebuildOptions['onProgress']): Promise<void> {
  const events = await engine.ask('SELECT 1 FROM events LIMIT 1');
  if (events.length === 0) return;
  // Nothing is appended before this has ended.
  await rebuildProjections(engine, { hold: (work) => work(), ...(onProgress && { onProgress }) });
}

/** Looked for, because making it takes all servers of a cluster, and one may be away. */
async function hasRecord(engine: Engine): Promise<boolean> {
  const rows = await engine.ask(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'",
  );
  return rows.length > 0;
}

/** An older program would write rows that lack what a newer one relies on. */
function refuseNewer(newest: number): void {
  const known = ledgerVersion;
  if (newest <= known) return;
  throw new LedgerFault(
    'inconsistent',
    `the ledger's tables are of a newer version (${newest}) than this program knows (${known}); update it`,
  );
}

async function record(engine: Engine, { number, name }: Migration): Promise<void> {
  await engine.command('INSERT INTO migrations (number, name) SELECT {number:UInt32}, {name:String}', {
    number,
    name,
  });
}
