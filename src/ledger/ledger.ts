/**
 * The ledger: the memory of every event, and the answers drawn from it. It is ClickHouse, in process or
 * behind a URL, and decides nothing (invariant I9): delete it and mail flows on.
 *
 * This is the module's door. Not here: what is due next (queue), who may ask (tenants, dialects).
 */
import type { Log } from '../base/log.ts';
import type { InstallationKey } from '../base/secret.ts';
import type { MailEvent } from '../events/event.ts';
import { append } from './append.ts';
import { openChain } from './chain.ts';
import type { Engine } from './engine.ts';
import { type ExportQuestion, exportRows } from './export.ts';
import { LedgerFault } from './fault.ts';
import { type FrozenTable, freezeTables, restoreTables } from './freeze.ts';
import { type Maintenance, maintenanceOf } from './maintenance.ts';
import { type Moved, type MoveProgress, moveEvents } from './move.ts';
import { claimNode, type NodeOnServer, newestSequenceOf } from './nodes.ts';
import { countByBucket } from './queries/count-by-bucket.ts';
import { deliveries } from './queries/deliveries.ts';
import { events } from './queries/events.ts';
import { mailTotals } from './queries/mail-totals.ts';
import { mails } from './queries/mails.ts';
import { queue } from './queries/queue.ts';
import { countRuleBreaks } from './queries/rule-breaks.ts';
import { top } from './queries/top.ts';
import type { Ask, Scope } from './question.ts';
import { openRemote } from './remote.ts';
import { ledgerVersion, migrate } from './schema/schema.ts';
import { answerSql, type SqlQuestion } from './sql.ts';

export { type ExportFormat, type ExportQuestion, exportFormats } from './export.ts';
export { adviceAbout, LedgerFault } from './fault.ts';
export type * from './maintenance.ts';
export type { Moved, MoveProgress } from './move.ts';
export type { NodeOnServer } from './nodes.ts';
export type * from './question.ts';
export { ledgerVersion } from './schema/schema.ts';
export { type SqlQuestion, sqlFormats } from './sql.ts';

/** Events `first`..`last` of one node's outbox, without a hole. */
export interface Batch {
  node: string;
  first: number;
  last: number;
  events: readonly MailEvent[];
}

export interface Ledger extends Ask {
  /**
   * Appends a batch to `events` and all projections. Appending the same batch again (same node, first,
   * last, same content) changes nothing: after a crash the writer repeats the batch it had begun.
   */
  append(batch: Batch): Promise<void>;
  /** Events that broke the rule of states and so moved none (range of acceptance). None are expected. */
  countRuleBreaks(scope: Scope, from: number, to: number): Promise<number>;
  readonly maintenance: Maintenance;
  close(): Promise<void>;
}

/** The ledger of an installation: what has to do with the engine itself, besides questions and appends. */
export interface OpenLedger extends Ledger {
  /**
   * Puts the tables as they stand now into a folder on the same disk, without copying. Null: the ledger stands on a
   * server. Nothing may append meanwhile, or the tables would differ from each other.
   */
  freeze(into: string): Promise<FrozenLedger | null>;
  /** Takes a node's number for a store, unless another store has it. */
  claimNode(node: string, store: string): Promise<NodeOnServer>;
  /** All rows that match, as a file, piece by piece. */
  export(question: ExportQuestion): AsyncIterable<Uint8Array>;
  /** The answer to an operator's own SQL, read-only, in the format asked for. */
  sql(question: SqlQuestion): Promise<string>;
}

/** The tables of an embedded ledger as files, and what is needed to know of them to open them again. */
export interface FrozenLedger {
  engineVersion: string;
  /** Of the newest migration that was applied. */
  version: number;
  tables: FrozenTable[];
}

export interface LedgerOptions {
  /** ClickHouse over HTTP, with user and password if it wants them; null: in process, in `path`. */
  url: string | null;
  /** Name of the cluster behind the URL that the ledger is spread over; null or absent: one server has it. */
  cluster?: string | null;
  /** Folder of the embedded engine; not used with a URL. */
  path: string;
  database?: string;
  /** Of the installation: makes the chain of batches. Null: there is none. */
  key?: InstallationKey | null;
  /** Embedded only: a server has limits of its own. */
  maxMemoryBytes?: number;
  threads?: number;
  mergeThreads?: number;
  /** Null or absent: half of `maxMemoryBytes`. */
  mergeMemoryBytes?: number | null;
  log?: Log;
}

const MiB = 1024 * 1024;

/** Opens the engine and brings its tables up to date. */
export async function openLedger(options: LedgerOptions): Promise<OpenLedger> {
  const engine = await openEngine(options);
  try {
    const applied = await migrate(engine, {
      onProgress: (done, total) =>
        options.log?.info({ done, total }, "the ledger's new tables are filled from its events"),
    });
    const version = await engineVersion(engine);
    options.log?.info({ kind: engine.kind, version, applied }, 'ledger open');
  } catch (error) {
    await engine.close();
    throw error;
  }
  const freeze =
    options.url === null ? (into: string) => frozen(engine, options.path, into) : async () => null;
  return {
    ...ledgerOver(engine, options.key ?? null),
    freeze,
    claimNode: (node, store) => claimNode(engine, node, store),
    export: (question) => exportRows(engine, question),
    sql: (question) => answerSql(engine, question),
  };
}

async function frozen(engine: Engine, path: string, into: string): Promise<FrozenLedger> {
  const tables = await freezeTables(engine, path, into);
  return { engineVersion: await engineVersion(engine), version: ledgerVersion, tables };
}

async function engineVersion(engine: Engine): Promise<string> {
  return String((await engine.ask('SELECT version()'))[0]?.[0]);
}

/** Sequence of the newest event that the ledger has of a node; 0 if none. */
export async function newestSequence(options: LedgerOptions, node: string): Promise<number> {
  const engine = await openEngine(options);
  try {
    await migrate(engine);
    return await newestSequenceOf(engine, node);
  } finally {
    await engine.close();
  }
}

/** Takes the events of the embedded ledger of `from` to a server. Nothing may append to `from` meanwhile. */
export async function moveLedger(
  from: LedgerOptions,
  server: { url: string; database: string },
  onProgress: (progress: MoveProgress) => void,
): Promise<Moved> {
  const source = await openEngine({ ...from, url: null });
  try {
    const target = await openEngine({ ...from, ...server });
    try {
      await migrate(source);
      await migrate(target);
      return await moveEvents(source, target, onProgress);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Makes the embedded ledger of `options.path` anew from what `freeze` put into `from`. */
export async function restoreLedger(
  options: LedgerOptions,
  frozenLedger: Pick<FrozenLedger, 'tables'>,
  from: string,
): Promise<void> {
  const engine = await openEngine({ ...options, url: null });
  try {
    await restoreTables(engine, options.path, { tables: frozenLedger.tables, from });
  } finally {
    await engine.close();
  }
}

export async function openEngine(options: LedgerOptions): Promise<Engine> {
  const {
    url,
    cluster = null,
    path,
    database = 'waybill',
    maxMemoryBytes = 1024 * MiB,
    threads = 2,
    mergeThreads = 2,
    mergeMemoryBytes = null,
  } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(database)) {
    throw new LedgerFault('question', 'a database is named by letters, digits and underscores');
  }
  if (url !== null) return openRemote({ url, database, cluster });
  // The engine is 150 MB of memory, which the supervisor and most commands have no use for.
  const { openEmbedded } = await import('./embedded.ts');
  const merges = { mergeThreads, mergeMemoryBytes: mergeMemoryBytes ?? Math.floor(maxMemoryBytes / 2) };
  return openEmbedded({ path, database, maxMemoryBytes, threads, ...merges });
}

/** `key`: links the batches (`chain.ts`); null: a ledger without a chain. */
export function ledgerOver(engine: Engine, key: InstallationKey | null = null): Ledger {
  const chain = key === null ? null : openChain(engine, key);
  return {
    append: (batch) => append(engine, batch, chain),
    maintenance: maintenanceOf(engine, key),
    close: () => engine.close(),
    countRuleBreaks: (scope, from, to) => countRuleBreaks(engine, scope, from, to),
    deliveries: (scope, filter, page) => deliveries(engine, scope, filter, page),
    mails: (scope, filter, page) => mails(engine, scope, filter, page),
    queue: (scope, filter, page) => queue(engine, scope, filter, page),
    countByBucket: (scope, question) => countByBucket(engine, scope, question),
    mailTotals: (scope, from, to) => mailTotals(engine, scope, from, to),
    // biome-ignore lint/complexity/useMaxParams: the contract names five
    top: (scope, key, from, to, limit) => top(engine, scope, { key, from, to, limit }),
    // biome-ignore lint/complexity/useMaxParams: the contract names five
    events: (scope, filter, direction, cursor, limit) =>
      events(engine, scope, filter, { direction, cursor, limit }),
  };
}
