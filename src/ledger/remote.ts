/** ClickHouse behind a URL: one server or a cluster. User, password and database may stand in the URL. */
import { Readable } from 'node:stream';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { limits } from '../base/limits.ts';
import { type AppendSettings, appendSettings, createEngine, type Engine, silentClient } from './engine.ts';

export interface RemoteOptions {
  url: string;
  database: string;
}

export async function openRemote({ url, database }: RemoteOptions): Promise<Engine> {
  await createDatabase(url, database);
  const client = clientOf(url, database);
  return createEngine({
    kind: 'remote',
    client,
    append: (table, columns, rows, settings) =>
      insert(client, `${table} (${columns.join(', ')})`, rows, settings),
    close: () => client.close(),
  });
}

/** The rows are text already; the client's own `insert` would build them from objects. */
async function insert(
  client: ClickHouseClient,
  target: string,
  rows: Buffer,
  settings: AppendSettings,
): Promise<void> {
  const { stream } = await client.exec({
    query: `INSERT INTO ${target} FORMAT JSONCompactEachRow`,
    values: Readable.from([rows], { objectMode: false }),
    clickhouse_settings: { ...appendSettings(settings), wait_end_of_query: 1 },
  });
  for await (const _ of stream); // an answer read to its end frees the connection
}

/** Slower than the engine's own bound, so that the engine's clear error arrives first. */
const requestTimeoutMs = limits.ledgerQueryMs + 5_000;

function clientOf(url: string, database: string): ClickHouseClient {
  const withoutDatabase = new URL(url);
  withoutDatabase.pathname = '/'; // the client would prefer it to the database named beside it
  return createClient({
    url: withoutDatabase,
    database,
    request_timeout: requestTimeoutMs,
    use_multipart_params_auto: true,
    log: silentClient,
  });
}

/** A connection to a database that does not exist is refused, so the first one names none. */
async function createDatabase(url: string, database: string): Promise<void> {
  const client = clientOf(url, 'default');
  const engine = createEngine({
    kind: 'remote',
    client,
    append: () => Promise.resolve(),
    close: () => client.close(),
  });
  try {
    await engine.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
  } finally {
    await engine.close();
  }
}
