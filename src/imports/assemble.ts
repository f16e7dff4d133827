/**
 * From records to mails and their events. What is told of a mail under two queue ids is one mail: Postfix and
 * OpenSMTPD hand a mail to a content filter, which submits it again on the same machine, and say under which id it was
 * taken; such a hand-over is no delivery. The lines of the second id come first, so what came from this machine and
 * may be a mail that came back waits until that is known.
 */
import { limits } from '../base/limits.ts';
import { applyDelivery, applyMail, type ImportedEvent, type ImportedMail } from './imported-mail.ts';
import type { Generation, MailBook } from './mail-book.ts';
import type { LogRecord } from './record.ts';
import { changeSums, noShare, type Share, shareOf } from './tally.ts';

/** What has to be written. */
export interface Changes {
  /** Events of a mail, oldest first. */
  events: Map<ImportedMail, ImportedEvent[]>;
  /** Generations of which more is known than the store does. */
  touched: Set<Generation>;
}

export interface Assembler {
  take(record: LogRecord): void;
  /** What came since; `all`: also of what could still turn out to have come back from a filter. */
  changes(how: { all: boolean }): Changes;
  /** Something is held back until it is known whose it is. */
  isWaiting(): boolean;
  readonly sums: Share;
}

type Delivery = Extract<LogRecord, { kind: 'delivery' }>;

export function createAssembler(book: MailBook, run: number, sums: Share): Assembler {
  const work = new Assembly(book, run, sums);
  return {
    take: (record) => work.take(record),
    changes: ({ all }) => work.changes(all),
    isWaiting: () => work.isWaiting,
    sums,
  };
}

class Assembly {
  readonly #book: MailBook;
  readonly #run: number;
  readonly #sums: Share;
  #newestAt = 0;
  #touched = new Set<Generation>();
  #events = new Map<ImportedMail, ImportedEvent[]>();
  /** Records of mails that may have come back from a filter, in the order of their beginning. */
  #waiting = new Map<Generation, LogRecord[]>();
  /** Mails in memory by Message-ID: how many there are. */
  #messageIds = new Map<string, Set<Generation>>();

  constructor(book: MailBook, run: number, sums: Share) {
    this.#book = book;
    this.#run = run;
    this.#sums = sums;
  }

  take(record: LogRecord): void {
    this.#newestAt = Math.max(this.#newestAt, record.at);
    const generation = this.#book.find(record);
    if (record.kind === 'mail' && record.continues !== undefined)
      this.#continue(generation, record.continues);
    const main = generation.partOf ?? generation;
    generation.lastAt = Math.max(generation.lastAt, record.at);
    this.#touched.add(generation).add(main);
    if (main.mail === null) this.#count(main, main.share ?? noShare());
    else if (record.kind === 'mail') this.#apply(generation, main.mail, record);
    else if (this.#mayBeHandedOver(main, record)) this.#waitWith(main, record);
    else {
      this.#applyWaiting(main);
      this.#apply(generation, main.mail, record);
    }
  }

  #apply(generation: Generation, mail: ImportedMail, record: LogRecord): void {
    const main = generation.partOf ?? generation;
    mail.lastAt = Math.max(mail.lastAt, record.at);
    switch (record.kind) {
      case 'mail':
        applyMail(mail, record, generation.partOf !== null);
        if (record.facts.messageIdField) this.#index(main, record.facts.messageIdField);
        break;
      case 'delivery':
        this.#deliver(main, mail, record);
        break;
      case 'ended':
        mail.live = mail.live.filter((id) => id !== generation.id);
        break;
      case 'probe':
        mail.probe = true;
        break;
    }
    this.#count(main, shareOf(mail));
  }

  #deliver(main: Generation, mail: ImportedMail, record: Delivery): void {
    if (record.nextId !== undefined && this.#handOver(main, mail, record)) return;
    const events = applyDelivery(mail, record);
    if (events.length === 0 || mail.probe) return;
    const before = this.#events.get(mail);
    if (before === undefined) this.#events.set(mail, events);
    else before.push(...events);
  }

  /** True if the mail goes on under the next id, so that this is no delivery. */
  #handOver(main: Generation, mail: ImportedMail, record: Delivery): boolean {
    const next = record.nextId === undefined ? null : this.#book.underWay(record.nextId);
    if (next?.mail == null || next === main || next.partOf !== null) return this.#wentOn(main, record);
    const { firstAt, mail: other } = next;
    const since = main.firstAt - limits.importDisorderMs;
    if (firstAt < since || firstAt > record.at + limits.importDisorderMs || other.mailId !== null)
      return false;
    if (mail.facts.messageIdField !== other.facts.messageIdField) return false;
    if (this.#events.has(other)) return false;
    this.#join(main, next);
    return !isTold(mail, record);
  }

  /** The next id was found to be this mail before, perhaps in an earlier run. */
  #wentOn(main: Generation, { nextId, at }: Delivery): boolean {
    return nextId !== undefined && this.#book.known(nextId, at)?.partOf === main;
  }

  #join(main: Generation, next: Generation): void {
    const { mail } = next;
    const records = this.#waiting.get(next) ?? [];
    this.#waiting.delete(next);
    if (mail === null || main.mail === null) return;
    this.#count(next, noShare());
    main.mail.facts = { ...mail.facts, ...main.mail.facts };
    main.mail.live.push(...mail.live);
    next.mail = null;
    next.partOf = main;
    this.#touched.add(next).add(main);
    for (const record of records) if (main.mail !== null) this.#apply(next, main.mail, record);
  }

  /** An operator put it into the queue again, or the filter told the first id. */
  #continue(generation: Generation, earlier: string): void {
    const main = this.#book.underWay(earlier);
    if (main === null || main === generation || generation.mail === null || generation.mail.mailId !== null)
      return;
    if (!this.#events.has(generation.mail)) this.#join(main, generation);
  }

  #mayBeHandedOver({ mail, firstAt }: Generation, record: LogRecord): boolean {
    if (mail === null || !mail.fromHere || mail.mailId !== null || this.#events.has(mail)) return false;
    if (record.at - firstAt > limits.importHandOverMs) return false;
    const messageId = mail.facts.messageIdField;
    return messageId === undefined || (this.#messageIds.get(messageId)?.size ?? 0) > 1;
  }

  #waitWith(generation: Generation, record: LogRecord): void {
    const records = this.#waiting.get(generation) ?? [];
    records.push(record);
    this.#waiting.set(generation, records);
  }

  /** What was not claimed in time was no hand-over. */
  #release(all: boolean): void {
    for (const generation of this.#waiting.keys()) {
      if (!all && this.#newestAt - generation.firstAt <= limits.importHandOverMs) continue;
      this.#applyWaiting(generation);
    }
  }

  #applyWaiting(generation: Generation): void {
    const records = this.#waiting.get(generation) ?? [];
    this.#waiting.delete(generation);
    for (const record of records)
      if (generation.mail !== null) this.#apply(generation, generation.mail, record);
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  changes(all: boolean): Changes {
    this.#release(all);
    const changes = { events: this.#events, touched: this.#touched };
    this.#events = new Map();
    this.#touched = new Set();
    for (const generation of changes.touched) this.#forgetEnded(generation);
    return changes;
  }

  /** Of a mail that came to its end only its time is kept. */
  #forgetEnded({ mail }: Generation): void {
    if (mail === null || mail.live.length > 0) return;
    const messageId = mail.facts.messageIdField;
    if (messageId !== undefined) this.#messageIds.delete(messageId);
  }

  #index(generation: Generation, messageId: string): void {
    const sharing = this.#messageIds.get(messageId) ?? new Set();
    sharing.add(generation);
    this.#messageIds.set(messageId, sharing);
    if (this.#messageIds.size <= limits.importMailsInMemory) return;
    const [oldest] = this.#messageIds.keys();
    if (oldest !== undefined) this.#messageIds.delete(oldest);
  }

  #count(generation: Generation, share: Share): void {
    changeSums(this.#sums, generation.run === this.#run ? generation.share : null, share);
    generation.share = share;
    generation.run = this.#run;
  }
}

/** Something was told of the recipient before; then the hand-over has to be told as well. */
function isTold(mail: ImportedMail, { to, forwarded }: Delivery): boolean {
  if (forwarded !== true || !('address' in to)) return false;
  return mail.deliveries.some(({ forwardPath }) => forwardPath === to.address);
}
