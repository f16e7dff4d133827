/**
 * Content sent by BDAT (RFC 3030), chunk after chunk. There is no end mark and no dot-stuffing; where the content ends
 * is known beforehand, so nothing in it can be mistaken for a command. It is text all the same (BINARYMIME is not
 * offered): a CR or LF alone, a NUL and a line that is too long are refused as with DATA, for the next server may get
 * it by DATA. Pure; the verdict does not depend on how the bytes were cut into pieces or chunks.
 */
import type { ContentFault } from './data-reader.ts';
import { GrowingBuffer } from './growing-buffer.ts';

const CR = 13;
const LF = 10;
const lineEnd = Buffer.from('\r\n');

export class ChunkReader {
  readonly maxContentBytes: number;
  readonly #maxLineBytes: number;
  #content = new GrowingBuffer();
  #contentBytes = 0;
  #discarding = false;
  #fault: Exclude<ContentFault, 'too-big'> | null = null;
  /** Bytes of the current line in former pieces. */
  #lineBytes = 0;
  /** The former piece ended with CR. */
  #afterCr = false;

  /** `maxLineBytes` counts CRLF. */
  constructor(maxContentBytes: number, maxLineBytes: number) {
    this.maxContentBytes = maxContentBytes;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of content so far, kept or not. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Bytes in memory. */
  get keptBytes(): number {
    return this.#content.length;
  }

  get fault(): ContentFault | null {
    return this.#contentBytes > this.maxContentBytes ? 'too-big' : this.#fault;
  }

  /** Keeps nothing from now on. */
  discard(): void {
    this.#content = new GrowingBuffer();
    this.#discarding = true;
  }

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#contentBytes += piece.length;
    if (this.fault === null) this.#look(piece);
    if (this.fault !== null && !this.#discarding) this.discard();
    if (!this.#discarding) this.#content.append(piece);
  }

  /** No more comes. The last line gets its end if it has none, as DATA would have given it one. */
  end(): void {
    if (this.#afterCr) this.#fault ??= 'bare-cr';
    if (this.fault !== null) this.discard();
    else if (this.#lineBytes > 0) this.push(lineEnd);
  }

  /** Every line ended by CRLF. Empty if there is a fault or after `discard`. */
  content(): Buffer {
    return this.#content.bytes();
  }

  /** Line by line, up to the first fault. */
  #look(piece: Buffer): void {
    const nul = piece.indexOf(0);
    let at = 0;
    while (this.#fault === null && at < piece.length) {
      const lf = piece.indexOf(LF, at);
      const end = lf === -1 ? piece.length : lf + 1;
      this.#fault = this.#faultOf(piece, at, end, nul);
      this.#lineBytes = lf === -1 ? this.#lineBytes + end - at : 0;
      this.#afterCr = lf === -1 && piece[end - 1] === CR;
      at = end;
    }
  }

  /** What is wrong first in one line, or in the part of it that is here: NUL, CR without LF, LF without CR. */
  #faultOf(piece: Buffer, at: number, end: number, nul: number): Exclude<ContentFault, 'too-big'> | null {
    const ended = piece[end - 1] === LF;
    const cr = piece.indexOf(CR, at);
    const crHere = cr !== -1 && cr < end;
    // The CR of the line's own end, or one whose LF may come in the next piece.
    const paired = crHere && cr === (ended ? end - 2 : end - 1);
    const nulHere = nul >= at && nul < end;
    if (this.#afterCr && piece[at] !== LF) return 'bare-cr';
    if (crHere && !paired && !(nulHere && nul < cr)) return 'bare-cr';
    if (nulHere) return 'nul';
    if (ended && !paired && !(this.#afterCr && end === at + 1)) return 'bare-lf';
    return this.#lineBytes + end - at > this.#maxLineBytes ? 'line-too-long' : null;
  }
}
