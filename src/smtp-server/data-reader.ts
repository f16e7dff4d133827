/**
 * Finds the end of content sent by DATA and takes the dot-stuffing off (RFC 5321 §4.1.1.4, §4.5.2). Pure:
 * bytes in, verdict out, and the verdict does not depend on how the bytes were cut into pieces.
 *
 * Only CRLF "." CRLF ends content. A CR or LF alone and a NUL break it: two servers could disagree about
 * where such content ends, which is how mail is smuggled behind it. Content that is too big or has too long
 * a line is read to its end, so that the refusal finds client and server at the same place.
 */
import { GrowingBuffer } from './growing-buffer.ts';

export type BreakingFault = 'bare-cr' | 'bare-lf' | 'nul';
export type ContentFault = BreakingFault | 'too-big' | 'line-too-long';

export type DataProgress =
  | { state: 'more' }
  /** `consumed` bytes of the piece belong to the content and its end mark. */
  | { state: 'ended'; consumed: number }
  /** No more of this peer's bytes can be trusted. */
  | { state: 'broken' };

const CR = 13;
const LF = 10;
const DOT = 46;
/** Positions in a piece: the last byte of the former piece, and nowhere. */
const justBefore = -1;
const none = -2;
const endMarkBytes = 3;
const more: DataProgress = { state: 'more' };
const broken: DataProgress = { state: 'broken' };

export class DataReader {
  readonly maxContentBytes: number;
  readonly #maxLineBytes: number;
  readonly #aheadBytes: number;
  #content = new GrowingBuffer();
  #contentBytes = 0;
  #discarding = false;
  #breaking: BreakingFault | null = null;
  #tooLongLine = false;
  /** Bytes of the current line in former pieces, its stuffed dot included. */
  #lineBytes = 0;
  /** The current line begins with a dot. */
  #dotLine = false;
  /** The former piece ended with CR. */
  #afterCr = false;

  /**
   * `maxLineBytes` counts CRLF but not a stuffed dot (RFC 5321 §4.5.3.1.6). Fewer than `aheadBytes` are looked at line
   * by line, which gives the same.
   */
  constructor(maxContentBytes: number, maxLineBytes: number, aheadBytes = 512) {
    this.maxContentBytes = maxContentBytes;
    this.#maxLineBytes = maxLineBytes;
    this.#aheadBytes = aheadBytes;
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
    if (this.#breaking !== null) return this.#breaking;
    if (this.#contentBytes > this.maxContentBytes) return 'too-big';
    return this.#tooLongLine ? 'line-too-long' : null;
  }

  /** Every line ended by CRLF, stuffed dots removed. Empty if there is a fault or after `discard`. */
  content(): Buffer {
    return this.#content.bytes();
  }

  /** Keeps nothing from now on, and looks for the end only. */
  discard(): void {
    this.#content = new GrowingBuffer();
    this.#discarding = true;
  }

  push(piece: Buffer): DataProgress {
    const nul = positionOf(0, piece, 0);
    let at = 0;
    let keepFrom = 0;
    let plainEnd: number | null = null;
    while (at < piece.length) {
      if (this.#lineBytes === 0 && piece.length - at >= this.#aheadBytes) {
        plainEnd ??= endOfPlainLines(piece, at);
        at = this.#passPlainLines(piece, at, plainEnd);
        if (at === piece.length) break;
      }
      if (this.#lineBytes === 0 && piece[at] === DOT) {
        this.#dotLine = true;
        this.#keep(piece, keepFrom, at);
        keepFrom = at + 1;
      }
      const cr = this.#afterCr ? justBefore : positionOf(CR, piece, at);
      const lf = positionOf(LF, piece, at);
      const fault = breakingFault(piece, nul, cr, lf);
      if (fault !== null) return this.#break(fault);
      if (lf === none) {
        this.#suspend(piece, at, keepFrom);
        return more;
      }
      if (this.#endLine(lf + 1 - at)) return { state: 'ended', consumed: lf + 1 };
      at = lf + 1;
    }
    this.#keep(piece, keepFrom, piece.length);
    return more;
  }

  /**
   * Most content is lines that nothing is wrong with and that begin with no dot. They are passed all at once, since
   * looking at each by itself takes most of the time of receiving a large mail. Returns where the others begin.
   */
  #passPlainLines(piece: Buffer, from: number, plainEnd: number): number {
    if (from >= plainEnd || piece[from] === DOT) return from;
    const beforeDot = piece.indexOf('\r\n.', from);
    const end = beforeDot === -1 || beforeDot + 2 > plainEnd ? plainEnd : beforeDot + 2;
    let lineFrom = from;
    while (end - lineFrom > this.#maxLineBytes) {
      const lastWithin = piece.lastIndexOf(LF, lineFrom + this.#maxLineBytes - 1);
      if (lastWithin < lineFrom) this.#tooLongLine = true;
      lineFrom = (lastWithin < lineFrom ? piece.indexOf(LF, lineFrom) : lastWithin) + 1;
    }
    return end;
  }

  /** True: it was the line that ends the content, of which nothing is kept. */
  #endLine(bytesHere: number): boolean {
    const bytes = this.#lineBytes + bytesHere;
    if (this.#dotLine && bytes === endMarkBytes) return true;
    if (bytes - (this.#dotLine ? 1 : 0) > this.#maxLineBytes) this.#tooLongLine = true;
    this.#lineBytes = 0;
    this.#dotLine = false;
    this.#afterCr = false;
    return false;
  }

  /** The piece ends within a line. A CR that may belong to the end mark is not kept: only LF may follow it. */
  #suspend(piece: Buffer, lineFrom: number, keepFrom: number): void {
    this.#lineBytes += piece.length - lineFrom;
    this.#afterCr = piece[piece.length - 1] === CR;
    const maybeEndMark = this.#dotLine && this.#afterCr && this.#lineBytes === endMarkBytes - 1;
    if (!maybeEndMark) this.#keep(piece, keepFrom, piece.length);
  }

  #keep(piece: Buffer, from: number, to: number): void {
    this.#contentBytes += to - from;
    if (this.#contentBytes > this.maxContentBytes && !this.#discarding) this.discard();
    if (!this.#discarding) this.#content.append(piece.subarray(from, to));
  }

  #break(fault: BreakingFault): DataProgress {
    this.#breaking = fault;
    this.discard();
    return broken;
  }
}

/** End of the last line, of those from a line's begin on, before the first CR or LF alone or NUL. */
function endOfPlainLines(piece: Buffer, from: number): number {
  const fault = /\0|\r(?!\n)|(?<!\r)\n/.exec(piece.toString('latin1', from));
  if (fault?.index === 0) return from;
  const lf = piece.lastIndexOf(LF, fault === null ? piece.length - 1 : from + fault.index - 1);
  return lf < from ? from : lf + 1;
}

function positionOf(byte: number, piece: Buffer, from: number): number {
  const at = piece.indexOf(byte, from);
  return at === -1 ? none : at;
}

/** What is wrong first in a piece whose next NUL, CR and LF are known. */
function breakingFault(piece: Buffer, nul: number, cr: number, lf: number): BreakingFault | null {
  const paired = lf === none ? cr === none || cr === piece.length - 1 : cr === lf - 1;
  const lfFirst = lf !== none && (cr === none || lf < cr);
  const lineEnd = lf === none ? piece.length : lf;
  const faultAt = paired || lfFirst ? lineEnd : cr;
  if (nul !== none && nul < faultAt) return 'nul';
  if (paired) return null;
  return lfFirst ? 'bare-lf' : 'bare-cr';
}
