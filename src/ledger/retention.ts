/**
 * Removes what is older than it is kept: whole partitions where everything in them is, row by row elsewhere. What is
 * under legal hold and what is still queued stays, however old it is.
 */
import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import { changeEvents, completeAmendments, shortenChain } from './amend.ts';
import { nodesOf } from './chain-records.ts';
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';
import { type AgedTable, advanceHorizon } from './horizons.ts';
import { type AgeGroup, ofEndedMails, olderThan, sparing } from './old-mail.ts';
import { changeRows, countRows, partitionsWith, type Which } from './partitions.ts';
import type { Hold } from './rebuild.ts';

/** Tenants whose rows of a table go when they are older than `before`. */
export interface Removal extends AgeGroup {
  table: AgedTable;
  /** UTC milliseconds, on a whole day. */
  before: number;
}

export interface RemovalOptions {
  removals: readonly Removal[];
  /** Mails of which nothing goes: held, or still queued in the store. */
  spared: readonly number[];
  hold: Hold;
  onProgress?: (done: number, total: number) => void;
}

/** Rows that go, or went. */
export type Removed = Record<AgedTable, number>;

interface Place {
  table: string;
  column: 'at' | 'accepted_at' | 'quarter';
  ofMails: boolean;
}

const places: Record<AgedTable, readonly Place[]> = {
  events: [{ table: 'events', column: 'at', ofMails: true }],
  deliveries: [
    { table: 'deliveries', column: 'accepted_at', ofMails: true },
    { table: 'engagement', column: 'accepted_at', ofMails: true },
  ],
  counters: [
    { table: 'counters', column: 'quarter', ofMails: false },
    { table: 'totals', column: 'quarter', ofMails: false },
  ],
};

export async function countOld(engine: Engine, { removals, spared }: RemovalOptions): Promise<Removed> {
  const removed: Removed = { events: 0, deliveries: 0, counters: 0 };
  for (const table of Object.keys(places) as AgedTable[]) {
    const [place] = places[table];
    const which =
      place &&
      whichOf(
        place,
        removals.filter((one) => one.table === table),
        spared,
      );
    if (!place || !which) continue;
    removed[table] = await countRows(engine, place.table, which);
  }
  return removed;
}

export async function removeOld(
  engine: Engine,
  key: InstallationKey | null,
  options: RemovalOptions,
): Promise<Removed> {
  const { removals, spared, hold, onProgress = () => {} } = options;
  if (key !== null) await completeAmendments(engine, key, 'expired');
  const removed = await countOld(engine, options);
  for (const { table, tenantIds, before } of removals) {
    if (tenantIds.length > 0) await advanceHorizon(engine, table, tenantIds, before);
  }
  const tables = (Object.keys(places) as AgedTable[]).filter((table) => removed[table] > 0);
  for (const [index, table] of tables.entries()) {
    onProgress(index, tables.length);
    for (const place of places[table]) {
      const which = whichOf(
        place,
        removals.filter((one) => one.table === table),
        spared,
      );
      if (which === null) continue;
      const remove = () => removeFrom(engine, place, which, hold);
      if (table === 'events') await changeEvents(engine, key, { kind: 'expired', ...which, change: remove });
      else await remove();
    }
  }
  if (key !== null) for (const node of await nodesOf(engine)) await shortenChain(engine, key, node);
  onProgress(tables.length, tables.length);
  return removed;
}

function whichOf(
  { column, ofMails }: Place,
  removals: readonly Removal[],
  spared: readonly number[],
): Which | null {
  const milliseconds =
    column === 'quarter' ? 'toUnixTimestamp(quarter) * 1000' : `toUnixTimestamp64Milli(${column})`;
  const old = olderThan(removals, milliseconds);
  return old !== null && ofMails ? sparing(spared, ofEndedMails(old)) : old;
}

async function removeFrom(engine: Engine, { table }: Place, which: Which, hold: Hold): Promise<void> {
  for (const partition of await partitionsWith(engine, table, which)) {
    const whole =
      partition.rows === partition.meant && (await hold(() => dropWhole(engine, table, partition.id, which)));
    if (!whole) await changeRows(engine, { table, partition }, which, null);
  }
}

/** Looked at again while nothing is appended. False: something came in that stays. */
async function dropWhole(engine: Engine, table: string, partition: string, which: Which): Promise<boolean> {
  const [row] = await engine.ask(
    `SELECT count(), countIf(${which.condition}) FROM ${table} WHERE _partition_id = {partition:String}`,
    { ...which.values, partition },
    { patient: true },
  );
  if (row === undefined || row[0] !== row[1]) return false;
  await engine.command(`ALTER TABLE ${table} DROP PARTITION ID '${partition}'`);
  return true;
}

/**
 * The day before which rows have to go for the table, or one tenant's share of it, to take `bytes` at most: by the
 * average size of a row. Null when it is small enough.
 */
export async function dayForSize(
  engine: Engine,
  table: AgedTable,
  tenantId: number | null,
  bytes: number,
): Promise<number | null> {
  const [place] = places[table];
  if (place === undefined) return null;
  await refuseDistributed(engine, place.table);
  const [size] = await engine.ask(
    `SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}`,
    { table: place.table },
  );
  const [onDisk, rows] = [Number(size?.[0] ?? 0), Number(size?.[1] ?? 0)];
  if (rows === 0) return null;
  const mostRows = bytes / (onDisk / rows);
  const scope = tenantId === null ? '' : 'WHERE tenant_id = {tenantId:UInt64}';
  const days = await engine.ask(
    `SELECT intDiv(toUnixTimestamp(toDateTime(${place.column}, 'UTC')), 86400) AS day, count() FROM ${place.table} ${scope}
GROUP BY day ORDER BY day DESC LIMIT ${limits.retentionDays}`,
    tenantId === null ? {} : { tenantId },
    { patient: true },
  );
  let kept = 0;
  for (const [day, count] of days) {
    kept += Number(count);
    if (kept > mostRows) return (Number(day) + 1) * 86_400_000;
  }
  return null;
}

async function refuseDistributed(engine: Engine, table: string): Promise<void> {
  const [row] = await engine.ask(
    'SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table },
  );
  if (row?.[0] !== 'Distributed') return;
  throw new LedgerFault(
    'question',
    'a bound in bytes cannot be kept on a cluster, where each server knows the size of its own share only; set a time instead',
  );
}

export async function tenantsIn(engine: Engine): Promise<number[]> {
  const rows = await engine.ask(
    `SELECT DISTINCT tenant_id FROM (SELECT DISTINCT tenant_id FROM events UNION ALL SELECT DISTINCT tenant_id FROM deliveries
UNION ALL SELECT DISTINCT tenant_id FROM counters) ORDER BY tenant_id`,
    {},
    { patient: true },
  );
  return rows.map(([tenantId]) => Number(tenantId));
}

/** Mails to an address of a tenant, in lower case. */
export async function mailsTo(
  engine: Engine,
  tenantId: number,
  addresses: readonly string[],
): Promise<number[]> {
  if (addresses.length === 0) return [];
  const rows = await engine.ask(
    `SELECT DISTINCT mail_id FROM events WHERE tenant_id = {tenantId:UInt64} AND lowerUTF8(forward_path) IN {addresses:Array(String)}
LIMIT ${limits.heldMails + 1}`,
    { tenantId, addresses },
    { patient: true },
  );
  if (rows.length <= limits.heldMails) return rows.map(([mailId]) => Number(mailId));
  throw new LedgerFault(
    'question',
    `more than ${limits.heldMails} mails are held by address; hold the tenant instead`,
  );
}
