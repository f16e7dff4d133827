/**
 * The one way from here to ClickHouse, in process or behind a URL: statements, questions with bound
 * values, and appends. One SQL and one set of errors holds for both.
 */
import { limits } from '../base/limits.ts';
import { faultOf } from './fault.ts';

/** A value for a `{name:Type}` placeholder. It never becomes part of the statement's text. */
export type BoundValue = string | number | boolean | null | readonly string[] | readonly number[];
export type BoundValues = Readonly<Record<string, BoundValue>>;

/** A cell of a result: JSON as ClickHouse writes it. */
export type Cell = string | number | boolean | null | readonly Cell[];

export type StreamFormat = 'JSONEachRow' | 'CSV' | 'Parquet' | 'RowBinary';

/** Settings by name, in the order in which they are to be made. */
export type SettingList = readonly (readonly [name: string, value: string | number])[];

export interface AppendSettings {
  /** Appends with a token seen before change nothing. */
  deduplicationToken: string;
}

export interface Bounds {
  /** A question of the upkeep, which goes through everything and may take hours. */
  patient: boolean;
}

export interface Engine {
  /** For the log and the benchmark. */
  readonly kind: 'embedded' | 'remote';
  /** May take long: tables are made, filled and changed this way. */
  command(statement: string, values?: BoundValues): Promise<void>;
  ask(statement: string, values?: BoundValues, bounds?: Bounds): Promise<Cell[][]>;
  /** Rows of `events` in its stored form, as RowBinary. */
  append(rows: Buffer, settings: AppendSettings): Promise<void>;
  /** A long answer as it comes. The statement has settings of its own; it throws when the answer breaks off. */
  stream(statement: string, values: BoundValues, format: StreamFormat): AsyncIterable<Uint8Array>;
  /** An answer as text, with settings that hold for it alone. */
  answer(statement: string, settings: SettingList): Promise<string>;
  close(): Promise<void>;
}

/** What opening an engine yields; `createEngine` makes the rest of it. */
export interface EngineParts {
  kind: Engine['kind'];
  command(statement: string, values: BoundValues): Promise<unknown>;
  /** Rows as `JSONCompactEachRow`. */
  ask(statement: string, values: BoundValues, bounds: Bounds): Promise<string>;
  append: Engine['append'];
  stream: Engine['stream'];
  answer: Engine['answer'];
  /** What a command is where each table is more than one; itself, unless said. */
  statementsOf?: (statement: string) => readonly string[];
  close(): Promise<void>;
}

/**
 * Settings stand in the statement, not beside it: the embedded engine would keep them for the session.
 * `max_execution_time` is in seconds.
 */
const questionSettings = [
  `max_result_rows = ${limits.ledgerResultRows}`,
  "result_overflow_mode = 'throw'",
  'output_format_json_quote_64bit_integers = 0',
  'output_format_json_quote_decimals = 0',
  'do_not_merge_across_partitions_select_final = 1',
].join(', ');

/** How long a question may take; also how long it may wait for its turn. */
export const executionMs = ({ patient }: Bounds) => (patient ? limits.ledgerUpkeepMs : limits.ledgerQueryMs);

export function createEngine(parts: EngineParts): Engine {
  const { statementsOf = (statement: string) => [statement] } = parts;
  return {
    kind: parts.kind,
    command: async (statement, values = {}) => {
      for (const each of statementsOf(statement)) await translated(() => parts.command(each, values));
    },
    ask: (statement, values = {}, bounds = { patient: false }) =>
      translated(() => ask(parts, statement, values, bounds)),
    append: (rows, settings) => translated(() => parts.append(rows, settings)),
    stream: (statement, values, format) => translatedStream(parts.stream(statement, values, format)),
    answer: (statement, settings) => translated(() => parts.answer(statement, settings)),
    close: () => translated(() => parts.close()),
  };
}

async function* translatedStream(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw faultOf(error);
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw faultOf(error);
  }
}

async function ask(
  parts: EngineParts,
  statement: string,
  values: BoundValues,
  bounds: Bounds,
): Promise<Cell[][]> {
  const query = `${statement}\nSETTINGS max_execution_time = ${executionMs(bounds) / 1000}, ${questionSettings}`;
  const text = await parts.ask(query, values, bounds);
  return text === '' ? [] : (JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Cell[][]);
}

/**
 * A batch is one block per partition: the deduplication of a repeated batch works block by block, so it
 * must be cut the same way each time, on any machine. One thread does that, and leaves the other cores to
 * the mail. Skip indexes wait for the first merge: a part that is not merged yet is small enough to be read whole.
 */
export function appendSettings({ deduplicationToken }: AppendSettings): Record<string, string | number> {
  return {
    insert_deduplicate: 1,
    materialize_skip_indexes_on_insert: 0,
    max_threads: 1,
    max_block_size: 1_048_576,
    max_insert_threads: 1,
    insert_deduplication_token: deduplicationToken,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    async_insert: 0,
    input_format_parallel_parsing: 0,
    max_insert_block_size: 1_048_576,
    min_insert_block_size_rows: 1_048_576,
    min_insert_block_size_bytes: 0,
    max_partitions_per_insert_block: 0,
  };
}
