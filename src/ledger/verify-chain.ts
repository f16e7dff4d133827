/**
 * Walks the chain of every node from its start to its newest batch, and compares each batch with the events that
 * stand in the ledger. Batches that were changed on purpose are compared with their signed amendment.
 */
import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import { amendmentTag, type LinkedRecord, linkOf, startTag } from './chain.ts';
import {
  amendmentsBetween,
  batchesFrom,
  chainStartOf,
  type Found,
  findBatches,
  nodesOf,
  type SignedAmendment,
} from './chain-records.ts';
import type { Engine } from './engine.ts';

export interface ChainProblem {
  node: string;
  /** Sequences it lies between. */
  first: number;
  last: number;
  problem: string;
}

export interface NodeChain {
  node: string;
  batches: number;
  intact: number;
  /** Changed on purpose since, and as the amendment says. */
  amended: number;
  /** Gone on purpose. */
  expired: number;
  /** Events from the time before the ledger had a chain. */
  before: number;
}

export interface ChainVerified {
  nodes: NodeChain[];
  /** In the order of nodes and sequences; at most `limits.verifyDifferences`. */
  problems: ChainProblem[];
}

export interface ChainOptions {
  /** Of this node: how far its outbox has been appended. Nothing newer may be missing. */
  end: { node: string; appendedTo: number } | null;
  onProgress?: (done: number, total: number) => void;
}

export async function verifyChain(
  engine: Engine,
  key: InstallationKey,
  { end, onProgress = () => {} }: ChainOptions,
): Promise<ChainVerified> {
  const [total] = await engine.ask('SELECT count() FROM batches');
  const verified: ChainVerified = { nodes: [], problems: [] };
  for (const node of await nodesOf(engine)) {
    const walk = new Walk(engine, key, node);
    const done = verified.nodes.reduce((sum, { batches }) => sum + batches, 0);
    await walk.go((batches) => onProgress(done + batches, Number(total?.[0] ?? 0)));
    await walk.finish(end?.node === node ? end.appendedTo : null);
    verified.nodes.push(walk.counts);
    verified.problems.push(...walk.problems);
  }
  return { ...verified, problems: verified.problems.slice(0, limits.verifyDifferences) };
}

class Walk {
  readonly counts: NodeChain;
  readonly problems: ChainProblem[] = [];
  readonly #engine: Engine;
  readonly #key: InstallationKey;
  readonly #node: string;
  /** Where the walk stands: the last sequence seen, and its link. */
  #last = 0;
  #link = '';
  /** Of the chain, and what of it should stand in the ledger. */
  #first: number | null = null;
  #expectedEvents = 0;

  constructor(engine: Engine, key: InstallationKey, node: string) {
    this.#engine = engine;
    this.#key = key;
    this.#node = node;
    this.counts = { node, batches: 0, intact: 0, amended: 0, expired: 0, before: 0 };
  }

  async go(onProgress: (batches: number) => void): Promise<void> {
    await this.#begin();
    for (;;) {
      const page = await batchesFrom(this.#engine, this.#node, this.#last + 1);
      if (page.length === 0) return;
      const amendments = await amendmentsBetween(
        this.#engine,
        this.#node,
        page[0]?.first ?? 0,
        page.at(-1)?.first ?? 0,
      );
      const found = await findBatches(this.#engine, this.#key, page);
      page.forEach((batch, index) => {
        this.#step(batch);
        this.#compare(batch, found[index], amendments.get(batch.first));
      });
      onProgress(this.counts.batches);
      if (this.problems.length >= limits.verifyDifferences) return;
    }
  }

  async #begin(): Promise<void> {
    const start = await chainStartOf(this.#engine, this.#node);
    if (start === null) return;
    if (start.tag !== startTag(this.#key, start)) {
      this.#complain(1, start.last, 'the record of where the chain begins was changed');
    }
    this.#last = start.last;
    this.#link = start.link;
    this.#first = 1;
    this.counts.batches += start.batches;
    this.counts.expired += start.batches;
  }

  /** From one batch to the next. */
  #step(batch: LinkedRecord): void {
    const { first, last } = batch;
    const begins = this.#first === null;
    if (begins) this.#first = first;
    else if (first > this.#last + 1)
      this.#complain(this.#last + 1, first - 1, 'the records of these batches were removed');
    else if (first <= this.#last)
      this.#complain(first, last, 'the record of this batch stands there twice, or was inserted');
    if (linkOf(this.#key, this.#link, batch) !== batch.link) {
      const why = begins
        ? 'what came before was removed, or its record was changed'
        : 'its record, or the one before, was changed';
      this.#complain(first, last, why);
    }
    this.#last = Math.max(this.#last, last);
    this.#link = batch.link;
    this.counts.batches += 1;
  }

  #compare(batch: LinkedRecord, found: Found | undefined, amendment: SignedAmendment | undefined): void {
    if (found === undefined) return;
    const trusted = amendment && amendment.tag === amendmentTag(this.#key, amendment) ? amendment : undefined;
    if (amendment && !trusted) this.#complain(batch.first, batch.last, 'its amendment was changed');
    if (trusted?.kind === 'pending') {
      this.#complain(
        batch.first,
        batch.last,
        'a change on purpose was interrupted; repeat it to complete it',
      );
      this.#expectedEvents += found.events;
      return;
    }
    const expected = trusted ?? batch;
    this.#expectedEvents += expected.events;
    if (found.digest === expected.digest && found.events === expected.events) this.#count(trusted);
    else this.#tell(batch, found, trusted !== undefined);
  }

  #count(amendment: SignedAmendment | undefined): void {
    if (amendment === undefined) this.counts.intact += 1;
    else if (amendment.events === 0) this.counts.expired += 1;
    else this.counts.amended += 1;
  }

  #tell(batch: LinkedRecord, { missing, twice }: Found, amended: boolean): void {
    const [gone, doubled] = [missing[0], twice[0]];
    if (doubled !== undefined)
      this.#complain(doubled, doubled, 'an event was inserted: its sequence stands there twice');
    if (!amended && gone !== undefined)
      this.#complain(gone, missing.at(-1) ?? gone, countOf(missing.length, 'removed'));
    if (doubled === undefined && (amended || gone === undefined)) {
      this.#complain(
        batch.first,
        batch.last,
        'an event of this batch was edited, moved, removed or inserted',
      );
    }
  }

  /** What no batch accounts for: events too many, and an end that is not the end. */
  async finish(appendedTo: number | null): Promise<void> {
    const first = this.#first ?? Number.MAX_SAFE_INTEGER;
    const [row] = await this.#engine.ask(
      `SELECT countIf(sequence < {first:UInt64}), countIf(sequence >= {first:UInt64}), max(sequence)
FROM events WHERE outbox_node = {node:String}`,
      { node: this.#node, first },
      { patient: true },
    );
    const [before, within, newest] = (row ?? [0, 0, 0]).map(Number);
    this.counts.before = before ?? 0;
    if (this.problems.length > 0) return;
    if ((newest ?? 0) > this.#last && this.#first !== null) {
      this.#complain(this.#last + 1, newest ?? 0, 'the ledger holds events that no batch brought');
    } else if (within !== this.#expectedEvents) {
      this.#complain(first, this.#last, `${(within ?? 0) - this.#expectedEvents} events were inserted`);
    }
    if (appendedTo !== null && this.#first !== null && appendedTo > this.#last) {
      this.#complain(this.#last + 1, appendedTo, 'the newest batches were removed');
    }
  }

  #complain(first: number, last: number, problem: string): void {
    this.problems.push({ node: this.#node, first, last, problem });
  }
}

function countOf(events: number, what: string): string {
  return events === 1 ? `an event was ${what}` : `${events} events were ${what}`;
}
