/**
 * What arrived on a connection and is not yet understood. Command lines are taken from the front one by one;
 * content is looked at in place. Pure.
 *
 * A command line ends with CRLF and nothing else (RFC 5321 §2.3.8): one that ends with a bare LF, or holds a
 * control character, is refused and passed over, because another server may read it as two.
 */
import { isAscii, isUtf8 } from 'node:buffer';

export type CommandLine =
  /** `text` is without CRLF; `bytes` counts it. */
  | { state: 'line'; text: string; bytes: number }
  | { state: 'more' }
  /** The line was passed over. */
  | { state: 'refused'; fault: 'bare-lf' | 'too-long' | 'not-text' }
  /** Too much came without an end of line. */
  | { state: 'flooded' };

const CR = 13;
const LF = 10;
const controls = /[\x00-\x1f\x7f]/;
const nothing = Buffer.alloc(0);
const more: CommandLine = { state: 'more' };

export class ReceivedBytes {
  readonly #maxLineBytes: number;
  readonly #maxSkippedBytes: number;
  #bytes: Buffer = nothing;
  #at = 0;
  /** Bytes passed over of a line that is too long; 0: none is being passed over. */
  #skipped = 0;
  #skippedCr = false;

  constructor(maxLineBytes: number, maxSkippedBytes: number) {
    this.#maxLineBytes = maxLineBytes;
    this.#maxSkippedBytes = maxSkippedBytes;
  }

  get length(): number {
    return this.#bytes.length - this.#at;
  }

  add(piece: Buffer): void {
    this.#bytes = this.length === 0 ? piece : Buffer.concat([this.#bytes.subarray(this.#at), piece]);
    this.#at = 0;
  }

  /** All that is there; it stays. */
  peek(): Buffer {
    return this.#at === 0 ? this.#bytes : this.#bytes.subarray(this.#at);
  }

  take(count: number): void {
    this.#at += count;
    if (this.length === 0) this.clear();
  }

  clear(): void {
    this.#bytes = nothing;
    this.#at = 0;
  }

  takeLine(): CommandLine {
    if (this.length === 0) return more;
    if (this.#skipped > 0) return this.#skip();
    const lf = this.#bytes.indexOf(LF, this.#at);
    const end = lf === -1 ? this.#bytes.length : lf + 1;
    const bytes = end - this.#at;
    if (bytes > this.#maxLineBytes) return this.#skip();
    if (lf === -1) return more;
    if (this.#bytes[lf - 1] !== CR) return this.#refuse(bytes, 'bare-lf');
    const text = asText(this.#bytes, this.#at, lf - 1);
    if (text === null) return this.#refuse(bytes, 'not-text');
    this.take(bytes);
    return { state: 'line', text, bytes };
  }

  #refuse(bytes: number, fault: 'bare-lf' | 'too-long' | 'not-text'): CommandLine {
    this.take(bytes);
    return { state: 'refused', fault };
  }

  /** Passes over a line that is too long, up to the next CRLF. */
  #skip(): CommandLine {
    const piece = this.peek();
    const end = endOfLine(piece, this.#skippedCr);
    if (end > 0) {
      this.#skipped = 0;
      this.#skippedCr = false;
      return this.#refuse(end, 'too-long');
    }
    this.#skipped += piece.length;
    this.#skippedCr = piece[piece.length - 1] === CR;
    this.clear();
    return this.#skipped > this.#maxSkippedBytes ? { state: 'flooded' } : more;
  }
}

/** Bytes up to and with the next CRLF; 0 if there is none. */
function endOfLine(piece: Buffer, afterCr: boolean): number {
  if (afterCr && piece[0] === LF) return 1;
  return piece.indexOf('\r\n') === -1 ? 0 : piece.indexOf('\r\n') + 2;
}

/** Null: control characters, or bytes that are no UTF-8. */
function asText(bytes: Buffer, from: number, to: number): string | null {
  const ascii = bytes.toString('latin1', from, to);
  if (controls.test(ascii)) return null;
  const line = bytes.subarray(from, to);
  if (isAscii(line)) return ascii;
  return isUtf8(line) ? line.toString('utf8') : null;
}
