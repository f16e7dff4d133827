/** ClickHouse behind a URL: one server or a cluster. User and password may stand in the URL. */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { limits } from '../base/limits.ts';
import { clusterSettings, clusterStatements, shardingKeysOf } from './cluster.ts';
import {
  type AppendSettings,
  appendSettings,
  type BoundValues,
  createEngine,
  type Engine,
  type SettingList,
  type StreamFormat,
} from './engine.ts';
import { createDatabase, refuseOtherForm, refuseUnknownCluster } from './meet-server.ts';
import { eventColumnNames, eventStructure } from './schema/0001-events.ts';
import { tableStatements } from './schema/schema.ts';

export interface RemoteOptions {
  url: string;
  database: string;
  /** Name of the cluster that the ledger is spread over; null: one server has it. */
  cluster: string | null;
}

export async function openRemote(options: RemoteOptions): Promise<Engine> {
  await meetServer(options);
  return engineOver(options);
}

function engineOver(options: RemoteOptions): Engine {
  const { cluster: name, database } = options;
  const client = clientOf(options);
  const patientClient = clientOf(options, limits.ledgerUpkeepMs);
  const cluster = name === null ? null : { name, database };
  const keys = shardingKeysOf(tableStatements());
  return createEngine({
    kind: 'remote',
    command: (query, query_params) => patientClient.command({ query, query_params }),
    ask: async (query, query_params, { patient }) => {
      const asked = patient ? patientClient : client;
      return (await asked.query({ query, query_params, format: 'JSONCompactEachRow' })).text();
    },
    append: (rows, settings) => insert(client, rows, settings),
    stream: (statement, values, format) =>
      stream(clientOf(options, limits.exportMs), statement, values, format),
    answer: (statement, settings) => answer(client, statement, settings),
    statementsOf: (statement) =>
      cluster === null ? [statement] : clusterStatements(statement, cluster, keys),
    close: async () => {
      await client.close();
      await patientClient.close();
    },
  });
}

/** A connection to a database that does not exist is refused, so the first one names none. */
async function meetServer(options: RemoteOptions): Promise<void> {
  const { cluster, database } = options;
  const engine = engineOver({ ...options, database: 'default' });
  try {
    if (cluster !== null) await refuseUnknownCluster(engine, cluster);
    await refuseOtherForm(engine, database, cluster);
    await createDatabase(engine, database);
  } finally {
    await engine.close();
  }
}

/** The server keeps the answer until it is whole, on its disk if it is long: a fault never follows rows. */
async function* stream(
  client: ClickHouseClient,
  statement: string,
  values: BoundValues,
  format: StreamFormat,
): AsyncGenerator<Uint8Array> {
  try {
    const { stream: pieces } = await client.exec({
      query: `${statement} FORMAT ${format}`,
      query_params: values,
      clickhouse_settings: { wait_end_of_query: 1 },
    });
    yield* pieces as AsyncIterable<Buffer>;
  } finally {
    await client.close();
  }
}

async function answer(client: ClickHouseClient, query: string, settings: SettingList): Promise<string> {
  const { stream: pieces } = await client.exec({
    query,
    clickhouse_settings: { ...Object.fromEntries(settings), wait_end_of_query: 1 },
  });
  return Buffer.concat(await Array.fromAsync(pieces as AsyncIterable<Buffer>)).toString();
}

/** The rows are bytes already; the client's own `insert` would build them from objects. */
async function insert(client: ClickHouseClient, rows: Buffer, settings: AppendSettings): Promise<void> {
  const { stream } = await client.exec({
    query: `INSERT INTO events (${eventColumnNames.join(', ')})
SELECT * FROM input('${eventStructure.replaceAll("'", "\\'")}') FORMAT RowBinary`,
    values: Readable.from([rows], { objectMode: false }),
    clickhouse_settings: { ...appendSettings(settings), wait_end_of_query: 1 },
  });
  for await (const _ of stream); // an answer read to its end frees the connection
}

/** Slower than the engine's own bound, so that the engine's clear error arrives first. */
const requestTimeoutMs = limits.ledgerQueryMs + 5_000;

function clientOf(
  { url, database, cluster }: RemoteOptions,
  timeoutMs: number = requestTimeoutMs,
): ClickHouseClient {
  const withoutDatabase = new URL(url);
  withoutDatabase.pathname = '/'; // the client would prefer it to the database named beside it
  return createClient({
    url: withoutDatabase,
    database,
    request_timeout: timeoutMs,
    use_multipart_params_auto: true,
    clickhouse_settings: cluster === null ? {} : clusterSettings,
    // It would write to the console; whoever catches the `LedgerFault` says it in the log.
    log: { level: ClickHouseLogLevel.OFF },
  });
}
