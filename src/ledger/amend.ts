/**
 * Changes to events that were appended: only retention, erasure and anonymising make them, and the chain is told.
 * The batches concerned are marked before anything is changed, and get their new digest after it: a crash in between
 * leaves marks, and whoever comes next completes them.
 */
import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import {
  type Amendment,
  type AmendmentKind,
  amendmentTag,
  type BatchRecord,
  noDigest,
  startTag,
} from './chain.ts';
import {
  amendmentsBetween,
  batchesFrom,
  chainStartOf,
  findBatches,
  insertAmendments,
} from './chain-records.ts';
import type { BoundValues, Engine } from './engine.ts';

/** `condition` holds for the events that `change` is going to change or remove. */
export interface EventChange {
  kind: Exclude<AmendmentKind, 'pending'>;
  condition: string;
  values: BoundValues;
  change: () => Promise<void>;
}

export async function changeEvents(
  engine: Engine,
  key: InstallationKey | null,
  event: EventChange,
): Promise<void> {
  if (key === null) {
    await event.change();
    return;
  }
  await markBatches(engine, key, event);
  await event.change();
  await completeAmendments(engine, key, event.kind);
}

/** Batches with an event that the condition holds for, marked in slices. */
async function markBatches(
  engine: Engine,
  key: InstallationKey,
  { condition, values }: EventChange,
): Promise<void> {
  let after: [node: string, first: number] = ['', 0];
  for (;;) {
    const rows = await engine.ask(
      `SELECT DISTINCT toString(batch.node) AS node, batch.first AS first, batch.last AS last
FROM (SELECT toString(outbox_node) AS node, sequence FROM events WHERE ${condition}) AS event
ASOF JOIN (SELECT toString(node) AS node, first, last FROM batches) AS batch
  ON event.node = batch.node AND event.sequence >= batch.first
WHERE event.sequence <= batch.last AND (node, first) > ({afterNode:String}, {afterFirst:UInt64})
ORDER BY node, first LIMIT ${limits.chainPageBatches}`,
      { ...values, afterNode: after[0], afterFirst: after[1] },
      { patient: true },
    );
    const marked = rows.map(([node, first, last]) => ({
      node: String(node),
      first: Number(first),
      last: Number(last),
    }));
    await writeAmendments(
      engine,
      key,
      marked.map((batch) => ({ ...batch, number: 0, kind: 'pending', events: 0, digest: noDigest })),
    );
    const end = marked.at(-1);
    if (end === undefined || marked.length < limits.chainPageBatches) return;
    after = [end.node, end.first];
  }
}

/** Gives every marked batch the digest of what stands there now; also of a change that a crash interrupted. */
export async function completeAmendments(
  engine: Engine,
  key: InstallationKey,
  kind: Exclude<AmendmentKind, 'pending'>,
): Promise<void> {
  for (;;) {
    const rows = await engine.ask(
      `SELECT batch.node, batch.first, batch.last, batch.events, batch.earliest, batch.latest
FROM batches AS batch JOIN (SELECT node, first FROM batch_amendments FINAL WHERE kind = 'pending') AS marked
  ON batch.node = marked.node AND batch.first = marked.first
ORDER BY batch.node, batch.first LIMIT ${limits.chainPageBatches}`,
      {},
      { patient: true },
    );
    if (rows.length === 0) return;
    const batches = rows.map(([node, first, last, events, earliest, latest]) => ({
      ...{ node: String(node), first: Number(first), last: Number(last), events: Number(events) },
      ...{ earliest: Number(earliest), latest: Number(latest), digest: noDigest },
    }));
    await writeAmendments(engine, key, await amendmentsOf(engine, key, kind, batches));
  }
}

async function amendmentsOf(
  engine: Engine,
  key: InstallationKey,
  kind: AmendmentKind,
  batches: readonly BatchRecord[],
): Promise<Amendment[]> {
  const found = await findBatches(engine, key, batches);
  return batches.flatMap(({ node, first, last }, index) => {
    const now = found[index];
    return now ? [{ node, first, last, number: 0, kind, events: now.events, digest: now.digest }] : [];
  });
}

/** Numbers rise with each amendment of a batch: the highest holds. */
async function writeAmendments(
  engine: Engine,
  key: InstallationKey,
  amendments: readonly Amendment[],
): Promise<void> {
  if (amendments.length === 0) return;
  const [row] = await engine.ask('SELECT max(number) FROM batch_amendments');
  const number = Number(row?.[0] ?? 0) + 1;
  const numbered = amendments.map((amendment) => ({ ...amendment, number }));
  await insertAmendments(
    engine,
    numbered.map((amendment) => ({ ...amendment, tag: amendmentTag(key, amendment) })),
  );
}

/**
 * Batches at the beginning of a chain whose events are all gone need no record each: one signed start stands for
 * them. The newest batch always stays.
 */
export async function shortenChain(engine: Engine, key: InstallationKey, node: string): Promise<void> {
  for (;;) {
    const start = await chainStartOf(engine, node);
    const page = (await batchesFrom(engine, node, (start?.last ?? 0) + 1)).slice(0, -1);
    const amendments = await amendmentsBetween(engine, node, page[0]?.first ?? 0, page.at(-1)?.first ?? 0);
    const keep = page.findIndex(({ first }) => {
      const amendment = amendments.get(first);
      return amendment?.kind !== 'expired' || amendment.events > 0;
    });
    const gone = keep === -1 ? page : page.slice(0, keep);
    const end = gone.at(-1);
    if (end === undefined) return;
    const next = {
      ...{ node, last: end.last, link: end.link },
      batches: (start?.batches ?? 0) + gone.length,
      events: (start?.events ?? 0) + gone.reduce((sum, { events }) => sum + events, 0),
    };
    await engine.command(
      `INSERT INTO chain_starts SELECT {node:String}, {last:UInt64}, {batches:UInt64}, {events:UInt64},
  unhex({link:String}), unhex({tag:String})`,
      { ...next, tag: startTag(key, next) },
    );
    for (const table of ['batches', 'batch_amendments']) {
      await engine.command(
        `ALTER TABLE ${table} DELETE WHERE node = {node:String} AND last <= {last:UInt64} SETTINGS mutations_sync = 2`,
        { node, last: end.last },
      );
    }
  }
}
