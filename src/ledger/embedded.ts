/**
 * ClickHouse in this process (chDB). The library binds one data directory per process: a `Session` opened first starts
 * the engine with our arguments (memory of all statements together, caches, merges), and every later connection to the
 * same path shares it. What one statement may take is a setting of each session.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drainPending, Session } from 'chdb';
import { limits } from '../base/limits.ts';
import { answer, clearExports, stream } from './embedded-stream.ts';
import { type AppendSettings, appendSettings, createEngine, type Engine, executionMs } from './engine.ts';
import { faultOf } from './fault.ts';
import { literal, withLiterals } from './literals.ts';
import { eventColumnNames, eventStructure } from './schema/0001-events.ts';
import { createSessions, openSession } from './sessions.ts';

export interface EmbeddedOptions {
  path: string;
  database: string;
  /** Memory all statements together may use. */
  maxMemoryBytes: number;
  /** Threads one statement may use. */
  threads: number;
  /** Merges at once. */
  mergeThreads: number;
  /** None is begun while those under way take more. */
  mergeMemoryBytes: number;
}

export async function openEmbedded(options: EmbeddedOptions): Promise<Engine> {
  mkdirSync(options.path, { recursive: true });
  clearExports(options.path);
  clearBatches(options.path);
  try {
    return engineOver(options);
  } catch (error) {
    throw faultOf(error);
  }
}

function engineOver(options: EmbeddedOptions): Engine {
  const { path, database } = options;
  const first = new Session(path, { connectionArgs: engineArguments(options) });
  first.query(`CREATE DATABASE IF NOT EXISTS ${database}`);
  const prepared = [`USE ${database}`, limitsOf(options)];
  for (const statement of prepared) first.query(statement);
  const open = () => openSession(path, prepared);
  // Appends and commands have a session each: neither waits for the other, nor for questions.
  const commands = open();
  const questions = createSessions(open, limits.ledgerQuestionsAtOnce);
  return createEngine({
    kind: 'embedded',
    command: (statement, values) => commands.queryAsync(withLiterals(statement, values)),
    ask: (statement, values, bounds) =>
      questions.use(executionMs(bounds), async (session) =>
        (await session.queryAsync(withLiterals(statement, values), { format: 'JSONCompactEachRow' })).text(),
      ),
    append: (rows, settings) => insert(first, path, rows, settings),
    stream: (statement, values, format) => stream({ path, open }, statement, values, format),
    answer: (statement, settings) => answer(open, statement, settings),
    close: async () => {
      questions.close();
      commands.close();
      first.close();
      await drainPending(); // the engine computes on after its callers gave up; only then is the path free
    },
  });
}

let batches = 0;

/** Statements of this engine are text, so the rows stand in a file while it reads them. */
async function insert(
  session: Session,
  folder: string,
  rows: Buffer,
  settings: AppendSettings,
): Promise<void> {
  batches += 1;
  const file = join(resolve(folder), `append-${batches}.rows`);
  writeFileSync(file, rows);
  try {
    await session.queryAsync(insertFromFile(file, settings));
  } finally {
    rmSync(file);
  }
}

/** A process that was killed in the middle of an append leaves its rows. */
function clearBatches(folder: string): void {
  const left = readdirSync(folder).filter((name) => /^append-\d+\.rows$/.test(name));
  for (const name of left) rmSync(join(folder, name));
}

function insertFromFile(file: string, settings: AppendSettings): string {
  const listed = Object.entries(appendSettings(settings)).map(
    ([name, value]) => `${name} = ${literal(value)}`,
  );
  return `INSERT INTO events (${eventColumnNames.join(', ')})
SELECT * FROM file(${literal(file)}, 'RowBinary', ${literal(eventStructure)})
SETTINGS ${listed.join(', ')}`;
}

/** Caches take shares of the memory limit: they count towards it, and the defaults assume a whole machine. */
function engineArguments({ maxMemoryBytes, mergeThreads, mergeMemoryBytes }: EmbeddedOptions): string[] {
  const share = (part: number) => Math.floor(maxMemoryBytes * part);
  return [
    `--max_server_memory_usage=${maxMemoryBytes}`,
    `--mark_cache_size=${share(0.1)}`,
    `--primary_index_cache_size=${share(0.1)}`,
    `--index_mark_cache_size=${share(0.03)}`,
    `--query_condition_cache_size=${share(0.02)}`,
    `--background_pool_size=${mergeThreads}`,
    '--background_merges_mutations_concurrency_ratio=1',
    `--merges_mutations_memory_usage_soft_limit=${mergeMemoryBytes}`,
  ];
}

/** What one statement may take. The engine knows these of sessions only: as arguments of its start they do nothing. */
function limitsOf({ maxMemoryBytes, threads }: EmbeddedOptions): string {
  const share = (part: number) => Math.floor(maxMemoryBytes * part);
  return `SET max_threads = ${threads}, max_query_size = ${limits.ledgerStatementBytes}, max_memory_usage = ${share(0.8)},
max_bytes_before_external_group_by = ${share(0.3)}, max_bytes_before_external_sort = ${share(0.3)}`;
}
