/** The chain's tables read and added to, and the events of batches digested again. */

import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import type { MailEvent } from '../events/event.ts';
import { type Amendment, type BatchRecord, type ChainStart, digestOf, type LinkedRecord } from './chain.ts';
import type { Engine } from './engine.ts';
import { readStoredEvent, storedSelection } from './stored-event.ts';

export async function nodesOf(engine: Engine): Promise<string[]> {
  const rows = await engine.ask(
    `SELECT DISTINCT node FROM (
  SELECT DISTINCT toString(node) AS node FROM batches
  UNION ALL SELECT DISTINCT toString(node) FROM chain_starts
  UNION ALL SELECT DISTINCT toString(outbox_node) FROM events
) ORDER BY node`,
    {},
    { patient: true },
  );
  return rows.map(([node]) => String(node));
}

/** A page of them in their order, from the sequence on. */
export async function batchesFrom(engine: Engine, node: string, sequence: number): Promise<LinkedRecord[]> {
  const rows = await engine.ask(
    `SELECT first, last, events, earliest, latest, hex(digest), hex(link) FROM batches
WHERE node = {node:String} AND first >= {sequence:UInt64} ORDER BY first, last LIMIT ${limits.chainPageBatches}`,
    { node, sequence },
    { patient: true },
  );
  return rows.map(([first, last, events, earliest, latest, digest, link]) => ({
    node,
    ...{ first: Number(first), last: Number(last), events: Number(events) },
    ...{ earliest: Number(earliest), latest: Number(latest) },
    ...{ digest: String(digest).toLowerCase(), link: String(link).toLowerCase() },
  }));
}

export interface SignedAmendment extends Amendment {
  tag: string;
}

export async function insertAmendments(
  engine: Engine,
  amendments: readonly SignedAmendment[],
): Promise<void> {
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

/** Of the batches that begin within the range; of each the one that holds. */
export async function amendmentsBetween(
  engine: Engine,
  node: string,
  first: number,
  last: number,
): Promise<Map<number, SignedAmendment>> {
  const rows = await engine.ask(
    `SELECT first, last, number, kind, events, hex(digest), hex(tag) FROM batch_amendments FINAL
WHERE node = {node:String} AND first BETWEEN {first:UInt64} AND {last:UInt64} ORDER BY first`,
    { node, first, last },
    { patient: true },
  );
  const amendments = rows.map(([begin, end, number, kind, events, digest, tag]) => ({
    node,
    ...{ first: Number(begin), last: Number(end), number: Number(number) },
    ...{ kind: String(kind) as Amendment['kind'], events: Number(events) },
    ...{ digest: String(digest).toLowerCase(), tag: String(tag).toLowerCase() },
  }));
  return new Map(amendments.map((amendment) => [amendment.first, amendment]));
}

export async function chainStartOf(
  engine: Engine,
  node: string,
): Promise<(ChainStart & { tag: string }) | null> {
  const [row] = await engine.ask(
    'SELECT last, batches, events, hex(link), hex(tag) FROM chain_starts FINAL WHERE node = {node:String}',
    { node },
  );
  if (row === undefined) return null;
  const [last, batches, events, link, tag] = row;
  return {
    node,
    ...{ last: Number(last), batches: Number(batches), events: Number(events) },
    ...{ link: String(link).toLowerCase(), tag: String(tag).toLowerCase() },
  };
}

/** What stands in the ledger of a batch now. */
export interface Found {
  events: number;
  digest: string;
  /** Sequences that are missing, and those that stand there more than once. */
  missing: number[];
  twice: number[];
}

/** In windows of neighbours, so that few statements read them all. */
export async function findBatches(
  engine: Engine,
  key: InstallationKey,
  batches: readonly BatchRecord[],
): Promise<Found[]> {
  const found: Found[] = [];
  let window: BatchRecord[] = [];
  let size = 0;
  const read = async () => {
    if (window.length > 0) found.push(...(await findWindow(engine, key, window)));
    [window, size] = [[], 0];
  };
  for (const batch of batches) {
    const neighbour = window.at(-1)?.last === batch.first - 1;
    if (!neighbour || size + batch.events > limits.chainWindowEvents) await read();
    window.push(batch);
    size += batch.events;
  }
  await read();
  return found;
}

async function findWindow(
  engine: Engine,
  key: InstallationKey,
  batches: readonly BatchRecord[],
): Promise<Found[]> {
  const [node = '', first = 0, last = 0] = [batches[0]?.node, batches[0]?.first, batches.at(-1)?.last];
  const rows = await engine.ask(
    `SELECT ${storedSelection.join(', ')} FROM events
WHERE outbox_node = {node:String} AND sequence BETWEEN {first:UInt64} AND {last:UInt64}
  AND at BETWEEN fromUnixTimestamp64Milli({earliest:Int64}, 'UTC') AND fromUnixTimestamp64Milli({latest:Int64}, 'UTC')
ORDER BY sequence, at`,
    {
      ...{ node, first, last },
      earliest: batches.reduce((least, batch) => Math.min(least, batch.earliest), Number.MAX_SAFE_INTEGER),
      latest: batches.reduce((most, batch) => Math.max(most, batch.latest), 0),
    },
    { patient: true },
  );
  const events = rows.map((cells) => readStoredEvent(cells).event);
  let next = 0;
  return batches.map((batch) => {
    const begin = next;
    while ((events[next]?.sequence ?? Number.POSITIVE_INFINITY) <= batch.last) next += 1;
    return foundOf(key, batch, events.slice(begin, next));
  });
}

function foundOf(key: InstallationKey, batch: BatchRecord, events: readonly MailEvent[]): Found {
  const missing: number[] = [];
  const twice: number[] = [];
  let expected = batch.first;
  for (const { sequence } of events) {
    if (sequence < expected) twice.push(sequence);
    for (; expected < sequence; expected += 1) missing.push(expected);
    expected = Math.max(expected, sequence + 1);
  }
  for (; expected <= batch.last; expected += 1) missing.push(expected);
  return { events: events.length, digest: digestOf(key, batch.node, events), missing, twice };
}
