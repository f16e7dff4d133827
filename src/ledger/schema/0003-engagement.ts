/**
 * `engagement`: what stands beside the state of a delivery and never moves it: opens, clicks, the first
 * complaint and the first unsubscription. The first open and the first click keep the dimensions they
 * came with, because "unique" counts belong to the bucket, country and device of the first one.
 *
 * `first_opened` is a tuple that begins with the time, so that the smallest tuple is the first event;
 * `(2299-12-31, …)` stands for "never".
 */
import { type Migration, tableSettings } from './migration.ts';

const firstEvent =
  "Tuple(at DateTime64(3, 'UTC'), sequence UInt64, country String, device String, sending_ip String)";
const never = "(toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), toUInt64(0), '', '', '')";
const here = '(at, sequence, toString(country), toString(device), toString(sending_ip))';

export const engagementFeed = `SELECT
  tenant_id, mail_id, n,
  any(accepted_at) AS accepted_at,
  any(stream_id) AS stream_id,
  any(sending_domain) AS sending_domain,
  any(provider) AS provider,
  any(authenticated) AS authenticated,
  any(tags) AS tags,
  toUInt64(countIf(type = 'opened')) AS opens,
  toUInt64(countIf(type = 'clicked')) AS clicks,
  minOrNullIf(at, type = 'complained') AS complained_at,
  minOrNullIf(at, type = 'unsubscribed') AS unsubscribed_at,
  min(if(type = 'opened', ${here}, ${never})) AS first_opened,
  min(if(type = 'clicked', ${here}, ${never})) AS first_clicked
FROM events
WHERE type IN ('opened', 'clicked', 'complained', 'unsubscribed')
GROUP BY tenant_id, mail_id, n`;

export const engagementTable = `CREATE TABLE IF NOT EXISTS engagement (
  tenant_id UInt64 CODEC(LZ4),
  mail_id UInt64 CODEC(Delta, LZ4),
  n UInt32 CODEC(T64, LZ4),
  accepted_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
  stream_id SimpleAggregateFunction(any, UInt64),
  sending_domain SimpleAggregateFunction(any, LowCardinality(String)),
  provider SimpleAggregateFunction(any, LowCardinality(String)),
  authenticated SimpleAggregateFunction(any, Bool),
  tags SimpleAggregateFunction(any, Array(String)),
  opens SimpleAggregateFunction(sum, UInt64),
  clicks SimpleAggregateFunction(sum, UInt64),
  complained_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  unsubscribed_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  first_opened SimpleAggregateFunction(min, ${firstEvent}),
  first_clicked SimpleAggregateFunction(min, ${firstEvent})
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(accepted_at)
ORDER BY (tenant_id, mail_id, n)
SETTINGS ${tableSettings}`;

export const migration: Migration = {
  number: 3,
  name: 'engagement',
  projections: true,
  statements: [
    engagementTable,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_feed TO engagement AS ${engagementFeed}`,
  ],
};
