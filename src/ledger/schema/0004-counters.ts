/**
 * `counters`: how often what happened, by quarter of an hour: zones with offsets of 30 and 45 minutes cut
 * their days there. `tag_counters` is the same once per tag of the mail; mail without tags is not in it.
 */
import { type Migration, tableSettings } from './migration.ts';

/** A delivery keeps its last reason through events that bring none; a counter must not. */
const verdicts = "'rejected', 'held', 'deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'";

const dimensions = `tenant_id, toStartOfFifteenMinutes(toDateTime(at, 'UTC')) AS quarter, type, stream_id, sending_domain,
  if(type IN (${verdicts}), events.reason, '') AS reason, authenticated,
  (type = 'deferred' AND deferrals = 1) OR (type = 'delivered' AND attempts = 1) AS first,
  provider, sending_ip, country, device`;
const keys =
  'tenant_id, quarter, type, stream_id, sending_domain, reason, authenticated, first, provider, sending_ip, country, device';

export const countersFeed = `SELECT ${dimensions}, count() AS count FROM events GROUP BY ${keys}`;
export const tagCountersFeed = `SELECT ${dimensions}, arrayJoin(tags) AS tag, count() AS count
FROM events
GROUP BY ${keys}, tag`;

const keyColumns = `
  tenant_id UInt64 CODEC(LZ4),
  quarter DateTime('UTC') CODEC(Delta, LZ4),
  type LowCardinality(String),
  stream_id UInt64 CODEC(LZ4),
  sending_domain LowCardinality(String),
  reason LowCardinality(String),
  authenticated Bool,
  first Bool,
  provider LowCardinality(String),
  sending_ip LowCardinality(String),
  country LowCardinality(String),
  device LowCardinality(String)`;

export const countersTable = `CREATE TABLE IF NOT EXISTS counters (
  ${keyColumns},
  count UInt64 CODEC(T64, LZ4)
) ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(quarter)
ORDER BY (${keys})
SETTINGS ${tableSettings}`;

export const tagCountersTable = `CREATE TABLE IF NOT EXISTS tag_counters (
  ${keyColumns},
  tag String,
  count UInt64 CODEC(T64, LZ4)
) ENGINE = SummingMergeTree(count)
PARTITION BY toYYYYMM(quarter)
ORDER BY (tenant_id, tag, ${keys.replace('tenant_id, ', '')})
SETTINGS ${tableSettings}`;

export const migration: Migration = {
  number: 4,
  name: 'counters',
  statements: [
    countersTable,
    tagCountersTable,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS counters_feed TO counters AS ${countersFeed}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS tag_counters_feed TO tag_counters AS ${tagCountersFeed}`,
  ],
};
