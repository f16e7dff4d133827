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
import type { Hold } from './rebuild.ts';

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

/** How far a node's chain was walked without a problem. */
export interface ProvedTo {
  node: string;
  last: number;
  link: string;
}

export interface ChainVerified {
  nodes: NodeChain[];
  /** In the order of nodes and sequences; at most `limits.verifyDifferences`. */
  problems: ChainProblem[];
  proved: ProvedTo[];
}

export interface ChainOptions {
  hold: Hold;
  /** This node, and how far its outbox has been appended: nothing up to there may be missing. Asked within a hold. */
  own: { node: string; appendedTo: () => number } | null;
  /** The walk goes on from there; of nodes that are not named it begins at the beginning. */
  from?: readonly ProvedTo[];
  onProgress?: (done: number, total: number) => void;
}

export async function verifyChain(
  engine: Engine,
  key: InstallationKey,
  { hold, own, from = [], onProgress = () => {} }: ChainOptions,
): Promise<ChainVerified> {
  const [total] = await engine.ask('SELECT count() FROM batches');
  const verified: ChainVerified = { nodes: [], problems: [], proved: [] };
  for (const node of await nodesOf(engine)) {
    const walk = new Walk(engine, key, node);
    const done = verified.nodes.reduce((sum, { batches }) => sum + batches, 0);
    await walk.begin(from.find((one) => one.node === node));
    await walk.go((batches) => onProgress(done + batches, Number(total?.[0] ?? 0)));
    await walk.countEvents();
    if (own?.node === node) await hold(() => walk.finish(own.appendedTo()));
    else await walk.finish(null);
    verified.nodes.push(walk.counts);
    verified.problems.push(...walk.problems);
    if (walk.problems.length === 0) verified.proved.push(walk.provedTo());
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
  /** What lies up to here was proved before. */
  #from = 0;

  constructor(engine: Engine, key: InstallationKey, node: string) {
    this.#engine = engine;
    this.#key = key;
    this.#node = node;
    this.counts = { node, batches: 0, intact: 0, amended: 0, expired: 0, before: 0 };
  }

  provedTo(): ProvedTo {
    return { node: this.#node, last: this.#last, link: this.#link };
  }

  /** What was proved before is not looked at again, unless the chain has been shortened beyond it. */
  async begin(from: ProvedTo | undefined): Promise<void> {
    const start = await chainStartOf(this.#engine, this.#node);
    if (from !== undefined && from.last > 0 && from.last >= (start?.last ?? 0)) {
      [this.#last, this.#link] = [from.last, from.link];
      [this.#from, this.#first] = [from.last, from.last + 1];
      return;
    }
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

  /** To the newest batch there is; called again it goes on. */
  async go(onProgress: (batches: number) => void = () => {}): Promise<void> {
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

  /** Events too many between the batches, and those from before the chain. */
  async countEvents(): Promise<void> {
    const first = this.#first ?? Number.MAX_SAFE_INTEGER;
    const [row] = await this.#engine.ask(
      `SELECT countIf(sequence < {first:UInt64}), countIf(sequence >= {first:UInt64} AND sequence <= {last:UInt64})
FROM events WHERE outbox_node = {node:String} AND sequence > {from:UInt64}`,
      { node: this.#node, first, last: this.#last, from: this.#from },
      { patient: true },
    );
    const [before = 0, within = 0] = (row ?? []).map(Number);
    this.counts.before = before;
    if (this.problems.length > 0 || within === this.#expectedEvents) return;
    this.#complain(first, this.#last, `${within - this.#expectedEvents} events were inserted`);
  }

  /**
   * What stands behind the newest batch, and whether that is the newest. Batches that came in meanwhile are walked
   * first; of a node whose writer nobody holds still a batch may be there a moment before its record.
   */
  async finish(appendedTo: number | null): Promise<void> {
    let newest = 0;
    for (let round = 0; round < limits.chainEndRounds; round += 1) {
      await this.go();
      newest = await this.#newestBehind(this.#last);
      if (newest <= this.#last || this.problems.length > 0) break;
    }
    if (this.problems.length > 0 || this.#first === null) return;
    if (newest > this.#last) {
      this.#complain(this.#last + 1, newest, 'the ledger holds events that no batch brought');
    }
    if (appendedTo !== null && appendedTo > this.#last) {
      this.#complain(this.#last + 1, appendedTo, 'the newest batches were removed');
    }
  }

  async #newestBehind(last: number): Promise<number> {
    const [row] = await this.#engine.ask(
      'SELECT max(sequence) FROM events WHERE outbox_node = {node:String} AND sequence > {last:UInt64}',
      { node: this.#node, last },
      { patient: true },
    );
    return Number(row?.[0] ?? 0);
  }

  #complain(first: number, last: number, problem: string): void {
    this.problems.push({ node: this.#node, first, last, problem });
  }
}

function countOf(events: number, what: string): string {
  return events === 1 ? `an event was ${what}` : `${events} events were ${what}`;
}
