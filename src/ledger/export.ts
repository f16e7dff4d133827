/**
 * Rows of the log as a file: all that match, written by the engine, passed on as they come. In order of time, some days
 * at a time, so that no more than these are sorted at once; Parquet, which the engine writes in one piece, in the order of
 * its storage.
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

const shapes = {
  events: { from: 'events', at: 'at', order: 'at, sequence, outbox_node' },
  deliveries: { from: 'deliveries FINAL', at: 'accepted_at', order: 'mail_id, n' },
};

/** One thread: an export is never in the way of an append or a page. Times are written as ISO 8601 in UTC. */
const settings = `max_threads = 1, max_block_size = 8192, max_execution_time = ${limits.exportMs / 1000},
  do_not_merge_across_partitions_select_final = 1, date_time_output_format = 'iso',
  output_format_json_quote_64bit_integers = 0, output_format_parquet_row_group_size = 100000,
  output_format_parquet_string_as_string = 1`;

const dayMs = 86_400_000;

export async function* exportRows(engine: Engine, question: ExportQuestion): AsyncGenerator<Uint8Array> {
  const columns = exportColumns[question.rows];
  const selection = columns
    .map((name) => (computed[name] ? `${computed[name]} AS ${name}` : name))
    .join(', ');
  const { from, order } = shapes[question.rows];
  const { conditions, values } = conditionsOf(question);
  const statement = (where: readonly string[]) =>
    `SELECT ${selection} FROM ${from}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`;
  if (question.format === 'parquet') {
    yield* engine.stream(`${statement(conditions)} SETTINGS ${settings}`, values, 'Parquet');
    return;
  }
  const format = question.format === 'csv' ? 'CSV' : 'JSONEachRow';
  if (format === 'CSV') yield Buffer.from(`${columns.map((name) => `"${name}"`).join(',')}\n`);
  for (const { first, last } of await slicesOf(engine, question, { conditions, values })) {
    const within = `${shapes[question.rows].at} >= fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND ${shapes[question.rows].at} < fromUnixTimestamp64Milli({last:Int64}, 'UTC')`;
    const text = `${statement([...conditions, within])} ORDER BY ${order} SETTINGS ${settings}`;
    yield* engine.stream(text, { ...values, first, last }, format);
  }
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

/** Whole days in UTC, as many at a time as hold some rows: a slice is sorted in memory. */
async function slicesOf(
  engine: Engine,
  { rows }: ExportQuestion,
  { conditions, values }: Conditions,
): Promise<{ first: number; last: number }[]> {
  const { at } = shapes[rows];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const days = await engine.ask(
    `SELECT toUnixTimestamp(toStartOfDay(toDateTime(${at}, 'UTC'), 'UTC')) AS day, count() FROM ${rows} ${where}
GROUP BY day ORDER BY day`,
    values,
  );
  const slices: { first: number; last: number; rows: number }[] = [];
  for (const [day, count] of days) {
    const [first, last] = [Number(day) * 1000, Number(day) * 1000 + dayMs];
    const slice = slices.at(-1);
    if (slice === undefined || slice.rows + Number(count) > limits.exportSliceRows) {
      slices.push({ first, last, rows: Number(count) });
    } else {
      slice.last = last;
      slice.rows += Number(count);
    }
  }
  return slices;
}
