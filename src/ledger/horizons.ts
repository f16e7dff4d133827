/**
 * How far retention has come: of each table and tenant the time before which rows may be missing. Written before
 * anything is removed, so that nobody takes what is gone on purpose for a loss: a rebuild keeps rows of projections
 * whose events are gone, and a comparison leaves those times out.
 */
import type { BoundValues, Engine } from './engine.ts';

export type AgedTable = 'events' | 'deliveries' | 'counters';

/** By tenant, UTC milliseconds. */
export type Horizons = ReadonlyMap<number, number>;

export async function horizonsOf(engine: Engine, tables: readonly AgedTable[]): Promise<Horizons> {
  const rows = await engine.ask(
    `SELECT tenant_id, toUnixTimestamp64Milli(max(before)) FROM horizons
     WHERE table_name IN {tables:Array(String)} GROUP BY tenant_id ORDER BY tenant_id`,
    { tables },
  );
  return new Map(rows.map(([tenantId, before]) => [Number(tenantId), Number(before)]));
}

/** Before that time rows of this table and tenant may be missing; 0: none are. */
export async function removedBefore(engine: Engine, table: AgedTable, tenantId: number): Promise<number> {
  const [row] = await engine.ask(
    `SELECT toUnixTimestamp64Milli(max(before)) FROM horizons
     WHERE table_name = {table:String} AND tenant_id = {tenantId:UInt64}`,
    { table, tenantId },
  );
  return Math.max(0, Number(row?.[0] ?? 0));
}

export async function advanceHorizon(
  engine: Engine,
  table: AgedTable,
  tenantIds: readonly number[],
  before: number,
): Promise<void> {
  await engine.command(
    `INSERT INTO horizons (table_name, tenant_id, before)
     SELECT {table:String}, arrayJoin({tenantIds:Array(UInt64)}), fromUnixTimestamp64Milli({before:Int64}, 'UTC')`,
    { table, tenantIds, before },
  );
}

/** "This row lies before its tenant's horizon"; null when there is no horizon at all. */
export function beforeHorizon(
  horizons: Horizons,
  column: string,
): { condition: string; values: BoundValues } | null {
  if (horizons.size === 0) return null;
  const milliseconds =
    column === 'quarter' ? `toUnixTimestamp(quarter) * 1000` : `toUnixTimestamp64Milli(${column})`;
  return {
    condition: `${milliseconds} < transform(tenant_id, {horizonTenants:Array(UInt64)}, {horizonTimes:Array(Int64)}, toInt64(0))`,
    values: { horizonTenants: [...horizons.keys()], horizonTimes: [...horizons.values()] },
  };
}
