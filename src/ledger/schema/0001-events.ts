/**
 * `events`: the truth. Append-only; every projection is a materialized view over one insert into it.
 * Time is UTC to the millisecond. Absent text is '' and absent reasons are '' (no member of the closed
 * lists is empty); only what has no impossible value is Nullable.
 *
 * What an event says twice is stored once. Columns `stored_…` hold a time as its distance from the time it
 * usually equals, and a text as `=` where it is the text it usually equals; each has an ALIAS column of the fact's
 * own name, which is computed when it is read: statements name facts only. `event-row.ts` writes the stored form.
 *
 * The events of a day stand mail by mail: what they repeat lies side by side, where it compresses to almost nothing.
 */
import { type Migration, tableSettings } from './migration.ts';

/** Name and type; where the default codec would not do, the codec. */
type Column = readonly [name: string, type: string, codec?: string];

const code = 'LowCardinality(String)';
const time = "DateTime64(3, 'UTC')";
/** For numbers that grow from row to row. */
const growing = 'Delta, ZSTD(1)';

/** In the order in which `event-row.ts` writes them: RowBinary has no names. */
export const storedColumns: readonly Column[] = [
  ['outbox_node', code],
  ['sequence', 'UInt64', growing],
  ['type', code],
  ['at', time, growing],
  // Facts of the mail.
  ['tenant_id', 'UInt64'],
  ['stream_id', 'UInt64'],
  ['mail_id', 'UInt64', growing],
  ['sending_domain', code],
  ['stored_accepted_at', 'Int64'],
  ['reverse_path', 'String'],
  ['stored_from_address', 'String'],
  ['from_name', 'String'],
  ['stored_to_field', 'String'],
  ['reply_to', 'String'],
  ['subject', 'String'],
  ['message_id_field', 'String'],
  ['content_bytes', 'UInt64'],
  ['stored_body_bytes', 'Int64'],
  ['origin', code],
  ['transport', code],
  ['protocol', code],
  ['authenticated', 'Bool'],
  ['tags', 'Array(LowCardinality(String))'],
  ['template', code],
  ['category', code],
  // Facts of the delivery as they stood right after the event.
  ['n', 'UInt32'],
  ['forward_path', 'String'],
  ['stored_domain', code],
  ['stored_provider', code],
  ['display_name', 'String'],
  ['state', code],
  ['stored_state_at', 'Int64'],
  ['attempts', 'UInt32'],
  ['deferrals', 'UInt32'],
  ['stored_first_attempt_at', 'Nullable(Int64)'],
  ['stored_last_attempt_at', 'Nullable(Int64)'],
  ['stored_delivered_at', 'Nullable(Int64)'],
  ['stored_next_attempt_at', 'Nullable(Int64)'],
  ['stored_expires_at', 'Nullable(Int64)'],
  ['leased', 'Bool'],
  ['reason', code],
  ['reply_code', 'Nullable(UInt16)'],
  ['enhanced_status', code],
  ['diagnostic', 'String'],
  ['remote_mta', code],
  ['remote_mta_address', code],
  ['sending_ip', code],
  ['node', code],
  // The attempt that caused the event; `status_outcome` is '' where there was none.
  ['status_outcome', code],
  ['status_stage', code],
  ['status_reply_code', 'Nullable(UInt16)'],
  ['stored_status_reply_text', 'String'],
  ['stored_status_enhanced_status', code],
  ['status_enhanced_origin', code],
  ['status_reason', code],
  ['stored_status_diagnostic', 'String'],
  ['stored_status_remote_mta', code],
  ['stored_status_remote_mta_address', code],
  ['status_remote_mta_port', 'Nullable(UInt16)'],
  ['stored_status_sending_ip', code],
  ['status_tls_version', code],
  ['status_tls_cipher', code],
  ['status_tls_verified', 'Nullable(Bool)'],
  ['stored_status_started_at', 'Int64'],
  ['stored_status_duration_ms', 'Int64'],
  // Of opened, clicked, unsubscribed, complained; `device` is '' where there was none.
  ['client_ip', 'String'],
  ['user_agent', 'String'],
  ['device', code],
  ['client', code],
  ['os', code],
  ['is_bot', 'Bool'],
  ['country', code],
  ['url', 'String'],
];

export const eventColumnNames: readonly string[] = storedColumns.map(([name]) => name);

/**
 * What `file(…)` and `input(…)` are told of rows in the stored form. Plain text: the engine makes the dictionaries of a
 * whole block three times as fast as it looks each value up while it reads.
 */
export const eventStructure = storedColumns
  .map(([name, type]) => `${name} ${type.replace('LowCardinality(String)', 'String')}`)
  .join(', ');

/** 2024-01-01T00:00:00Z: a mail id counts its milliseconds from there, 4096 ids to each (base/id.ts). */
const mailIdEpoch = 1_704_067_200_000;
const acceptedMs = `(toInt64(intDiv(mail_id, 4096)) + ${mailIdEpoch} + stored_accepted_at)`;
const stateMs = '(toUnixTimestamp64Milli(at) - stored_state_at)';
const firstAttemptMs = `(${acceptedMs} + stored_first_attempt_at)`;
const lastAttemptMs = `(${acceptedMs} + ifNull(stored_first_attempt_at, 0) + stored_last_attempt_at)`;
const startedMs = `(${acceptedMs} + ifNull(stored_first_attempt_at, 0) + ifNull(stored_last_attempt_at, 0) + stored_status_started_at)`;

const moment = (ms: string) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`;
const attempted = (value: string, otherwise: string) => `if(status_outcome = '', ${otherwise}, ${value})`;
/** `=` stands for the other text, and before a text that itself begins so. */
const beside = (column: string, other: string) =>
  `multiIf(${column} = '=', ${other}, startsWith(${column}, '='), substring(${column}, 2), ${column})`;
/** What follows the second space: a reply without its code and enhanced status. */
const replyText = (line: string) =>
  `substring(${line}, position(${line}, ' ', position(${line}, ' ') + 1) + 1)`;
const addressed = (name: string, path: string) =>
  `if(${name} = '', ${path}, concat(${name}, ' <', ${path}, '>'))`;

interface TextBeside {
  fact: string;
  type: string;
  /** The text it usually equals, where `of` gives the expression of a fact. */
  other: (of: (fact: string) => string) => string;
}

const textBeside = (fact: string, type: string, other: TextBeside['other']): TextBeside => ({
  fact,
  type,
  other,
});

export const textsBeside: readonly TextBeside[] = [
  textBeside('from_address', 'String', (of) => of('reverse_path')),
  textBeside('to_field', 'String', (of) => addressed(of('display_name'), of('forward_path'))),
  textBeside('domain', code, (of) => `splitByChar('@', ${of('forward_path')})[-1]`),
  textBeside('provider', code, (of) => of('domain')),
  textBeside('status_enhanced_status', code, (of) => of('enhanced_status')),
  textBeside('status_diagnostic', 'String', (of) => of('diagnostic')),
  textBeside('status_reply_text', 'String', (of) => replyText(of('status_diagnostic'))),
  textBeside('status_remote_mta', code, (of) => of('remote_mta')),
  textBeside('status_remote_mta_address', code, (of) => of('remote_mta_address')),
  textBeside('status_sending_ip', code, (of) => of('sending_ip')),
];

export const storedName = (fact: string) => `stored_${fact}`;

const derivedColumns: readonly Column[] = [
  ...textsBeside.map(
    ({ fact, type, other }): Column => [
      fact,
      type,
      beside(
        storedName(fact),
        other((name) => name),
      ),
    ],
  ),
  ['accepted_at', time, moment(acceptedMs)],
  ['body_bytes', 'UInt64', 'toUInt64(toInt64(content_bytes) - stored_body_bytes)'],
  ['state_at', time, moment(stateMs)],
  ['first_attempt_at', `Nullable(${time})`, moment(firstAttemptMs)],
  ['last_attempt_at', `Nullable(${time})`, moment(lastAttemptMs)],
  ['delivered_at', `Nullable(${time})`, moment(`(${stateMs} - stored_delivered_at)`)],
  ['next_attempt_at', `Nullable(${time})`, moment(`(${stateMs} + stored_next_attempt_at)`)],
  ['expires_at', `Nullable(${time})`, moment(`(${acceptedMs} + stored_expires_at)`)],
  ['status_started_at', time, moment(attempted(startedMs, 'toInt64(0)'))],
  [
    'status_duration_ms',
    'UInt64',
    attempted(
      `toUInt64(toUnixTimestamp64Milli(at) - ${startedMs} - stored_status_duration_ms)`,
      'toUInt64(0)',
    ),
  ],
];

const ddl = [
  ...storedColumns.map(([name, type, codec = 'ZSTD(1)']) => `${name} ${type} CODEC(${codec})`),
  ...derivedColumns.map(([name, type, expression = '']) => `${name} ${type} ALIAS ${expression}`),
];

export const migration: Migration = {
  number: 1,
  name: 'events',
  statements: [
    `CREATE TABLE IF NOT EXISTS events (
  ${ddl.join(',\n  ')},
  INDEX by_mail_id mail_id TYPE bloom_filter(0.02) GRANULARITY 1,
  INDEX by_forward_path forward_path TYPE bloom_filter(0.05) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant_id, toDate(at), mail_id, n, sequence)
SETTINGS ${tableSettings}`,
  ],
};
