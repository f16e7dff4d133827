/**
 * How often what happened, by quarter of an hour: zones with offsets of 30 and 45 minutes cut their days there.
 *
 * `counters` has every dimension and the tags of the mail. Mail to many small domains makes almost a row for each
 * event of it, so what most questions ask, how much happened to whose mail and why, is counted in `totals` as well:
 * few rows, however much mail there is.
 */
import { type Migration, tableSettings } from './migration.ts';

/** A delivery keeps its last reason through events that bring none; a counter must not. */
const verdicts = "'rejected', 'held', 'deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'";

const keysOfTotals = [
  ...['tenant_id', 'quarter', 'type', 'stream_id', 'sending_domain', 'reason', 'authenticated', 'first'],
].join(', ');
const keysOfCounters = `${keysOfTotals}, provider, sending_ip, country, device, tags`;

const facts = `tenant_id, toStartOfFifteenMinutes(toDateTime(at, 'UTC')) AS quarter, type, stream_id, sending_domain,
  if(type IN (${verdicts}), events.reason, '') AS reason, authenticated,
  (type = 'deferred' AND deferrals = 1) OR (type = 'delivered' AND attempts = 1) AS first`;

export const totalsFeed = `SELECT ${facts}, count() AS count FROM events GROUP BY ${keysOfTotals}`;
/** Not grouped: hardly two rows of a batch are alike, and the table adds those up while it sorts the batch. */
export const countersFeed = `SELECT ${facts}, provider, sending_ip, country, device, tags, toUInt64(1) AS count
FROM events`;

const columnsOfTotals = `
  tenant_id UInt64 CODEC(ZSTD(1)),
  quarter DateTime('UTC') CODEC(Delta, ZSTD(1)),
  type LowCardinality(String),
  stream_id UInt64 CODEC(ZSTD(1)),
  sending_domain LowCardinality(String),
  reason LowCardinality(String),
  authenticated Bool,
  first Bool`;

export const totalsTable = `CREATE TABLE IF NOT EXISTS totals (
  ${columnsOfTotals},
  count UInt64 CODEC(T64, LZ4)
) ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(quarter)
ORDER BY (${keysOfTotals})
SETTINGS ${tableSettings}`;

export const countersTable = `CREATE TABLE IF NOT EXISTS counters (
  ${columnsOfTotals},
  provider LowCardinality(String) CODEC(ZSTD(1)),
  sending_ip LowCardinality(String),
  country LowCardinality(String),
  device LowCardinality(String),
  tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
  count UInt64 CODEC(T64, LZ4)
) ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(quarter)
ORDER BY (${keysOfCounters})
SETTINGS ${tableSettings}`;

export const migration: Migration = {
  number: 4,
  name: 'counters',
  projections: true,
  statements: [
    totalsTable,
    countersTable,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS totals_feed TO totals AS ${totalsFeed}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS counters_feed TO counters AS ${countersFeed}`,
  ],
};
