/** The links of the chain go along with their events, so that a ledger that was moved can still be proven. */
import { limits } from '../base/limits.ts';
import type { LinkedRecord } from './chain.ts';
import { amendmentsBetween, batchesFrom, type SignedAmendment } from './chain-records.ts';
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

async function insertAmendments(engine: Engine, amendments: readonly SignedAmendment[]): Promise<void> {
  if (amendments.length === 0) return;
  await engine.command(
    `INSERT INTO batch_amendments
SELECT row.1, row.2, row.3, row.4, row.5, row.6, unhex(row.7), unhex(row.8)
FROM (SELECT arrayJoin(arrayZip({nodes:Array(String)}, {firsts:Array(UInt64)}, {lasts:Array(UInt64)}, {numbers:Array(UInt64)},
  {kinds:Array(String)}, {counts:Array(UInt64)}, {digests:Array(String)}, {tags:Array(String)})) AS row)`,
    {
      nodes: amendments.map(({ node }) => node),
      firsts: amendments.map(({ first }) => first),
      lasts: amendments.map(({ last }) => last),
      numbers: amendments.map(({ number }) => number),
      kinds: amendments.map(({ kind }) => kind),
      counts: amendments.map(({ events }) => events),
      digests: amendments.map(({ digest }) => digest),
      tags: amendments.map(({ tag }) => tag),
    },
  );
}
