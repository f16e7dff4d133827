/** What statements become on a cluster. The whole of it is in docs/reference/ledger-tables.md, compared by the checks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { clusterStatements, shardingKeysOf } from './cluster.ts';
import type { Engine } from './engine.ts';
import { openEngine } from './ledger.ts';
import { tableStatements } from './schema/schema.ts';

const cluster = { name: 'two-by-two', database: 'waybill' };
const keys = shardingKeysOf(tableStatements());
const become = (statement: string) => clusterStatements(statement, cluster, keys);

suite('statements on a cluster', () => {
  const path = mkdtempSync(join(tmpdir(), 'waybill-cluster-'));
  let engine: Engine;
  before(async () => {
    engine = await openEngine({ url: null, path });
  });
  after(async () => {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  });

  const upkeep = [
    'CREATE DATABASE IF NOT EXISTS waybill',
    'CREATE TABLE deliveries_rebuilt AS deliveries',
    'EXCHANGE TABLES deliveries AND deliveries_rebuilt',
    'DROP TABLE IF EXISTS deliveries_rebuilt SYNC',
    'RENAME TABLE deliveries TO deliveries_away',
    'TRUNCATE TABLE counters',
    'OPTIMIZE TABLE deliveries FINAL',
    'ALTER TABLE events ADD COLUMN IF NOT EXISTS queue_name String',
    'ALTER TABLE events DELETE WHERE at < now() SETTINGS mutations_sync = 2',
    "ALTER TABLE events DELETE IN PARTITION ID '202501' WHERE tenant_id = 1",
    "ALTER TABLE events DROP PARTITION ID '202501'",
    "ALTER TABLE events UPDATE forward_path = '' WHERE mail_id = 1",
  ];

  test('the engine can read each of them', async () => {
    for (const statement of [...tableStatements(), ...upkeep].flatMap(become)) {
      const [[text] = []] = await engine.ask('SELECT formatQuery({statement:String})', { statement });
      assert.match(String(text), /ON CLUSTER `?two-by-two`?|^INSERT/, statement);
    }
  });

  test('a table is two, and the mail decides where a row lies', () => {
    const table = `CREATE TABLE IF NOT EXISTS states (
  mail_id UInt64,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (mail_id)
SETTINGS fsync_after_insert = 1, non_replicated_deduplication_window = 1000, index_granularity = 2048`;
    assert.deepEqual(become(table), [
      `CREATE TABLE IF NOT EXISTS states_local ON CLUSTER \`two-by-two\` (
  mail_id UInt64,
  version UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version)
ORDER BY (mail_id)
SETTINGS fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000, index_granularity = 2048`,
      `CREATE TABLE IF NOT EXISTS states ON CLUSTER \`two-by-two\` AS states_local
ENGINE = Distributed('two-by-two', 'waybill', 'states_local', intHash64(mail_id))`,
    ]);
  });

  test('every table that views fill is spread by mail, or holds sums', () => {
    const views = tableStatements().flatMap((statement) => {
      const [, table] = /^CREATE MATERIALIZED VIEW .* TO (\w+) AS /.exec(statement) ?? [];
      return table === undefined ? [] : [table];
    });
    assert.ok(views.length >= 4);
    for (const table of ['events', ...views]) {
      assert.ok(['intHash64(mail_id)', 'rand()'].includes(keys.get(table) ?? ''), table);
    }
    assert.equal(keys.get('events'), 'intHash64(mail_id)');
    assert.equal(keys.get('deliveries'), 'intHash64(mail_id)');
  });

  test('a view stands on the rows of its shard', () => {
    assert.deepEqual(
      become(
        'CREATE MATERIALIZED VIEW IF NOT EXISTS sums_feed TO sums AS SELECT events.reason, count() FROM events GROUP BY reason',
      ),
      [
        'CREATE MATERIALIZED VIEW IF NOT EXISTS sums_feed ON CLUSTER `two-by-two` TO sums_local AS SELECT events.reason, count() FROM events_local AS events GROUP BY reason',
      ],
    );
  });

  test('columns change on both tables, rows and indexes on the local one', () => {
    const count = (statement: string) => become(statement).length;
    assert.equal(count('ALTER TABLE events ADD COLUMN IF NOT EXISTS x String'), 2);
    assert.equal(count('ALTER TABLE events ADD INDEX IF NOT EXISTS i sequence TYPE minmax'), 1);
    assert.equal(count('ALTER TABLE events DELETE WHERE 1'), 1);
  });

  test('what it does not know is refused', () => {
    for (const statement of [
      'CREATE TABLE IF NOT EXISTS x (\n  a UInt64\n) ENGINE = CollapsingMergeTree(a)\nORDER BY a\nSETTINGS b = 1',
      'CREATE TABLE IF NOT EXISTS x (\n  a UInt64\n) ENGINE = MergeTree\nORDER BY a',
      'CREATE TABLE IF NOT EXISTS x (\n  a UInt64\n) ENGINE = MergeTree\nORDER BY f(a)\nSETTINGS b = 1',
      'CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1 FROM deliveries',
      'CREATE TABLE x AS nowhere',
      'ALTER TABLE events FREEZE',
      'SYSTEM STOP MERGES events',
    ]) {
      assert.throws(() => become(statement), Error, statement);
    }
  });
});
