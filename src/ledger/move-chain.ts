/** The links of the chain go along with their events, so that a ledger that was moved can still be proven. */
import { limits } from '../base/limits.ts';
import type { LinkedRecord } from './chain.ts';
import { amendmentsBetween, batchesFrom, insertAmendments } from './chain-records.ts';
import type { Engine } from './engine.ts';

/** In order, page by page: a move that was broken off goes on behind the newest link that is there. */
export async function carryChain(from: Engine, to: Engine, node: string): Promise<void> {
  const [[newest] = []] = await to.ask('SELECT max(first) FROM batches WHERE node = {node:String}', { node });
  let next = Number(newest) + 1;
  for (;;) {
    const batches = await batchesFrom(from, node, next);
    const last = batches.at(-1);
    if (last === undefined) return;
    const amendments = await amendmentsBetween(from, node, next, last.first);
    await insertAmendments(to, [...amendments.values()]); // before the links behind which the next run would go on
    await insertBatches(to, node, batches);
    if (batches.length < limits.chainPageBatches) return;
    next = last.first + 1;
  }
}

async function insertBatches(engine: Engine, node: string, batches: readonly LinkedRecord[]): Promise<void> {
  await engine.command(
    `INSERT INTO batches
SELECT {node:String}, row.1, row.2, row.3, row.4, row.5, unhex(row.6), unhex(row.7)
FROM (SELECT arrayJoin(arrayZip({firsts:Array(UInt64)}, {lasts:Array(UInt64)}, {counts:Array(UInt64)}, {earliest:Array(UInt64)},
  {latest:Array(UInt64)}, {digests:Array(String)}, {links:Array(String)})) AS row)`,
    {
      node,
      firsts: batches.map(({ first }) => first),
      lasts: batches.map(({ last }) => last),
      counts: batches.map(({ events }) => events),
      earliest: batches.map(({ earliest }) => earliest),
      latest: batches.map(({ latest }) => latest),
      digests: batches.map(({ digest }) => digest),
      links: batches.map(({ link }) => link),
    },
  );
}
