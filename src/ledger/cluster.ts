/**
 * The ledger on a cluster: what a table, a view or a change of either becomes there. Pure: a statement in, statements
 * out. `schema/` says once what the tables are; nothing there knows of clusters.
 *
 * Of each table there are two: `<name>_local`, replicated, holds the rows of one shard; `<name>`, distributed, is what
 * questions and appends name. Views stand on local tables: a shard computes its projections from its own events, so all
 * that is known of a mail has to be on one shard, and the mail id decides which.
 *
 * It reads no SQL but ours: a form it does not know is a fault of this program, never a guess.
 */
import { limits } from '../base/limits.ts';

export interface Cluster {
  /** As the servers call it in `remote_servers`. */
  name: string;
  database: string;
}

/**
 * Settings of every statement to a cluster. An insert ends when the shards have the rows (`foreground`), on most
 * replicas of each (`quorum`): only then is the outbox emptied. Rows are looked for first where they are written first
 * (`in_order`). A list within a question is made of all shards (`global`).
 */
export const clusterSettings = {
  distributed_foreground_insert: 1,
  distributed_product_mode: 'global',
  insert_quorum: 'auto',
  insert_quorum_parallel: 1,
  insert_quorum_timeout: limits.ledgerQueryMs,
  distributed_ddl_task_timeout: String(limits.ledgerQueryMs / 1000),
  load_balancing: 'in_order',
} as const;

/** Sharding keys by table: a table made like another one is spread like it. */
export type ShardingKeys = ReadonlyMap<string, string>;

/** What a statement of this program is on a cluster, in the order in which it is to be run. */
export function clusterStatements(statement: string, cluster: Cluster, keys: ShardingKeys): string[] {
  for (const [form, become] of forms) {
    const found = form.exec(statement);
    if (found !== null) return become(cluster, found.slice(1), keys);
  }
  throw unknown(statement);
}

/** Of all tables that these statements make. */
export function shardingKeysOf(statements: readonly string[]): ShardingKeys {
  return new Map(
    statements.flatMap((statement) => {
      const [, name = '', ...table] = tableForm.exec(statement) ?? [];
      return name === '' ? [] : [[name, shardingKey(table)] as const];
    }),
  );
}

type Become = (cluster: Cluster, found: readonly string[], keys: ShardingKeys) => string[];

const local = (table: string) => `${table}_local`;
const on = ({ name }: Cluster) => `ON CLUSTER \`${name}\``;

/** Name, columns, kind and argument of the engine, what follows it. */
const tableForm =
  /^CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*?)\n\) ENGINE = (Replacing|Aggregating|Summing|)MergeTree(?:\((\w+)\))?\s+(.*)$/s;

const makeTable: Become = (cluster, [name = '', ...table]) => {
  const [columns, kind, argument, rest = ''] = table;
  const path = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'";
  return [
    `CREATE TABLE IF NOT EXISTS ${local(name)} ${on(cluster)} (
${columns}
) ENGINE = Replicated${kind}MergeTree(${path}${argument ? `, ${argument}` : ''})
${replicatedSettings(rest)}`,
    distributed(cluster, `IF NOT EXISTS ${name}`, local(name), shardingKey(table)),
  ];
};

const makeTableLike: Become = (cluster, [name = '', model = ''], keys) => [
  `CREATE TABLE ${local(name)} ${on(cluster)} AS ${local(model)}`,
  distributed(cluster, name, local(name), keys.get(model) ?? fail(`no table is called ${model}`)),
];

const makeView: Become = (cluster, [view, target = '', query = '']) => [
  `CREATE MATERIALIZED VIEW IF NOT EXISTS ${view} ${on(cluster)} TO ${local(target)} AS ${ofThisShard(query)}`,
];

const changeColumns: Become = (cluster, [table = '', change]) =>
  [local(table), table].map((each) => `ALTER TABLE ${each} ${on(cluster)} ${change}`);

const dropTable: Become = (cluster, [table = '']) =>
  [table, local(table)].map((each) => `DROP TABLE IF EXISTS ${each} ${on(cluster)} SYNC`);

/** Changes of a table that the distributed one has no part in. */
const rowsOrIndexes =
  'ADD INDEX|DROP INDEX|MATERIALIZE INDEX|DELETE|UPDATE|DROP PARTITION|MODIFY SETTING|RESET SETTING';

const forms: readonly (readonly [RegExp, Become])[] = [
  [/^(CREATE DATABASE IF NOT EXISTS \w+)$/, (cluster, [make]) => [`${make} ${on(cluster)}`]],
  [tableForm, makeTable],
  [/^CREATE TABLE (\w+) AS (\w+)$/, makeTableLike],
  [/^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS (.*)$/s, makeView],
  [/^ALTER TABLE (\w+) ((?:ADD|DROP|MODIFY|RENAME) COLUMN .*)$/s, changeColumns],
  [
    new RegExp(`^ALTER TABLE (\\w+) ((?:${rowsOrIndexes})\\s.*)$`, 's'),
    (cluster, [table = '', change]) => [`ALTER TABLE ${local(table)} ${on(cluster)} ${change}`],
  ],
  [
    /^(TRUNCATE|OPTIMIZE) TABLE (\w+)((?: .*)?)$/s,
    (cluster, [verb, table = '', how]) => [`${verb} TABLE ${local(table)} ${on(cluster)}${how}`],
  ],
  [
    /^EXCHANGE TABLES (\w+) AND (\w+)$/,
    (cluster, [one = '', other = '']) => [`EXCHANGE TABLES ${local(one)} AND ${local(other)} ${on(cluster)}`],
  ],
  [
    /^RENAME TABLE (\w+) TO (\w+)$/,
    (cluster, [from = '', to = '']) => [`RENAME TABLE ${local(from)} TO ${local(to)} ${on(cluster)}`],
  ],
  [/^DROP TABLE IF EXISTS (\w+) SYNC$/, dropTable],
  // The distributed table sends each row to its shard, and asks all shards.
  [/^((?:INSERT INTO|SELECT)\s.*)$/s, (_cluster, [statement = '']) => [statement]],
];

function distributed(cluster: Cluster, table: string, over: string, key: string): string {
  return `CREATE TABLE ${table} ${on(cluster)} AS ${over}
ENGINE = Distributed('${cluster.name}', '${cluster.database}', '${over}', ${key})`;
}

/**
 * With a mail id: all rows of a mail on one shard, where FINAL and the views find them together. Sums are filled by
 * views and so lie where their events do; nothing may be concluded from where they are. Of other tables rows with the
 * same first key replace each other.
 */
function shardingKey([columns = '', kind, , rest = '']: readonly string[]): string {
  if (/^\s*mail_id /m.test(columns)) return 'intHash64(mail_id)';
  if (kind === 'Summing') return 'rand()';
  const [, first] = /ORDER BY \(?(\w+)\b(?!\()/.exec(rest) ?? [];
  return `cityHash64(${first ?? fail(`no key to spread rows by in: ${rest}`)})`;
}

/**
 * Tokens are remembered in Keeper, for the hour that is the default too short: an office that died while it appended
 * may be down over a weekend. Blocks of all relays count, those of all partitions too.
 */
function replicatedSettings(rest: string): string {
  const remembered =
    'replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000';
  if (!rest.includes('SETTINGS ')) throw unknown(rest);
  if (!rest.includes('deduplication_window')) return `${rest}, ${remembered}`;
  const settings = rest.replace(/\bnon_replicated_deduplication_window = \d+/, remembered);
  return settings === rest ? fail(`a window of an unknown form in: ${rest}`) : settings;
}

/** The one place where a view names the table whose inserts it follows. */
function ofThisShard(query: string): string {
  const parts = query.split(/\bFROM events\b/);
  return parts.length === 2
    ? parts.join(`FROM ${local('events')} AS events`)
    : fail(`not one source in: ${query}`);
}

function unknown(statement: string): Error {
  return new Error(`no form on a cluster is known for: ${statement.slice(0, 200)}`);
}

function fail(why: string): never {
  throw new Error(why);
}
