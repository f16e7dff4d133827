/**
 * Which mail a line is about. A queue id names one mail at a time and may come back for another; so what is known
 * under an id is a row of generations, told apart by time. Those under way are in memory as far as fits, all of them
 * in the store; of a mail that came to its end the store keeps when it was, by which its lines are known again.
 */
import { limits } from '../base/limits.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';
import { type ImportedMail, newMail } from './imported-mail.ts';
import type { LogRecord } from './record.ts';
import { packShare, type Share, unpackShare } from './tally.ts';

export interface Generation {
  /** Queue id. */
  id: string;
  firstAt: number;
  lastAt: number;
  /** Null once it came to its end and is in the store, or if it is `partOf` another. */
  mail: ImportedMail | null;
  /** The mail goes on, or went on before, as that one. */
  partOf: Generation | null;
  /** Its log began when it was under way. */
  headless: boolean;
  share: Share | null;
  /** The run whose sums have its share. */
  run: number;
}

export interface MailBook {
  /** The generation that a record is about; made if there is none. */
  find(record: LogRecord): Generation;
  /** The generation that was under the id at that time; null if none is known. */
  known(id: string, at: number): Generation | null;
  /** The newest generation under the id, if it is under way. */
  underWay(id: string): Generation | null;
  /** To be called within a transaction. */
  save(generation: Generation, mailId: number | null): void;
  /**
   * When all is saved: lets go of what came to its end as far as there is too much in memory; if that is not enough and
   * `canForget`, of everything, since generations point to each other.
   */
  trim(canForget: boolean): void;
  /** True if no imported mail has that id. */
  isFree(mailId: number): boolean;
}

export function openMailBook(store: Store, source: number): MailBook {
  const known = new Map<string, Generation[]>();
  const generationsOf = (id: string): Generation[] => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const loaded = load(store, source, id, generationsOf);
    known.set(id, loaded);
    return loaded;
  };
  return {
    find(record) {
      const generations = generationsOf(record.id);
      return choose(generations, record) ?? begin(generations, record);
    },
    known: (id, at) => choose(generationsOf(id), { kind: 'ended', id, at }),
    underWay: (id) => generationsOf(id).findLast(({ mail }) => mail !== null) ?? null,
    save: (generation, mailId) => save(store, source, generation, mailId),
    trim(canForget) {
      for (const [id, generations] of known) {
        if (known.size <= limits.importMailsInMemory) return;
        if (generations.every(isOver)) known.delete(id);
      }
      if (known.size > limits.importMailsInMemory && canForget) known.clear();
    },
    isFree: (mailId) =>
      store.get(
        'SELECT 1 FROM import_mails WHERE mail_id = ? UNION ALL SELECT 1 FROM mails WHERE mail_id = ?',
        mailId,
        mailId,
      ) === undefined,
  };
}

function isOver({ mail, partOf }: Generation): boolean {
  return mail === null && (partOf === null || partOf.mail === null);
}

/** Null if the record begins another mail. */
function choose(generations: readonly Generation[], record: LogRecord): Generation | null {
  const { at } = record;
  const candidate = generations.findLast(({ firstAt }) => firstAt <= at + limits.importDisorderMs);
  if (candidate === undefined) {
    // What came before the part of the log that was imported first.
    const [later] = generations;
    return later?.headless === true && later.firstAt - at < limits.importUnderWayMs ? later : null;
  }
  const mail = candidate.partOf?.mail ?? candidate.mail;
  if (mail === null) return isKnown(candidate, record) ? candidate : null;
  if (at - candidate.lastAt > limits.importUnderWayMs) return null;
  const again = record.kind === 'mail' && record.begins && candidate.partOf === null && mail.begunAt !== null;
  return again && at - (mail.begunAt ?? at) > limits.importDisorderMs ? null : candidate;
}

/** Of a mail that came to its end. */
function isKnown({ lastAt }: Generation, record: LogRecord): boolean {
  const begins = record.kind === 'mail' && record.begins;
  return record.at <= lastAt + (begins ? 0 : limits.importDisorderMs);
}

function begin(generations: Generation[], record: LogRecord): Generation {
  const { id, at } = record;
  const generation: Generation = {
    ...{ id, firstAt: at, lastAt: at, mail: newMail(record), partOf: null },
    ...{ headless: !(record.kind === 'mail' && record.begins), share: null, run: 0 },
  };
  const place = generations.findIndex(({ firstAt }) => firstAt > at);
  generations.splice(place === -1 ? generations.length : place, 0, generation);
  return generation;
}

function load(store: Store, source: number, id: string, others: (id: string) => Generation[]): Generation[] {
  const rows = store.all(
    'SELECT * FROM import_mails WHERE source_id = ? AND queue_id = ? ORDER BY first_at',
    source,
    id,
  );
  return rows.map((row) => generationOf(row, others));
}

type Kept = { mail: ImportedMail } | { partOf: [id: string, firstAt: number] } | null;

function generationOf(row: Row, others: (id: string) => Generation[]): Generation {
  const kept = row['kept'] === null ? null : (JSON.parse(text(row, 'kept')) as Kept);
  const [partOfId, partOfAt] = kept !== null && 'partOf' in kept ? kept.partOf : [];
  return {
    id: text(row, 'queue_id'),
    firstAt: integer(row, 'first_at'),
    lastAt: integer(row, 'last_at'),
    mail: kept !== null && 'mail' in kept ? kept.mail : null,
    partOf:
      partOfId === undefined ? null : (others(partOfId).find(({ firstAt }) => firstAt === partOfAt) ?? null),
    headless: integer(row, 'headless') === 1,
    share: row['share'] === null ? null : unpackShare(text(row, 'share')),
    run: integer(row, 'run_id'),
  };
}

function save(store: Store, source: number, generation: Generation, mailId: number | null): void {
  const { id, firstAt, lastAt, share, run, headless } = generation;
  const kept = keptOf(generation);
  store.run(
    `INSERT INTO import_mails (source_id, queue_id, first_at, last_at, mail_id, run_id, headless, share, kept)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (source_id, queue_id, first_at) DO UPDATE SET last_at = excluded.last_at,
       mail_id = coalesce(excluded.mail_id, mail_id), run_id = excluded.run_id, headless = excluded.headless,
       share = excluded.share, kept = excluded.kept`,
    ...[source, id, firstAt, lastAt, mailId, run, headless ? 1 : 0],
    ...[share === null ? null : packShare(share), kept === null ? null : JSON.stringify(kept)],
  );
}

function keptOf({ mail, partOf }: Generation): Kept {
  if (partOf !== null) return { partOf: [partOf.id, partOf.firstAt] };
  return mail === null ? null : { mail };
}
