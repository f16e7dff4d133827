/**
 * The same facts in PostgreSQL. `deliveries` has the facts of the mail and the last known state of each forward-path;
 * `events` does not repeat what never changes. `totals` and `counters` count by the hour, for questions about more than
 * a day: the hours at the ends of a range are counted from the events. Fixed-width columns stand first, to save padding.
 */
import type { MailEvent } from '../../../src/events/event.ts';

export type Value = string | number | boolean | bigint | null | readonly string[];
/** `time` is a timestamptz, told in milliseconds. */
export type Column<Row> = readonly [name: string, type: string, value: (row: Row) => Value];

/** Delivery facts that a later event may change. */
export const changingColumns: readonly Column<MailEvent>[] = [
  ['state_at', 'time', ({ delivery }) => delivery.stateAt],
  ['first_attempt_at', 'time', ({ delivery }) => delivery.firstAttemptAt],
  ['last_attempt_at', 'time', ({ delivery }) => delivery.lastAttemptAt],
  ['delivered_at', 'time', ({ delivery }) => delivery.deliveredAt],
  ['next_attempt_at', 'time', ({ delivery }) => delivery.nextAttemptAt],
  ['attempts', 'integer', ({ delivery }) => delivery.attempts],
  ['deferrals', 'integer', ({ delivery }) => delivery.deferrals],
  ['reply_code', 'smallint', ({ delivery }) => delivery.replyCode],
  ['leased', 'boolean', ({ delivery }) => delivery.leased],
  ['state', 'text', ({ delivery }) => delivery.state],
  ['reason', 'text', ({ delivery }) => delivery.reason ?? ''],
  ['enhanced_status', 'text', ({ delivery }) => delivery.enhancedStatus],
  ['diagnostic', 'text', ({ delivery }) => delivery.diagnostic],
  ['remote_mta', 'text', ({ delivery }) => delivery.remoteMta],
  ['remote_mta_address', 'text', ({ delivery }) => delivery.remoteMtaAddress],
  ['sending_ip', 'text', ({ delivery }) => delivery.sendingIp],
];

export const deliveryColumns: readonly Column<MailEvent>[] = [
  ['mail_id', 'bigint', ({ mail }) => mail.mailId],
  ['accepted_at', 'time', ({ mail }) => mail.acceptedAt],
  ['expires_at', 'time', ({ delivery }) => delivery.expiresAt],
  ['version', 'bigint', versionOf],
  ['tenant_id', 'integer', ({ mail }) => mail.tenantId],
  ['stream_id', 'integer', ({ mail }) => mail.streamId],
  ['n', 'integer', ({ delivery }) => delivery.n],
  ['content_bytes', 'integer', ({ mail }) => mail.contentBytes],
  ['body_bytes', 'integer', ({ mail }) => mail.bodyBytes],
  ...changingColumns,
  ['authenticated', 'boolean', ({ mail }) => mail.authenticated],
  ['sending_domain', 'text', ({ mail }) => mail.sendingDomain],
  ['reverse_path', 'text', ({ mail }) => mail.reversePath],
  ['from_address', 'text', ({ mail }) => mail.fromField.address],
  ['from_name', 'text', ({ mail }) => mail.fromField.name],
  ['to_field', 'text', ({ mail }) => mail.toField],
  ['reply_to', 'text', ({ mail }) => mail.replyTo],
  ['subject', 'text', ({ mail }) => mail.subject],
  ['message_id_field', 'text', ({ mail }) => mail.messageIdField],
  ['origin', 'text', ({ mail }) => mail.origin],
  ['transport', 'text', ({ mail }) => mail.transport],
  ['protocol', 'text', ({ mail }) => mail.protocol],
  ['tags', 'text[]', ({ mail }) => mail.tags],
  ['template', 'text', ({ mail }) => mail.template],
  ['category', 'text', ({ mail }) => mail.category],
  ['forward_path', 'text', ({ delivery }) => delivery.forwardPath],
  ['domain', 'text', ({ delivery }) => delivery.domain],
  ['provider', 'text', ({ delivery }) => delivery.provider],
  ['display_name', 'text', ({ delivery }) => delivery.displayName],
  ['node', 'text', ({ delivery }) => delivery.node],
];

/** The same rule of states as the ledger's (src/ledger/schema/0002): the highest version stays. */
export function versionOf({ type, sequence, delivery }: MailEvent): bigint {
  if (['queued', 'held', 'deferred'].includes(delivery.state)) return BigInt(sequence);
  const rank = type === 'returned' && delivery.deliveredAt !== null ? 2n : 1n;
  return (rank << 54n) + BigInt(Number.MAX_SAFE_INTEGER - sequence);
}

/** An attempt says again what became of the delivery: then nothing is stored. */
const beside = (value: string | undefined, other: string) =>
  value === undefined || value === other ? null : value;

export const eventColumns: readonly Column<MailEvent & { outboxNode: string }>[] = [
  ['sequence', 'bigint', ({ sequence }) => sequence],
  ['mail_id', 'bigint', ({ mail }) => mail.mailId],
  ['at', 'time', ({ at }) => at],
  ['status_started_at', 'time', ({ status }) => status?.startedAt ?? null],
  ['tenant_id', 'integer', ({ mail }) => mail.tenantId],
  ['n', 'integer', ({ delivery }) => delivery.n],
  ['status_duration_ms', 'integer', ({ status }) => status?.durationMs ?? null],
  ...changingColumns,
  ['status_reply_code', 'smallint', ({ status }) => status?.reply?.code ?? null],
  ['status_remote_mta_port', 'integer', ({ status }) => status?.remoteMta?.port ?? null],
  ['status_tls_verified', 'boolean', ({ status }) => status?.tls?.verified ?? null],
  ['is_bot', 'boolean', ({ engagement }) => engagement?.isBot ?? null],
  ['type', 'text', ({ type }) => type],
  ['outbox_node', 'text', ({ outboxNode }) => outboxNode],
  ['status_outcome', 'text', ({ status }) => status?.outcome ?? null],
  ['status_stage', 'text', ({ status }) => status?.stage ?? null],
  ['status_reply_text', 'text', ({ status }) => status?.reply?.text ?? null],
  [
    'status_enhanced_status',
    'text',
    (e) => beside(e.status?.enhancedStatus.value, e.delivery.enhancedStatus),
  ],
  ['status_enhanced_origin', 'text', ({ status }) => status?.enhancedStatus.origin ?? null],
  ['status_reason', 'text', ({ status }) => status?.reason ?? null],
  ['status_diagnostic', 'text', (e) => beside(e.status?.diagnostic, e.delivery.diagnostic)],
  ['status_remote_mta', 'text', (e) => beside(e.status?.remoteMta?.name, e.delivery.remoteMta)],
  [
    'status_remote_mta_address',
    'text',
    (e) => beside(e.status?.remoteMta?.address, e.delivery.remoteMtaAddress),
  ],
  ['status_sending_ip', 'text', (e) => beside(e.status?.sendingIp, e.delivery.sendingIp)],
  ['status_tls_version', 'text', ({ status }) => status?.tls?.version ?? null],
  ['status_tls_cipher', 'text', ({ status }) => status?.tls?.cipher ?? null],
  ['client_ip', 'text', ({ engagement }) => engagement?.clientIp ?? null],
  ['user_agent', 'text', ({ engagement }) => engagement?.userAgent ?? null],
  ['device', 'text', ({ engagement }) => engagement?.device ?? null],
  ['client', 'text', ({ engagement }) => engagement?.client ?? null],
  ['os', 'text', ({ engagement }) => engagement?.os ?? null],
  ['country', 'text', ({ engagement }) => engagement?.country ?? null],
  ['url', 'text', ({ engagement }) => engagement?.url ?? null],
];

/** Columns that say the same as those of the delivery where they are NULL. */
export const besideColumns = [
  ...['enhanced_status', 'diagnostic', 'remote_mta', 'remote_mta_address', 'sending_ip'],
].map((name) => `status_${name}`);

export const typeOf = (type: string) => (type === 'time' ? 'timestamptz' : type);
const ddl = <Row>(columns: readonly Column<Row>[]) =>
  columns.map(([name, type]) => `${name} ${typeOf(type)}`).join(', ');

const mailOfDelivery = `tenant_id integer, mail_id bigint, n integer, stream_id integer, sending_domain text,
  provider text, authenticated boolean, tags text[]`;
export const keysOfTotals = `tenant_id, type, hour, stream_id, sending_domain, reason, authenticated, first`;
const totalsColumns = `tenant_id integer, type text, hour timestamptz, stream_id integer, sending_domain text,
  reason text, authenticated boolean, first boolean`;

export const tables = [
  'CREATE EXTENSION IF NOT EXISTS pg_trgm',
  `CREATE TABLE IF NOT EXISTS deliveries (${ddl(deliveryColumns)}, PRIMARY KEY (mail_id, n))`,
  `CREATE TABLE IF NOT EXISTS events (${ddl(eventColumns)}, PRIMARY KEY (outbox_node, sequence))`,
  `CREATE TABLE IF NOT EXISTS engagement (${mailOfDelivery}, opens integer, clicks integer,
  complained_at timestamptz, unsubscribed_at timestamptz,
  opened_at timestamptz, opened_country text, opened_device text, opened_sending_ip text,
  clicked_at timestamptz, clicked_country text, clicked_device text, clicked_sending_ip text,
  PRIMARY KEY (tenant_id, mail_id, n))`,
  `CREATE TABLE IF NOT EXISTS totals (${totalsColumns}, count integer, PRIMARY KEY (${keysOfTotals}))`,
  `CREATE TABLE IF NOT EXISTS counters (${totalsColumns}, provider text, sending_ip text, country text, device text,
  tags text[], count integer)`,
  // Each event as a counter of one, for the ends of a range.
  `CREATE OR REPLACE VIEW event_counters AS SELECT e.tenant_id, e.type, date_trunc('hour', e.at) AS hour, d.stream_id,
  d.sending_domain, CASE WHEN e.type IN ('rejected', 'held', 'deferred', 'failed', 'expired', 'suppressed', 'canceled',
    'returned') THEN e.reason ELSE '' END AS reason, d.authenticated,
  (e.type = 'deferred' AND e.deferrals = 1) OR (e.type = 'delivered' AND e.attempts = 1) AS first, d.provider,
  e.sending_ip, coalesce(e.country, '') AS country, coalesce(e.device, '') AS device, d.tags, 1 AS count, e.at
FROM events e JOIN deliveries d USING (mail_id, n)`,
];

const lowerMessageId = "lower('<' || message_id_field || '>')";

export const indexes = [
  // A page, whatever part of the time it is of, and the number of all rows.
  'deliveries (tenant_id, accepted_at, mail_id, n) INCLUDE (state)',
  'deliveries (tenant_id, state, accepted_at) INCLUDE (reason)',
  "deliveries (tenant_id, accepted_at, mail_id, n) WHERE state IN ('queued', 'held', 'deferred')",
  'deliveries (tenant_id, lower(forward_path), accepted_at)',
  'deliveries (tenant_id, reverse_path, accepted_at)',
  'deliveries (tenant_id, from_address, accepted_at)',
  'deliveries (tenant_id, reply_to, accepted_at)',
  'deliveries (tenant_id, subject, accepted_at)',
  'deliveries (tenant_id, origin, accepted_at)',
  'deliveries (tenant_id, remote_mta, accepted_at)',
  'deliveries (tenant_id, lower(from_address))',
  'deliveries (tenant_id, lower(template))',
  `deliveries USING gin ((${lowerMessageId}) gin_trgm_ops)`,
  'events (tenant_id, at, sequence)',
  'events (tenant_id, type, at)',
  'events (mail_id, n)',
  'engagement (tenant_id, opened_at)',
  'engagement (tenant_id, clicked_at)',
  'counters (tenant_id, type, hour)',
];

export function indexStatements(): string[] {
  return indexes.map((index, at) => `CREATE INDEX IF NOT EXISTS index_${at} ON ${index}`);
}
