/**
 * Rows of the log as a file: all that match, written by the engine, passed on as they come. In order of time, some hours
 * at a time, so that no more than these are sorted at once; in Parquet, which the engine writes in one piece, they stand
 * in the order of its storage.
 */
import { limits } from '../base/limits.ts';
import type { DeliveryState, EventType } from '../events/event.ts';
import type { BoundValue, BoundValues, Engine } from './engine.ts';

export const exportFormats = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportQuestion {
  /** What happened, or the last known state of each forward-path. */
  rows: 'events' | 'deliveries';
  format: ExportFormat;
  /** Names of all tenants, for the column `tenant`. */
  tenants: readonly { id: number; name: string }[];
  /** Absent: of all tenants. */
  tenantId?: number;
  /** Range of the time of the event, or of acceptance. */
  from?: number;
  to?: number;
  mailId?: number;
  n?: number;
  /** Without regard to case, as `fromField`. */
  forwardPath?: string;
  fromField?: string;
  states?: readonly DeliveryState[];
  /** Events only. */
  types?: readonly EventType[];
}

const words = (text: string) => text.trim().split(/\s+/);

const eventNames = words('outbox_node sequence type at');
const mailNames =
  words(`stream_id mail_id sending_domain accepted_at reverse_path from_address from_name to_field reply_to
  subject message_id_field content_bytes body_bytes origin transport protocol authenticated tags template category`);
const deliveryNames = words(`n forward_path domain provider display_name state state_at attempts deferrals
  first_attempt_at last_attempt_at delivered_at next_attempt_at expires_at leased reason reply_code enhanced_status
  diagnostic remote_mta remote_mta_address sending_ip node`);
const statusNames =
  words(`status_outcome status_stage status_reply_code status_reply_text status_enhanced_status
  status_enhanced_origin status_reason status_diagnostic status_remote_mta status_remote_mta_address
  status_remote_mta_port status_sending_ip status_tls_version status_tls_cipher status_tls_verified status_started_at
  status_duration_ms`);
const engagementNames = words('client_ip user_agent device client os is_bot country url');

/** Columns of the files, in their order. */
export const exportColumns = {
  events: [
    'tenant',
    'relay_id',
    ...eventNames,
    ...mailNames,
    ...deliveryNames,
    ...statusNames,
    ...engagementNames,
  ],
  deliveries: ['tenant', 'relay_id', ...mailNames, ...deliveryNames],
};

/** What stands for them in SQL; the others are columns of the table. `base/id.ts` makes the same relay id. */
const computed: Readonly<Record<string, string>> = {
  tenant: "transform(tenant_id, {tenantIds:Array(UInt64)}, {tenantNames:Array(String)}, '')",
  relay_id: `lower(concat(
    right(concat('00000000000', hex(intDiv(mail_id, 4096) + 1704067200000)), 11),
    right(concat('000', hex(mail_id % 128)), 3),
    right(concat('0000', hex(intDiv(mail_id % 4096, 128))), 4)))`,
};

const hourMs = 3_600_000;

const shapes = {
  events: { from: 'events', at: 'at', order: 'at, sequence, outbox_node' },
  deliveries: { from: 'deliveries FINAL', at: 'accepted_at', order: 'mail_id, n' },
};

/**
 * One thread: an export is never in the way of an append or a page. Blocks and buffers are small, because the rows are
 * wide and a slice reads all columns of several parts at once. Times are written as ISO 8601 in UTC.
 */
const settings = `max_threads = 1, max_block_size = 1024, max_read_buffer_size = 65536,
  max_read_buffer_size_local_fs = 65536, min_insert_block_size_rows = 8192, min_insert_block_size_bytes = 16777216,
  max_execution_time = ${limits.exportMs / 1000}, do_not_merge_across_partitions_select_final = 1,
  date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0,
  output_format_parquet_row_group_size = 20000, output_format_parquet_string_as_string = 1`;

export async function* exportRows(engine: Engine, question: ExportQuestion): AsyncGenerator<Uint8Array> {
  const columns = exportColumns[question.rows];
  const { order } = shapes[question.rows];
  const conditions = conditionsOf(question);
  const hours = await hoursOf(engine, question, conditions);
  if (question.format === 'parquet') {
    yield* parquet(engine, question, { conditions, hours });
    return;
  }
  const format = question.format === 'csv' ? 'CSV' : 'JSONEachRow';
  if (format === 'CSV') yield Buffer.from(`${columns.map((name) => `"${name}"`).join(',')}\n`);
  for (const slice of slicesOf(hours, limits.exportSliceRows)) {
    const { text, values } = sliceOf(question, conditions, slice);
    yield* engine.stream(`${text} ORDER BY ${order} SETTINGS ${settings}`, values, format);
  }
}

/**
 * One file is one statement. Events are read part by part. To fold the versions of deliveries the engine would read all
 * months side by side, some buffers for each column of each, so it is told to read one slice after the other; not many,
 * since each is planned before the first is read. And it would keep 128 MB of Bloom filters before it writes them. A
 * server does as it likes: its memory is not ours, and older ones do not know the settings.
 */
async function* parquet(
  engine: Engine,
  question: ExportQuestion,
  { conditions, hours }: { conditions: Conditions; hours: readonly Slice[] },
): AsyncGenerator<Uint8Array> {
  const none = { first: 0, last: 0, rows: 0 }; // a file without rows has its columns all the same
  const embedded = engine.kind === 'embedded';
  const most = embedded && question.rows === 'deliveries' ? limits.exportUnionSlices : 1;
  const rows = hours.reduce((sum, hour) => sum + hour.rows, 0);
  const slices = slicesOf(hours, Math.ceil(rows / most));
  const parts = (slices.length === 0 ? [none] : slices).map((slice, at) =>
    sliceOf(question, conditions, slice, `_${at}`),
  );
  const modest = embedded
    ? ', max_streams_for_union_step = 1, output_format_parquet_bloom_filter_flush_threshold_bytes = 1048576'
    : '';
  yield* engine.stream(
    `SELECT * FROM (${parts.map(({ text }) => text).join('\nUNION ALL\n')}) SETTINGS ${settings}${modest}`,
    Object.assign({}, ...parts.map(({ values }) => values)),
    'Parquet',
  );
}

/** Its bounds carry `mark` in their names, where one statement has several. */
function sliceOf(
  { rows }: ExportQuestion,
  { conditions, values }: Conditions,
  { first, last }: Slice,
  mark = '',
): { text: string; values: BoundValues } {
  const { from, at } = shapes[rows];
  const selection = exportColumns[rows].map((name) =>
    computed[name] ? `${computed[name]} AS ${name}` : name,
  );
  const bound = (name: string) => `fromUnixTimestamp64Milli({${name}${mark}:Int64}, 'UTC')`;
  const within = [...conditions, `${at} >= ${bound('first')}`, `${at} < ${bound('last')}`];
  return {
    text: `SELECT ${selection.join(', ')} FROM ${from} WHERE ${within.join(' AND ')}`,
    values: { ...values, [`first${mark}`]: first, [`last${mark}`]: last },
  };
}

interface Conditions {
  conditions: string[];
  values: BoundValues;
}

function conditionsOf(question: ExportQuestion): Conditions {
  const { tenants, tenantId, mailId, n, forwardPath, fromField, states, types } = question;
  const values: Record<string, BoundValue> = {
    tenantIds: tenants.map(({ id }) => id),
    tenantNames: tenants.map(({ name }) => name),
  };
  const conditions: string[] = [];
  const where = (name: string, value: BoundValue | undefined, condition: string) => {
    if (value === undefined) return;
    values[name] = value;
    conditions.push(condition);
  };
  const { at } = shapes[question.rows];
  where('tenantId', tenantId, 'tenant_id = {tenantId:UInt64}');
  where('from', question.from, `${at} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`);
  where('to', question.to, `${at} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`);
  where('mailId', mailId, 'mail_id = {mailId:UInt64}');
  where('n', n, 'n = {n:UInt32}');
  where('forwardPath', forwardPath, 'lowerUTF8(forward_path) = lowerUTF8({forwardPath:String})');
  where('fromField', fromField, 'lowerUTF8(from_address) = lowerUTF8({fromField:String})');
  where('states', states, 'state IN {states:Array(String)}');
  where('types', types, 'type IN {types:Array(String)}');
  return { conditions, values };
}

/** Some hours in UTC, and how many rows they have. */
interface Slice {
  first: number;
  last: number;
  rows: number;
}

async function hoursOf(
  engine: Engine,
  { rows }: ExportQuestion,
  { conditions, values }: Conditions,
): Promise<Slice[]> {
  const { at } = shapes[rows];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const hours = await engine.ask(
    `SELECT toUnixTimestamp(toStartOfHour(toDateTime(${at}, 'UTC'), 'UTC')) AS hour, count() FROM ${rows} ${where}
GROUP BY hour ORDER BY hour`,
    values,
  );
  return hours.map(([hour, count]) => {
    const first = Number(hour) * 1000;
    return { first, last: first + hourMs, rows: Number(count) };
  });
}

/** As many whole hours at a time as hold some rows. */
function slicesOf(hours: readonly Slice[], sliceRows: number): Slice[] {
  const slices: Slice[] = [];
  for (const hour of hours) {
    const slice = slices.at(-1);
    if (slice === undefined || slice.rows + hour.rows > sliceRows) slices.push({ ...hour });
    else {
      slice.last = hour.last;
      slice.rows += hour.rows;
    }
  }
  return slices;
}
