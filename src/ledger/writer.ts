/**
 * Carries the outbox into the ledger, each event once and in order (invariant I5). Three steps a batch:
 *
 *   1  `begin`    the upper end of the batch is on disk
 *   2  `append`   the ledger takes the batch, under a token made of its first and last sequence
 *   3  `advance`  the outbox forgets the batch
 *
 * A crash after 1 or 2 leaves a begun batch, and the next start repeats exactly that one before any other:
 * the ledger knows its token. A duplicate is refused there; a hole in the sequences is a fault here.
 *
 * When the ledger cannot be reached the outbox grows and the writer tries again, later each time. Mail is
 * not affected (invariant I9).
 */
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { limits } from '../base/limits.ts';
import { type Log, silentLog } from '../base/log.ts';
import type { MailEvent } from '../events/event.ts';
import { LedgerFault } from './fault.ts';
import type { Batch, Ledger } from './ledger.ts';

/** What the writer needs of the outbox; the composition root brings it. */
export interface Outbox {
  /** Events after that sequence, ascending. */
  read(after: number, limit: number): MailEvent[];
  cursor(): { appendedTo: number; pendingTo: number | null };
  /** Remembers on disk how far the batch about to be appended goes. */
  begin(pendingTo: number): void;
  /** The ledger holds everything up to here. */
  advance(to: number): void;
  /** Sequence of the newest event ever written; 0 before the first. */
  newest(): number;
}

export interface WriterOptions {
  outbox: Outbox;
  ledger: Pick<Ledger, 'append'>;
  clock: Clock;
  /** Names this outbox among all that write to the ledger. It must not change while a batch is begun. */
  node: string;
  log?: Log;
}

export interface Writer {
  /** Runs until `signal` aborts; the batch in hand is finished first. Throws when the outbox has a hole. */
  run(signal: AbortSignal): Promise<void>;
  /** Something was written to the outbox. */
  poke(): void;
  /**
   * True once the ledger holds every event that was in the outbox at the time of the call; false if it does
   * not within `withinMs`, or cannot be reached.
   */
  catchUp(withinMs: number): Promise<boolean>;
  /**
   * Runs `work` between two batches: none is begun before it has ended. What a crash or a ledger that cannot be
   * reached has left begun is still begun then; `outbox.cursor().pendingTo` tells.
   */
  between<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` while no batch is half appended and none is begun; batches wait meanwhile. Throws a `LedgerFault`
   * when a batch that was begun cannot be appended first.
   */
  hold<T>(work: () => Promise<T>): Promise<T>;
}

export function createWriter(options: WriterOptions): Writer {
  return new LedgerWriter(options);
}

class LedgerWriter implements Writer {
  readonly #outbox: Outbox;
  readonly #ledger: Pick<Ledger, 'append'>;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #log: Log;
  /** The one drain under way, shared by everyone who asks for one. */
  #draining: Promise<void> | null = null;
  #stopping: AbortSignal | null = null;
  /** Batches and those who want none of them beside their work, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiters = new Set<{ target: number; reached: () => void }>();
  #wake = new AbortController();

  constructor({ outbox, ledger, clock, node, log = silentLog }: WriterOptions) {
    this.#outbox = outbox;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#node = node;
    this.#log = log;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#stopping = signal;
    let failures = 0;
    while (!signal.aborted) {
      const failed = await this.#tryDrain();
      failures = failed === null ? 0 : failures + 1;
      if (failed !== null) this.#complain(failed, failures);
      if (failures === 0) await this.#idle(signal);
      else await this.#clock.sleep(retryDelayMs(failures), signal); // no poke shortens this one
    }
    await this.#draining?.catch(() => undefined);
    this.#stopping = null;
  }

  poke(): void {
    this.#wake.abort();
  }

  async catchUp(withinMs: number): Promise<boolean> {
    const target = this.#outbox.newest();
    if (this.#outbox.cursor().appendedTo >= target) return true;
    const reached = Promise.withResolvers<boolean>();
    const waiter = { target, reached: () => reached.resolve(true) };
    this.#waiters.add(waiter);
    const done = new AbortController();
    void this.#clock.sleep(withinMs, done.signal).then(() => reached.resolve(false));
    this.#drainTo(target).catch(() => reached.resolve(false)); // `run` tries again, and complains
    try {
      return await reached.promise;
    } finally {
      done.abort();
      this.#waiters.delete(waiter);
    }
  }

  between<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(work);
  }

  hold<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (this.#outbox.cursor().pendingTo !== null) await this.#appendNext();
      return work();
    });
  }

  /** A drain under way may have looked into the outbox for the last time already. */
  async #drainTo(target: number): Promise<void> {
    while (this.#outbox.cursor().appendedTo < target) await this.#drain();
    this.#tellWaiters(target);
  }

  async #tryDrain(): Promise<LedgerFault | null> {
    try {
      await this.#drain();
      return null;
    } catch (error) {
      if (error instanceof LedgerFault) return error;
      throw error;
    }
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#appendAll().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  /**
   * Ends when it has carried what was there when it looked last. What is written meanwhile gathers: under load batch after
   * batch would be small, and each costs the engine nearly as much as one a hundred times as large.
   */
  async #appendAll(): Promise<void> {
    await Promise.resolve(); // so that `#draining` is set before the first step can throw
    while (await this.#inTurn(() => this.#appendNext())) {
      if (this.#stopping?.aborted) return;
    }
  }

  /** False when everything is appended that was there when it looked. */
  async #appendNext(): Promise<boolean> {
    const newest = this.#outbox.newest();
    const batch = this.#nextBatch();
    if (batch === null) return false;
    if (this.#outbox.cursor().pendingTo === null) this.#outbox.begin(batch.last);
    crashPoint('batch-begun');
    await this.#ledger.append(batch);
    crashPoint('batch-appended');
    this.#outbox.advance(batch.last);
    crashPoint('batch-advanced');
    this.#tellWaiters(batch.last);
    return batch.last < newest;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #nextBatch(): Batch | null {
    const { appendedTo, pendingTo } = this.#outbox.cursor();
    const events =
      pendingTo === null ? this.#newEvents(appendedTo) : this.#begunEvents(appendedTo, pendingTo);
    const last = events.at(-1)?.sequence;
    if (last === undefined) return null;
    return { node: this.#node, first: appendedTo + 1, last, events };
  }

  /** The batch that was begun before a crash, whole and nothing else. */
  #begunEvents(appendedTo: number, pendingTo: number): MailEvent[] {
    const events = this.#outbox.read(appendedTo, pendingTo - appendedTo);
    assertNoHole(events, appendedTo);
    assert(
      events.at(-1)?.sequence === pendingTo,
      `the outbox still holds the begun batch up to ${pendingTo}`,
    );
    return events;
  }

  /** In slices, so that many events of long texts become several batches instead of one huge one. */
  #newEvents(appendedTo: number): MailEvent[] {
    const events: MailEvent[] = [];
    let characters = 0;
    while (events.length < limits.ledgerBatchEvents && characters < limits.ledgerBatchCharacters) {
      const wanted = Math.min(limits.ledgerReadEvents, limits.ledgerBatchEvents - events.length);
      const slice = this.#outbox.read(appendedTo + events.length, wanted);
      assertNoHole(slice, appendedTo + events.length);
      for (const event of slice) characters += charactersOf(event);
      events.push(...slice);
      if (slice.length < wanted) break;
    }
    return events;
  }

  #tellWaiters(appendedTo: number): void {
    for (const { target, reached } of this.#waiters) if (target <= appendedTo) reached();
  }

  #complain(fault: LedgerFault, failures: number): void {
    const fields = { fault, failures, retryInMs: retryDelayMs(failures) };
    const text = 'the ledger did not take the events; they wait in the outbox';
    if (failures < 5) this.#log.warn(fields, text);
    else this.#log.error(fields, text);
  }

  /**
   * Waits for a poke, the poll interval, or the end. After a poke more events are let gather: small batches
   * make small parts, which the engine then has to merge. Who cannot wait calls `catchUp`.
   */
  async #idle(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(limits.ledgerGatherMs, signal);
    if (!this.#wake.signal.aborted) {
      const restMs = limits.ledgerPollMs - limits.ledgerGatherMs;
      await this.#clock.sleep(restMs, AbortSignal.any([signal, this.#wake.signal]));
    }
    this.#wake = new AbortController();
  }
}

function retryDelayMs(failures: number): number {
  return Math.min(limits.ledgerRetryMs, 250 * 2 ** Math.min(failures, 16));
}

function assertNoHole(events: readonly MailEvent[], after: number): void {
  events.forEach(({ sequence }, index) => {
    assert(
      sequence === after + 1 + index,
      `sequence ${after + 1 + index} follows in the outbox, not ${sequence}`,
    );
  });
}

/** Roughly: the texts that can be long. */
function charactersOf({ mail, delivery, status, engagement }: MailEvent): number {
  const texts = [mail.toField, mail.subject, mail.reversePath, delivery.diagnostic, delivery.displayName];
  texts.push(
    status?.reply?.text ?? '',
    status?.diagnostic ?? '',
    engagement?.userAgent ?? '',
    engagement?.url ?? '',
  );
  return texts.reduce((sum, text) => sum + text.length, 500);
}
