/** PostgreSQL beside the ledger: the same events, the same questions with the same arguments, the same answers. */
import type { Filled } from '../fill.ts';
import { fill } from '../fill.ts';
import type { Sampled } from '../questions.ts';
import { askAll, type Timing } from '../timing.ts';
import { append } from './append.ts';
import { asking } from './ask.ts';
import { type Sql, startServer } from './server.ts';
import { indexStatements, tables } from './tables.ts';

export interface PeerQuestion {
  folder: string;
  events: number;
  samples: readonly Sampled[];
  repeat: number;
  only: string;
  /** What the ledger answered. */
  ledger: readonly Timing[];
}

export interface Peer extends Omit<Filled, 'appendCpuMicroseconds'> {
  name: 'PostgreSQL';
  version: string;
  settleSeconds: number;
  /** With their indexes, as in `bytesPerEventByTable`. */
  bytesPerEvent: number;
  bytesPerEventByTable: Record<string, number>;
  queries: Timing[];
  /** Questions whose answers were not those of the ledger. */
  differing: string[];
}

export async function measurePeer({
  folder,
  events,
  samples,
  repeat,
  only,
  ledger,
}: PeerQuestion): Promise<Peer> {
  const server = await startServer(folder);
  try {
    for (const statement of [...tables, ...indexStatements()]) await server.sql.unsafe(statement);
    const filled = await fill(
      { append: (batch) => append(server.sql, batch) },
      { events, present: await highestSequence(server.sql) },
    );
    const settleSeconds = await settle(server.sql);
    const asked = { samples, repeat, only, dropCaches: () => server.restart() };
    const queries = await askAll(
      asking(() => server.sql),
      asked,
    );
    const bytes = await bytesPerEvent(server.sql, events);
    const { appendCpuMicroseconds: _, ...rates } = filled; // of this process alone, not of the server
    return {
      ...{ name: 'PostgreSQL', version: await versionOf(server.sql), ...rates, settleSeconds },
      ...{ bytesPerEvent: bytes.events ?? 0, bytesPerEventByTable: bytes },
      ...{ queries, differing: differing(queries, ledger) },
    };
  } finally {
    await server.stop();
  }
}

async function highestSequence(sql: Sql): Promise<number> {
  const [row] = await sql`SELECT coalesce(max(sequence), 0) AS sequence FROM events`;
  return Number(row?.sequence);
}

/** What the server does by itself in the days over which such a history happens. */
async function settle(sql: Sql): Promise<number> {
  const begun = performance.now();
  process.stderr.write('vacuum … ');
  await sql.unsafe('VACUUM (ANALYZE)');
  await sql.unsafe('CHECKPOINT');
  const seconds = (performance.now() - begun) / 1000;
  process.stderr.write(`${seconds.toFixed(1)} s\n`);
  return Number(seconds.toFixed(1));
}

async function bytesPerEvent(sql: Sql, events: number): Promise<Record<string, number>> {
  const rows = await sql`SELECT relname AS table, pg_total_relation_size(oid) AS bytes
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`;
  return Object.fromEntries(rows.map(({ table, bytes }) => [table, Number((bytes / events).toFixed(1))]));
}

async function versionOf(sql: Sql): Promise<string> {
  const [row] = await sql`SHOW server_version`;
  return String(row?.server_version);
}

function differing(mine: readonly Timing[], theirs: readonly Timing[]): string[] {
  const nameOf = ({ name, tenantDeliveries }: Timing) => `${name} (${tenantDeliveries} deliveries)`;
  const answers = new Map(theirs.map((timing) => [nameOf(timing), timing.answers]));
  return mine.filter((timing) => answers.get(nameOf(timing)) !== timing.answers).map(nameOf);
}
