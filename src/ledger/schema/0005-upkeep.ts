/**
 * What the upkeep of the ledger remembers in it.
 *
 * `horizons`: how far retention has come, of each table and tenant.
 *
 * The chain: `batches` has one row for each batch that was appended, with a keyed digest of its events and a keyed
 * link to the batch before. `batch_amendments` says of a batch that was changed on purpose (retention, erasure,
 * anonymising) what its events are since then, signed; the row with the highest number holds. `chain_starts` says
 * where the chain begins once its oldest batches are all gone, signed as well. A key of the installation is needed
 * for each of them: who can write to the tables cannot write these.
 */
import { type Migration, tableSettings } from './migration.ts';

export const migration: Migration = {
  number: 5,
  name: 'upkeep',
  statements: [
    `CREATE TABLE IF NOT EXISTS horizons (
  table_name LowCardinality(String),
  tenant_id UInt64,
  before DateTime64(3, 'UTC'),
  written_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = ReplacingMergeTree(before)
ORDER BY (table_name, tenant_id)
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS batches (
  node LowCardinality(String),
  first UInt64 CODEC(Delta, LZ4),
  last UInt64 CODEC(Delta, LZ4),
  events UInt32 CODEC(T64, LZ4),
  earliest UInt64 CODEC(Delta, LZ4),
  latest UInt64 CODEC(Delta, LZ4),
  digest FixedString(16) CODEC(NONE),
  link FixedString(16) CODEC(NONE)
) ENGINE = MergeTree
ORDER BY (node, first)
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS batch_amendments (
  node LowCardinality(String),
  first UInt64 CODEC(Delta, LZ4),
  last UInt64 CODEC(Delta, LZ4),
  number UInt64 CODEC(Delta, LZ4),
  kind LowCardinality(String),
  events UInt32,
  digest FixedString(16),
  tag FixedString(16)
) ENGINE = ReplacingMergeTree(number)
ORDER BY (node, first)
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS chain_starts (
  node LowCardinality(String),
  last UInt64,
  batches UInt64,
  events UInt64,
  link FixedString(16),
  tag FixedString(16)
) ENGINE = ReplacingMergeTree(last)
ORDER BY node
SETTINGS ${tableSettings}`,
    'ALTER TABLE events ADD INDEX IF NOT EXISTS by_sequence sequence TYPE minmax GRANULARITY 1',
  ],
};
