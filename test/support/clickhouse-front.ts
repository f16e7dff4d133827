/**
 * ClickHouse over HTTP for tests: a small server over the embedded engine that speaks as much of the HTTP
 * interface as `@clickhouse/client` uses, so that the ledger's remote path runs without a server at hand.
 *
 * It speaks: `GET /ping`; `POST /` with the statement in the body, or in `query=` with the rows in the
 * body; `database=`, settings and `param_*` in the URL, or in a multipart form; the headers
 * `X-ClickHouse-Query-Id`, `-Summary`, `-Format`, `-Timezone`, `-Exception-Code`; errors as
 * `Code: N. DB::Exception: … (NAME) (version …)` with the status ClickHouse chooses.
 *
 * Its limits: users are not checked; no compression, sessions, roles, progress headers or external tables;
 * results are sent whole, so an error never follows rows; of the types of parameters it knows integers,
 * strings and arrays of them; one statement at a time; what a real server decides by its own configuration
 * (quotas, replicas) is not there.
 *
 * With a cluster it has one of a single shard, itself, so that what is said to a cluster runs but for Keeper: `ON CLUSTER`
 * and replication are left out.
 *
 * Run by itself it serves one folder until it is stopped, and prints its URL:
 *   node test/support/clickhouse-front.ts <folder> [<cluster>]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { drainPending, Session } from 'chdb';

export interface ClickHouseFront {
  url: string;
  close(): Promise<void>;
}

interface Statement {
  text: string;
  database: string;
  queryId: string;
  settings: Map<string, string>;
  parameters: Map<string, string>;
  /** Rows in a binary form, which cannot stand behind the text. */
  rows: Buffer | null;
}

const maxBodyBytes = 512 * 1024 * 1024;

export interface FrontOptions {
  /** Name of a cluster that the engine knows: one shard, itself. */
  cluster?: string;
}

export async function startClickHouseFront(
  path: string,
  { cluster }: FrontOptions = {},
): Promise<ClickHouseFront> {
  mkdirSync(path, { recursive: true });
  // Holds the engine open between requests.
  const keeper =
    cluster === undefined
      ? new Session(path)
      : new Session(path, { connectionArgs: [`--config-file=${clusterFile(path, cluster)}`] });
  const oneAtATime = queueOf();
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
    answer(path, request, response, oneAtATime).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      keeper.close();
      await drainPending();
    },
  };
}

/** With the port that the engine takes for its own a shard is the engine itself, and nothing needs to listen there. */
function clusterFile(path: string, cluster: string): string {
  const file = join(resolve(path), 'cluster.xml');
  const replica = '<replica><host>127.0.0.1</host><port>9000</port></replica>';
  const shard = `<shard><internal_replication>true</internal_replication>${replica}</shard>`;
  writeFileSync(
    file,
    `<clickhouse><tcp_port>9000</tcp_port><remote_servers replace="true"><${cluster}>${shard}</${cluster}></remote_servers></clickhouse>`,
  );
  return file;
}

/** The embedded engine has no Keeper: what asks for one is made as if this server were alone. */
function withoutKeeper(text: string): string {
  return text
    .replace(/ ON CLUSTER `[^`]+`/g, '')
    .replace(/\bReplicated(\w*MergeTree)\('[^']+', '\{replica\}'(?:, )?/g, '$1(')
    .replace(
      /\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/g,
      'non_replicated_deduplication_window = $1',
    );
}

type Turn = <T>(work: () => Promise<T>) => Promise<T>;

function queueOf(): Turn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

async function answer(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  turn: Turn,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://front');
  if (request.method === 'GET' && url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  try {
    const statement = await statementOf(url, request.headers['content-type'] ?? '', await bodyOf(request));
    const result = await turn(() => run(path, statement));
    response.writeHead(200, headersOf(statement, result.rowsRead)).end(result.bytes());
  } catch (error) {
    refuse(response, error);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Error('Code: 307. DB::Exception: body too large. (TOO_MANY_BYTES)');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** In the URL these are not settings of the statement. */
const notSettings = new Set([
  'query',
  'database',
  'query_id',
  'wait_end_of_query',
  'enable_http_compression',
]);

async function statementOf(url: URL, contentType: string, body: Buffer): Promise<Statement> {
  const fields = new Map(url.searchParams);
  let [text, rows]: [string, Buffer | null] = [body.toString(), null];
  if (contentType.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': contentType },
    }).formData();
    for (const [name, value] of form) fields.set(name, String(value));
    text = fields.get('query') ?? '';
  } else if (/ FORMAT RowBinary\s*$/.test(fields.get('query') ?? '')) {
    [text, rows] = [fields.get('query') ?? '', body];
  } else if (fields.has('query')) {
    text = `${fields.get('query')}\n${text}`;
  }
  const isParameter = (name: string) => name.startsWith('param_');
  return {
    text,
    rows,
    database: fields.get('database') ?? 'default',
    queryId: fields.get('query_id') ?? '',
    settings: new Map([...fields].filter(([name]) => !notSettings.has(name) && !isParameter(name))),
    parameters: new Map(
      [...fields].filter(([name]) => isParameter(name)).map(([name, value]) => [name.slice(6), value]),
    ),
  };
}

/** A connection of its own for each statement: what one sets, the next does not see. */
async function run(path: string, statement: Statement) {
  const session = new Session(path);
  try {
    if (/^\w+$/.test(statement.database)) session.query(`USE ${statement.database}`);
    for (const [name, value] of statement.settings)
      session.query(`SET ${identifier(name)} = ${literal(value)}`);
    if (statement.rows) return await insertRows(session, path, statement.text, statement.rows);
    return await session.queryBindAsync(withoutKeeper(statement.text), parametersOf(statement), {
      format: 'TabSeparated',
    });
  } finally {
    session.close();
  }
}

/** The embedded engine takes statements as text: the rows of `input(…)` stand in a file. */
async function insertRows(session: Session, path: string, text: string, rows: Buffer) {
  const file = join(resolve(path), 'front.rows');
  writeFileSync(file, rows);
  const source = `FROM file(${literal(file)}, 'RowBinary', `;
  return await session.queryAsync(text.replace('FROM input(', source).replace(/FORMAT RowBinary\s*$/, ''));
}

function identifier(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new Error(`Code: 115. DB::Exception: Unknown setting '${name}'. (UNKNOWN_SETTING)`);
}

function literal(value: string): string {
  return /^-?\d+$/.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** The embedded engine wants values, the URL has their text: read back by the type the statement declares. */
function parametersOf({ text, parameters }: Statement): Record<string, unknown> {
  const types = new Map(
    [...text.matchAll(/\{(\w+):\s*([^{}]+)\}/g)].map(([, name = '', type = '']) => [name, type]),
  );
  return Object.fromEntries(
    [...parameters].map(([name, value]) => [name, parameterValue(types.get(name) ?? 'String', value)]),
  );
}

function parameterValue(type: string, value: string): unknown {
  if (type === 'String') return unescaped(value);
  if (/^U?Int\d+$/.test(type)) return value;
  if (/^Array\(U?Int\d+\)$/.test(type))
    return value === '[]' ? [] : value.slice(1, -1).split(',').map(Number);
  if (type === 'Array(String)')
    return [...value.matchAll(/'((?:[^'\\]|\\.)*)'/gs)].map(([, text = '']) => unescaped(text));
  throw new Error(
    `Code: 48. DB::Exception: parameters of type ${type} are beyond this front. (NOT_IMPLEMENTED)`,
  );
}

function unescaped(text: string): string {
  const special: Record<string, string> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', 0: '\0' };
  return text.replace(/\\(.)/gs, (_, character: string) => special[character] ?? character);
}

function headersOf({ queryId, text }: Statement, rows: number): Record<string, string> {
  const format = /\bFORMAT\s+(\w+)\s*$/i.exec(text)?.[1] ?? 'TabSeparated';
  return {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Query-Id': queryId,
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Summary': JSON.stringify({
      ...{ read_rows: String(rows), read_bytes: '0', written_rows: '0', written_bytes: '0' },
      ...{ total_rows_to_read: '0', result_rows: String(rows), result_bytes: '0', elapsed_ns: '0' },
    }),
  };
}

/** As ClickHouse does: 404 for unknown names, 403 for access, 500 for its own trouble, else 400. */
const httpStatuses: ReadonlyMap<number, number> = new Map([
  ...([
    [60, 404],
    [81, 404],
    [46, 404],
    [516, 403],
    [497, 403],
  ] as const),
  ...([
    [159, 408],
    [241, 500],
    [236, 500],
  ] as const),
]);

function refuse(response: ServerResponse, error: unknown): void {
  const said = error instanceof Error ? error.message : String(error);
  const code = Number(/Code: (\d+)/.exec(said)?.[1] ?? 1002);
  const text = said.startsWith('Code: ') ? said : `Code: ${code}. DB::Exception: ${said} (UNKNOWN_EXCEPTION)`;
  response.writeHead(httpStatuses.get(code) ?? 400, { 'X-ClickHouse-Exception-Code': String(code) });
  response.end(`${text} (version 26.7.2.1 (official build))\n`);
}

if (import.meta.main) {
  const [path, cluster] = process.argv.slice(2);
  if (path === undefined) throw new Error('name the folder to serve');
  console.log((await startClickHouseFront(path, cluster === undefined ? {} : { cluster })).url);
}
