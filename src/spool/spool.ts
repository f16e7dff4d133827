/**
 * The spool: where the content of a mail stands until every delivery of it has ended. Small contents go
 * into the store beside the queue rows; large ones are appended to segment files, synced once per group
 * commit. A content is durable when the transaction that names it is (invariant I1).
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
   * Writes the content of a new mail. To be called within the transaction that inserts the mail, whose commit
   * is preceded by `sync`. Throws when the disk refuses.
   */
  write(mailId: number, content: Buffer): ContentPlace;
  /** Makes all contents written so far durable. */
  sync(): void;
  read(mailId: number, place: ContentPlace): ContentRead;
  /** Within the transaction that deletes the mail. Segment files go when no mail names them (`sweep`). */
  remove(mailId: number, place: ContentPlace): void;
  /** Removes segment files that no mail of the store names. Returns how many. */
  sweep(): number;
  close(): void;
}

export function openSpool(directory: string, store: Store): Spool {
  const segments = openSegments(directory);
  return {
    write(mailId, content) {
      const checksum = crc32(content);
      if (content.length > limits.inlineContentBytes) {
        return { ...segments.append(content), bytes: content.length, checksum };
      }
      store.run('INSERT INTO contents (mail_id, content) VALUES (?, ?)', mailId, content);
      return { segment: null, offset: null, bytes: content.length, checksum };
    },
    sync: () => segments.sync(),
    read(mailId, place) {
      const content = place.segment === null ? inlineContent(store, mailId) : segments.read(place);
      if (!content) return { ok: false, problem: 'missing' };
      const intact = content.length === place.bytes && crc32(content) === place.checksum;
      return intact ? { ok: true, content } : { ok: false, problem: 'damaged' };
    },
    remove(mailId, place) {
      if (place.segment === null) store.run('DELETE FROM contents WHERE mail_id = ?', mailId);
    },
    sweep: () =>
      segments.removeExcept(
        (segment) => store.get('SELECT 1 FROM mails WHERE segment = ? LIMIT 1', segment) !== undefined,
      ),
    close: () => segments.close(),
  };
}

function inlineContent(store: Store, mailId: number): Buffer | null {
  const row = store.get('SELECT content FROM contents WHERE mail_id = ?', mailId);
  const bytes = row ? bytesOrNull(row, 'content') : null;
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null;
}
