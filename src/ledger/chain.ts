/**
 * Tamper evidence: each batch carries the keyed digest of its events and a keyed link over the batch before, so that
 * an event that is edited, removed, inserted or moved is found (`verify-chain.ts`). One chain for each node. The
 * keys are of the installation: whoever can write to the ledger but has not its key cannot make a chain that holds.
 *
 * What retention, erasure and anonymising change on purpose is amended, never linked anew: the chain keeps the
 * digest of what was appended, and a signed amendment says what stands there now.
 */
import type { InstallationKey } from '../base/secret.ts';
import type { MailEvent } from '../events/event.ts';
import type { Engine } from './engine.ts';
import { encodeRows } from './event-row.ts';

export interface BatchRecord {
  node: string;
  first: number;
  last: number;
  events: number;
  /** Times of its earliest and latest event. */
  earliest: number;
  latest: number;
  /** Of the encoded events, hexadecimal. */
  digest: string;
}

export interface LinkedRecord extends BatchRecord {
  link: string;
}

export type AmendmentKind = 'pending' | 'expired' | 'erased' | 'anonymised';

export interface Amendment {
  node: string;
  first: number;
  last: number;
  /** Of several for one batch the highest holds. */
  number: number;
  kind: AmendmentKind;
  events: number;
  digest: string;
}

export interface ChainStart {
  node: string;
  /** The chain goes on behind this sequence. */
  last: number;
  /** What stood before it, in all. */
  batches: number;
  events: number;
  link: string;
}

const tagBytes = 16;
export const noDigest = '0'.repeat(2 * tagBytes);

export function digestOf(key: InstallationKey, node: string, events: readonly MailEvent[]): string {
  return digestOfRows(key, encodeRows(node, events));
}

function digestOfRows(key: InstallationKey, rows: Buffer): string {
  return key.tag('ledger batch', rows, tagBytes).toString('hex');
}

const signed = (key: InstallationKey, purpose: string, facts: readonly (string | number)[]) =>
  key.tag(purpose, Buffer.from(JSON.stringify(facts)), tagBytes).toString('hex');

/** `before`: the link of the batch before; '' for the first one. */
export function linkOf(key: InstallationKey, before: string, batch: BatchRecord): string {
  const { node, first, last, events, earliest, latest, digest } = batch;
  return signed(key, 'ledger link', [before, node, first, last, events, earliest, latest, digest]);
}

export function amendmentTag(key: InstallationKey, amendment: Amendment): string {
  const { node, first, last, number, kind, events, digest } = amendment;
  return signed(key, 'ledger amendment', [node, first, last, number, kind, events, digest]);
}

export function startTag(key: InstallationKey, { node, last, batches, events, link }: ChainStart): string {
  return signed(key, 'ledger start', [node, last, batches, events, link]);
}

export interface Chain {
  /** After the batch itself; `rows` are its events as appended. Recording the same batch again changes nothing. */
  record(node: string, events: readonly MailEvent[], rows: Buffer): Promise<void>;
}

export function openChain(engine: Engine, key: InstallationKey): Chain {
  /** Of each node the newest batch: it is the one before the next. */
  const ends = new Map<string, { last: number; link: string }>();
  return {
    async record(node, events, rows) {
      const batch = recordOf(node, events, digestOfRows(key, rows));
      const end = ends.get(node);
      const before = end?.last === batch.first - 1 ? end.link : await linkBefore(engine, batch);
      if (before === null) return; // recorded before a crash
      const link = linkOf(key, before, batch);
      await insert(engine, { ...batch, link });
      ends.set(node, { last: batch.last, link });
    },
  };
}

function recordOf(node: string, events: readonly MailEvent[], digest: string): BatchRecord {
  let [earliest, latest] = [Number.POSITIVE_INFINITY, 0];
  for (const { at } of events) {
    earliest = Math.min(earliest, at);
    latest = Math.max(latest, at);
  }
  return {
    node,
    first: events[0]?.sequence ?? 0,
    last: events.at(-1)?.sequence ?? 0,
    events: events.length,
    earliest: Math.max(0, Math.floor(earliest)),
    latest: Math.max(0, Math.ceil(latest)),
    digest,
  };
}

/** Null when the batch itself is recorded already; '' when there is none before it. */
async function linkBefore(engine: Engine, { node, first }: BatchRecord): Promise<string | null> {
  const [own] = await engine.ask(
    'SELECT 1 FROM batches WHERE node = {node:String} AND first = {first:UInt64} LIMIT 1',
    { node, first },
  );
  if (own !== undefined) return null;
  const [row] = await engine.ask(
    `SELECT hex(link) FROM (
  SELECT last, link FROM batches WHERE node = {node:String} AND first < {first:UInt64} ORDER BY first DESC LIMIT 1
  UNION ALL SELECT last, link FROM chain_starts FINAL WHERE node = {node:String} AND last < {first:UInt64}
) ORDER BY last DESC LIMIT 1`,
    { node, first },
  );
  return row === undefined ? '' : String(row[0]).toLowerCase();
}

async function insert(engine: Engine, batch: LinkedRecord): Promise<void> {
  const { node, first, last, events, earliest, latest, digest, link } = batch;
  await engine.command(
    `INSERT INTO batches SELECT {node:String}, {first:UInt64}, {last:UInt64}, {events:UInt32}, {earliest:UInt64},
  {latest:UInt64}, unhex({digest:String}), unhex({link:String})`,
    { node, first, last, events, earliest, latest, digest, link },
  );
}
