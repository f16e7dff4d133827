/**
 * The spool: where the content of a mail stands until every delivery of it has ended. Small contents go into the
 * store beside the queue rows; large ones are appended to segment files, where each is written once. A content is on disk before the transaction
 * that names it commits (invariant I1).
 *
 * This is the module's door. Not here: when a content may be removed (queue, relay).
 */
import { crc32 } from 'node:zlib';
import { limits } from '../base/limits.ts';
import { bytesOrNull, type Store } from '../store/store.ts';
import { openSegments } from './segments.ts';

/** Where a content stands, and how to know that it is still what was accepted. */
export interface ContentPlace {
  /** Null: in the store, under the mail's id. */
  segment: number | null;
  offset: number | null;
  bytes: number;
  /** CRC-32 of the content. */
  checksum: number;
}

export type ContentRead = { ok: true; content: Buffer } | { ok: false; problem: 'missing' | 'damaged' };

export interface Spool {
  /**
   * Finds a place for the content of a new mail; one in a segment file is on disk when it resolves. Rejects when the disk
   * refuses. The place is kept from the sweep until `settled`. `alone`: no other mail is being written. Then also a
   * rather large content goes into the store: it is written twice there, but has to wait for one sync and not for two.
   */
  place(content: Buffer, alone: boolean): Promise<ContentPlace>;
  /** Within the transaction that inserts the mail: writes a content whose place is the store. */
  keep(mailId: number, place: ContentPlace, content: Buffer): void;
  /** The same for a small content that is made within the transaction: its place is the store. */
  keepMade(mailId: number, content: Buffer): ContentPlace;
  /** That transaction has committed or failed. */
  settled(place: ContentPlace): void;
  read(mailId: number, place: ContentPlace): ContentRead;
  /** Within the transaction that deletes the mail. Segment files go when no mail names them (`sweep`). */
  remove(mailId: number, place: ContentPlace): void;
  /** Removes segment files that no mail of the store names. Returns how many. */
  sweep(): number;
  close(): void;
}

export function openSpool(directory: string, store: Store): Spool {
  const segments = openSegments(directory);
  /** Contents that are placed while their mail is not committed yet, by segment. */
  const unsettled = new Map<number, number>();
  const isNamed = (segment: number) =>
    store.get('SELECT 1 FROM mails WHERE segment = ? LIMIT 1', segment) !== undefined;
  const insert = (mailId: number, content: Buffer) =>
    store.run('INSERT INTO contents (mail_id, content) VALUES (?, ?)', mailId, content);
  return {
    async place(content, alone) {
      const inlineBytes = alone ? limits.inlineContentBytesAlone : limits.inlineContentBytes;
      if (content.length <= inlineBytes) return placeInStore(content);
      const location = await segments.append(content);
      unsettled.set(location.segment, (unsettled.get(location.segment) ?? 0) + 1);
      return { ...location, bytes: content.length, checksum: crc32(content) };
    },
    keep(mailId, { segment }, content) {
      if (segment === null) insert(mailId, content);
    },
    keepMade(mailId, content) {
      insert(mailId, content);
      return placeInStore(content);
    },
    settled({ segment }) {
      if (segment === null) return;
      const left = (unsettled.get(segment) ?? 1) - 1;
      if (left === 0) unsettled.delete(segment);
      else unsettled.set(segment, left);
    },
    read(mailId, place) {
      const content = place.segment === null ? inlineContent(store, mailId) : segments.read(place);
      if (!content) return { ok: false, problem: 'missing' };
      const intact = content.length === place.bytes && crc32(content) === place.checksum;
      return intact ? { ok: true, content } : { ok: false, problem: 'damaged' };
    },
    remove(mailId, { segment }) {
      if (segment === null) store.run('DELETE FROM contents WHERE mail_id = ?', mailId);
    },
    sweep: () => segments.removeExcept((segment) => unsettled.has(segment) || isNamed(segment)),
    close: () => segments.close(),
  };
}

function placeInStore(content: Buffer): ContentPlace {
  return { segment: null, offset: null, bytes: content.length, checksum: crc32(content) };
}

function inlineContent(store: Store, mailId: number): Buffer | null {
  const row = store.get('SELECT content FROM contents WHERE mail_id = ?', mailId);
  const bytes = row ? bytesOrNull(row, 'content') : null;
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null;
}
