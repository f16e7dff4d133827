/** Brings the tables of the ledger up to date: numbered steps, forward only, each recorded once applied. */
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import { migration as events } from './0001-events.ts';
import { migration as deliveries } from './0002-deliveries.ts';
import { migration as engagement } from './0003-engagement.ts';
import { migration as counters } from './0004-counters.ts';
import { migration as upkeep } from './0005-upkeep.ts';
import { migration as nodes } from './0006-nodes.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [events, deliveries, engagement, counters, upkeep, nodes];

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

/** Returns the names of the migrations it applied. */
export async function migrate(engine: Engine): Promise<string[]> {
  if (!(await hasRecord(engine))) await engine.command(recordTable);
  const rows = await engine.ask('SELECT DISTINCT number FROM migrations');
  const applied = new Set(rows.map(([number]) => Number(number)));
  refuseNewer(Math.max(0, ...applied));
  const missing = migrations.filter(({ number }) => !applied.has(number));
  for (const migration of missing) await apply(engine, migration);
  return missing.map(({ name }) => name);
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

async function apply(engine: Engine, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await engine.command(statement);
  await engine.command('INSERT INTO migrations (number, name) SELECT {number:UInt32}, {name:String}', {
    number: migration.number,
    name: migration.name,
  });
}
