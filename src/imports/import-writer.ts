/**
 * Writes what was read: events into the outbox, from where the office brings them into the ledger as any others, the
 * mails by which lines are known again, and how far the import has come; all in one transaction, so that an import
 * that was broken off goes on where it stopped and nothing is imported twice.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Queue } from '../queue/queue.ts';
import { integer, type Store, text } from '../store/store.ts';
import type { Changes } from './assemble.ts';
import { giveMailId, mailFactsOf, type Owner } from './facts.ts';
import type { ImportedEvent, ImportedMail } from './imported-mail.ts';
import type { Generation, MailBook } from './mail-book.ts';

export interface Run {
  id: number;
  /** What the last one with the same files left, as JSON; null for the first. */
  state: string | null;
}

/** The number under which the tenant's logs of that format are kept. */
export function sourceOf(store: Store, tenantId: number, format: string): number {
  return store.transaction(() => {
    store.run(
      'INSERT INTO import_sources (tenant_id, format) VALUES (?, ?) ON CONFLICT DO NOTHING',
      tenantId,
      format,
    );
    const row = store.get(
      'SELECT id FROM import_sources WHERE tenant_id = ? AND format = ?',
      tenantId,
      format,
    );
    if (row === undefined) throw new Error('a source that was just made is not there');
    return integer(row, 'id');
  });
}

/** `files`: what the files begin with, or where the followed one is. */
export function beginRun(store: Store, source: number, files: string, now: number): Run {
  return store.transaction(() => {
    const row = store.get(
      'SELECT id, state FROM import_runs WHERE source_id = ? AND files = ?',
      source,
      files,
    );
    if (row !== undefined) return { id: integer(row, 'id'), state: text(row, 'state') || null };
    const sql = "INSERT INTO import_runs (source_id, files, state, updated_at) VALUES (?, ?, '', ?)";
    return { id: store.run(sql, source, files, now).lastId, state: null };
  });
}

export interface ImportWriter {
  /** Returns how many events were written. */
  write(changes: Changes, state: string): number;
  /** Forgets the oldest of what is remembered, if it is too much. */
  forget(): void;
  /** Events that wait for the ledger. */
  backlog(): number;
}

export interface WriterDeps {
  store: Store;
  queue: Queue;
  clock: Clock;
  book: MailBook;
  owner: Owner;
  /** Tells this source's mails apart from others'. */
  seed: string;
  run: number;
}

export function createImportWriter(deps: WriterDeps): ImportWriter {
  const { store, clock, run } = deps;
  return {
    write: (changes, state) =>
      store.transaction(() => {
        let written = 0;
        for (const [mail, events] of changes.events) written += writeEvents(deps, mail, events);
        for (const generation of changes.touched) settle(deps, generation);
        store.run('UPDATE import_runs SET state = ?, updated_at = ? WHERE id = ?', state, clock.now(), run);
        return written;
      }),
    forget: () => forget(store),
    backlog() {
      const row = store.get('SELECT max(sequence) - min(sequence) + 1 AS waiting FROM outbox');
      return row === undefined || row['waiting'] === null ? 0 : integer(row, 'waiting');
    },
  };
}

function writeEvents(
  { queue, book, owner, seed, clock }: WriterDeps,
  mail: ImportedMail,
  events: ImportedEvent[],
): number {
  if (mail.probe) return 0;
  if (mail.mailId === null) {
    const hash = createHash('sha256').update(`${seed} ${mail.id} ${mail.firstAt}`).digest();
    mail.acceptedAt = Math.min(mail.acceptedAt, clock.now());
    mail.mailId = giveMailId(hash, mail.acceptedAt, book.isFree);
  }
  const { mailId } = mail;
  queue.rememberMail(mailFactsOf(mail, mailId, owner));
  for (const event of events) queue.record({ mailId, ...event });
  return events.length;
}

/** What came to its end is kept only as far as its lines must be known again. */
function settle({ book }: WriterDeps, generation: Generation): void {
  const { mail } = generation;
  const mailId = mail?.mailId ?? null;
  if (mail !== null && mail.live.length === 0) generation.mail = null;
  book.save(generation, mailId);
}

function forget(store: Store): void {
  store.transaction(() => {
    const row = store.get('SELECT count(*) AS mails FROM import_mails');
    let mails = row === undefined ? 0 : integer(row, 'mails');
    while (mails > limits.importMailsRemembered) {
      mails -= store.run(
        'DELETE FROM import_mails WHERE run_id = (SELECT min(run_id) FROM import_mails)',
      ).changes;
    }
    store.run(
      'DELETE FROM import_runs WHERE id NOT IN (SELECT id FROM import_runs ORDER BY updated_at DESC LIMIT ?)',
      limits.importRunsRemembered,
    );
  });
}
