/**
 * Whose events these are. `nodes`: which store fills which outbox; the first claim holds. `moves`: the batches in which
 * the events of another ledger were brought here, each written before it is begun and again once it is done.
 */
import { type Migration, tableSettings } from './migration.ts';

export const migration: Migration = {
  number: 6,
  name: 'nodes',
  statements: [
    `CREATE TABLE IF NOT EXISTS nodes (
  outbox_node LowCardinality(String),
  store String,
  claimed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY outbox_node
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS moves (
  outbox_node LowCardinality(String),
  month UInt32,
  first UInt64,
  last UInt64,
  done Bool
) ENGINE = MergeTree
ORDER BY (outbox_node, month, last)
SETTINGS ${tableSettings}`,
  ],
};
