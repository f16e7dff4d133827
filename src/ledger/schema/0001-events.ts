/**
 * `events`: the truth. Append-only; every projection is a materialized view over one insert into it.
 * Time is UTC to the millisecond. Absent text is '' and absent reasons are '' (no member of the closed
 * lists is empty); only what has no impossible value is Nullable.
 */
import { type Migration, tableSettings } from './migration.ts';

/** Facts of the mail: the same in each of its events. */
export const mailColumns = `
  tenant_id UInt64 CODEC(LZ4),
  stream_id UInt64 CODEC(LZ4),
  mail_id UInt64 CODEC(Delta, LZ4),
  sending_domain LowCardinality(String),
  accepted_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
  reverse_path String CODEC(ZSTD(1)),
  from_address String CODEC(ZSTD(1)),
  from_name String CODEC(ZSTD(1)),
  to_field String CODEC(ZSTD(1)),
  reply_to String CODEC(ZSTD(1)),
  subject String CODEC(ZSTD(1)),
  message_id_field String CODEC(ZSTD(1)),
  content_bytes UInt64 CODEC(T64, LZ4),
  body_bytes UInt64 CODEC(T64, LZ4),
  origin LowCardinality(String),
  transport LowCardinality(String),
  protocol LowCardinality(String),
  authenticated Bool,
  tags Array(LowCardinality(String)),
  template LowCardinality(String),
  category LowCardinality(String)`;

/** Facts of the delivery as they stood right after the event. */
export const deliveryColumns = `
  n UInt32 CODEC(T64, LZ4),
  forward_path String CODEC(ZSTD(1)),
  domain LowCardinality(String),
  provider LowCardinality(String),
  display_name String CODEC(ZSTD(1)),
  state LowCardinality(String),
  state_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
  attempts UInt32 CODEC(T64, LZ4),
  deferrals UInt32 CODEC(T64, LZ4),
  first_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, LZ4),
  last_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, LZ4),
  delivered_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, LZ4),
  next_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, LZ4),
  expires_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, LZ4),
  leased Bool,
  reason LowCardinality(String),
  reply_code Nullable(UInt16),
  enhanced_status LowCardinality(String),
  diagnostic String CODEC(ZSTD(1)),
  remote_mta LowCardinality(String),
  remote_mta_address LowCardinality(String),
  sending_ip LowCardinality(String),
  node LowCardinality(String)`;

/** The attempt that caused the event; `status_outcome` is '' where there was none. */
const statusColumns = `
  status_outcome LowCardinality(String),
  status_stage LowCardinality(String),
  status_reply_code Nullable(UInt16),
  status_reply_text String CODEC(ZSTD(1)),
  status_enhanced_status LowCardinality(String),
  status_enhanced_origin LowCardinality(String),
  status_reason LowCardinality(String),
  status_diagnostic String CODEC(ZSTD(1)),
  status_remote_mta LowCardinality(String),
  status_remote_mta_address LowCardinality(String),
  status_remote_mta_port Nullable(UInt16),
  status_sending_ip LowCardinality(String),
  status_tls_version LowCardinality(String),
  status_tls_cipher LowCardinality(String),
  status_tls_verified Nullable(Bool),
  status_started_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
  status_duration_ms UInt64 CODEC(T64, LZ4)`;

/** Of opened, clicked, unsubscribed, complained; `device` is '' where there was none. */
const engagementColumns = `
  client_ip String CODEC(ZSTD(1)),
  user_agent String CODEC(ZSTD(1)),
  device LowCardinality(String),
  client LowCardinality(String),
  os LowCardinality(String),
  is_bot Bool,
  country LowCardinality(String),
  url String CODEC(ZSTD(1))`;

export const migration: Migration = {
  number: 1,
  name: 'events',
  statements: [
    `CREATE TABLE IF NOT EXISTS events (
  outbox_node LowCardinality(String),
  sequence UInt64 CODEC(Delta, LZ4),
  type LowCardinality(String),
  at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
  ${mailColumns},
  ${deliveryColumns},
  ${statusColumns},
  ${engagementColumns},
  INDEX by_mail_id mail_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_forward_path forward_path TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_reverse_path reverse_path TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant_id, at, sequence)
SETTINGS ${tableSettings}`,
  ],
};
