/**
 * `deliveries`: one row per forward-path, its last known state. Fed by the events that carry state.
 *
 * ReplacingMergeTree keeps the row with the highest `version`, and `version` is made so that the highest
 * one is what the rule of states allows (canonical model, section 4), in whatever order and however often
 * rows arrive:
 *
 *   version = rank × 2^54 + place
 *
 *   rank 0  open states (queued, held, deferred)          place = sequence            the last one wins
 *   rank 1  terminal states                               place = 2^53 − 1 − sequence the first one wins
 *   rank 2  `returned` of a mail that had been delivered  place = 2^53 − 1 − sequence the first one wins
 *
 * So an open state never follows a terminal one, the first terminal state stays, and only a DSN that
 * returns after `delivered` moves it. Sequences lie below 2^53, so the three ranks never overlap. Ranks do
 * not depend on sequences: a DSN may come in at another node than the one that delivered, and the
 * sequences of two nodes say nothing about each other. Events the rule disregards stay in `events`, where
 * `countRuleBreaks` finds them.
 *
 * Partitioned by the time of acceptance, which all versions of a row share: FINAL never has to look across
 * partitions, and one whose mail has come to rest is merged into one part without superseded rows, where FINAL
 * costs nothing. By weeks at first, by months since 0007. Granules are small because pages fetch single rows of
 * many columns.
 */
import { type Migration, tableSettings } from './migration.ts';

/** Facts of the mail: the same in each version of a row. */
const mailColumns = `
  tenant_id UInt64 CODEC(ZSTD(1)),
  stream_id UInt64 CODEC(ZSTD(1)),
  mail_id UInt64 CODEC(Delta, ZSTD(1)),
  sending_domain LowCardinality(String) CODEC(ZSTD(1)),
  accepted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
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

/** Facts of the delivery in its last known state. */
const deliveryColumns = `
  n UInt32 CODEC(T64, LZ4),
  forward_path String CODEC(ZSTD(1)),
  domain LowCardinality(String),
  provider LowCardinality(String),
  display_name String CODEC(ZSTD(1)),
  state LowCardinality(String),
  state_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  attempts UInt32 CODEC(T64, LZ4),
  deferrals UInt32 CODEC(T64, LZ4),
  first_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
  last_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
  delivered_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
  next_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
  expires_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
  leased Bool,
  reason LowCardinality(String),
  reply_code Nullable(UInt16),
  enhanced_status LowCardinality(String),
  diagnostic String CODEC(ZSTD(1)),
  remote_mta LowCardinality(String),
  remote_mta_address LowCardinality(String),
  sending_ip LowCardinality(String),
  node LowCardinality(String)`;

const names = (columns: string) =>
  columns
    .split('\n')
    .map((line) => line.trim().split(' ', 1)[0] ?? '')
    .filter((name) => name !== '');

const factNames = [...names(mailColumns), ...names(deliveryColumns)].join(', ');

/** Also what a rebuild inserts: the view and the rebuild cannot drift apart. */
export const deliveriesFeed = `WITH
  multiIf(state IN ('queued', 'held', 'deferred'), 0, type = 'returned' AND delivered_at IS NOT NULL, 2, 1) AS rank
SELECT ${factNames},
  toUInt64(rank) * 18014398509481984 + if(rank = 0, sequence, 9007199254740991 - sequence) AS version
FROM events
WHERE type IN ('accepted', 'rejected', 'held', 'released', 'attempted', 'deferred', 'delivered', 'failed',
  'expired', 'suppressed', 'canceled', 'returned')`;

export const deliveriesTable = (name: string, partition: string) => `CREATE TABLE IF NOT EXISTS ${name} (
  ${mailColumns},
  ${deliveryColumns},
  version UInt64 CODEC(T64, LZ4),
  INDEX by_accepted_at accepted_at TYPE minmax GRANULARITY 1,
  INDEX by_forward_path lowerUTF8(forward_path) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_from_address lowerUTF8(from_address) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_reverse_path reverse_path TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_subject subject TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_message_id_field lowerUTF8(concat('<', message_id_field, '>')) TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version)
PARTITION BY ${partition}
ORDER BY (tenant_id, mail_id, n)
SETTINGS ${tableSettings}, index_granularity = 2048,
  min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1`;

export const migration: Migration = {
  number: 2,
  name: 'deliveries',
  projections: true,
  statements: [
    deliveriesTable('deliveries', 'toMonday(accepted_at)'),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS deliveries_feed TO deliveries AS ${deliveriesFeed}`,
  ],
};
