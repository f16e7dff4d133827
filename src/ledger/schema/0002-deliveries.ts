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
 * Partitioned by the week of acceptance, which all versions of a row share: FINAL never has to look across
 * partitions, and a week whose mail has come to rest is merged into one part without superseded rows, where
 * FINAL costs nothing. Granules are small because pages fetch single rows of many columns.
 */
import { deliveryColumns, mailColumns } from './0001-events.ts';
import { type Migration, tableSettings } from './migration.ts';

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

export const deliveriesTable = `CREATE TABLE IF NOT EXISTS deliveries (
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
PARTITION BY toMonday(accepted_at)
ORDER BY (tenant_id, mail_id, n)
SETTINGS ${tableSettings}, index_granularity = 2048,
  min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1`;

export const migration: Migration = {
  number: 2,
  name: 'deliveries',
  statements: [
    deliveriesTable,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS deliveries_feed TO deliveries AS ${deliveriesFeed}`,
  ],
};
