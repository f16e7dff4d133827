/**
 * `deliveries` by months instead of weeks. A question costs about a millisecond for each part it opens, and a year of
 * weeks has at least 53 of them: what a tenant with little mail is asked took most of its time to find nothing.
 *
 * The rows are copied, not drawn from the events again: retention may have removed those. At every moment the table
 * called `deliveries` is whole, so a migration that was broken off begins anew.
 */
import { deliveriesTable } from './0002-deliveries.ts';
import type { Migration } from './migration.ts';

/** Small blocks and one thread fit into the memory of a small machine. */
const copySettings = `insert_deduplicate = 0, max_partitions_per_insert_block = 0, max_threads = 1,
  max_block_size = 8192, min_insert_block_size_rows = 65536, min_insert_block_size_bytes = 0`;

export const migration: Migration = {
  number: 7,
  name: 'deliveries by month',
  statements: [
    'DROP TABLE IF EXISTS deliveries_by_month SYNC',
    deliveriesTable('deliveries_by_month', 'toYYYYMM(accepted_at)'),
    `INSERT INTO deliveries_by_month SELECT * FROM deliveries SETTINGS ${copySettings}`,
    'EXCHANGE TABLES deliveries AND deliveries_by_month',
    'DROP TABLE IF EXISTS deliveries_by_month SYNC',
  ],
};
