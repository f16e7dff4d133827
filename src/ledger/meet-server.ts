/** What is looked at before a server's tables are touched: that it has the cluster, and that they are of its form. */
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';

/** Nothing is asked of all servers of a cluster that is done already: one that is away would stop the start. */
export async function createDatabase(engine: Engine, database: string): Promise<void> {
  const found = await engine.ask('SELECT name FROM system.databases WHERE name = {database:String}', {
    database,
  });
  if (found.length === 0) await engine.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
}

export async function refuseUnknownCluster(engine: Engine, name: string): Promise<void> {
  const shards = await engine.ask(
    `SELECT shard_num, count() > 1 AND min(internal_replication) = 0
FROM system.clusters WHERE cluster = {name:String} GROUP BY shard_num ORDER BY shard_num`,
    { name },
  );
  if (shards.length === 0) {
    const others = await engine.ask('SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster');
    const list = others.length === 0 ? 'none' : others.map(([other]) => other).join(', ');
    throw refuse(
      `the server of ledger.url knows no cluster "${name}" (it knows: ${list}); set ledger.cluster`,
    );
  }
  const written = shards.find(([, twice]) => Number(twice) === 1);
  if (written === undefined) return;
  throw refuse(
    `shard ${written[0]} of the cluster "${name}" would get every row once for each replica: set internal_replication to true in remote_servers`,
  );
}

/** Tables of one server are not those of a cluster, though they are called the same. */
export async function refuseOtherForm(
  engine: Engine,
  database: string,
  cluster: string | null,
): Promise<void> {
  const [[kind] = []] = await engine.ask(
    "SELECT engine FROM system.tables WHERE database = {database:String} AND name = 'events'",
    { database },
  );
  if (kind === undefined || (kind === 'Distributed') === (cluster !== null)) return;
  throw refuse(
    cluster === null
      ? `the tables in the database "${database}" are those of a cluster; set ledger.cluster to its name ("waybill ledger move" goes to one server only)`
      : `the tables in the database "${database}" are those of one server, not of a cluster; name another database for the cluster, or leave ledger.cluster empty`,
  );
}

function refuse(why: string): LedgerFault {
  return new LedgerFault('inconsistent', why);
}
