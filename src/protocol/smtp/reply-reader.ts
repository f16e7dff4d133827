/**
 * Replies of an SMTP server (RFC 5321 §4.2), read from bytes as they arrive. Pure: no socket, no clock.
 *
 * Lenient where nothing can be misunderstood: a bare LF ends a line, 8-bit text is read, a long text is cut.
 * Strict where a misunderstanding would attribute a reply to the wrong command: a line without a code, or a
 * code that changes within one reply, ends the conversation.
 */
import { isUtf8 } from 'node:buffer';
import { limits } from '../../base/limits.ts';
import { splitEnhancedStatus } from './enhanced-status.ts';

export interface ReceivedReply {
  code: number;
  /** Without code and enhanced status, lines joined by LF, no control characters. */
  text: string;
  /** `x.y.z`, if the peer sent one. */
  enhancedStatus: string | null;
}

/** What arrived is no reply; `fault` says why, in words for people. Nothing can be read after it. */
export interface ReplyFault {
  fault: string;
}

const lf = 0x0a;
const cr = 0x0d;
const nothing: Buffer = Buffer.alloc(0);

export class ReplyReader {
  /** Bytes not read yet, from `#at`; at most one chunk and one cut line. */
  #bytes = nothing;
  #at = 0;
  /** The head of the current line is kept, its rest is being thrown away. */
  #cutLine: Buffer | null = null;
  #fault: ReplyFault | null = null;

  // The reply under construction.
  #code: number | null = null;
  #lines: string[] = [];
  #textBytes = 0;
  #replyBytes = 0;

  push(chunk: Buffer): void {
    if (this.#fault !== null || chunk.length === 0) return;
    const held = this.heldBytes;
    this.#bytes = held === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** Bytes that `next` has not looked at for good. */
  get heldBytes(): number {
    return this.#bytes.length - this.#at;
  }

  /** Something arrived since the last whole reply. */
  get begun(): boolean {
    return this.heldBytes > 0 || this.#code !== null || this.#cutLine !== null || this.#fault !== null;
  }

  /** What has been read of an unfinished reply; for people. */
  get partialText(): string {
    return this.#code === null ? '' : `${this.#code} ${this.#lines.join(' ')}`.trimEnd();
  }

  /** The next whole reply; null: more bytes are needed. */
  next(): ReceivedReply | ReplyFault | null {
    while (this.#fault === null) {
      const line = this.#takeLine();
      if (line === null) break;
      const reply = this.#readLine(line);
      if (reply !== null) return reply;
    }
    return this.#fault;
  }

  /** One line without its end, cut to the limit; null: none is complete. */
  #takeLine(): Buffer | null {
    const end = this.#bytes.indexOf(lf, this.#at);
    const rest = this.#bytes.subarray(this.#at, end === -1 ? undefined : end);
    if (end === -1 && this.#cutLine === null && rest.length <= limits.replyLineBytes) return null;
    this.#at = end === -1 ? this.#bytes.length : end + 1;
    this.#count(rest.length + 1);
    if (end === -1) {
      // A copy: the chunk it came in may be large and is not kept for the sake of one line.
      this.#cutLine ??= Buffer.from(cutText(rest, limits.replyLineBytes));
      return null;
    }
    const line = this.#cutLine ?? cutText(rest, limits.replyLineBytes);
    this.#cutLine = null;
    if (this.#fault !== null) return null;
    return line.at(-1) === cr ? line.subarray(0, -1) : line;
  }

  #count(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#replyBytes > limits.replyBytes) this.#fail('a reply without end');
  }

  #readLine(line: Buffer): ReceivedReply | null {
    const head = readCode(line);
    if (head === null) return this.#fail(`no SMTP reply: "${decodeText(line.subarray(0, 100))}"`);
    if (this.#code !== null && this.#code !== head.code) {
      return this.#fail(`a reply that changes its code from ${this.#code} to ${head.code}`);
    }
    this.#code = head.code;
    this.#keepText(line.subarray(4));
    return head.last ? this.#finish(head.code) : null;
  }

  #keepText(text: Buffer): void {
    const room = limits.replyTextBytes - this.#textBytes;
    if (room <= 0 || this.#lines.length >= limits.replyLines) return;
    this.#textBytes += text.length + 1;
    this.#lines.push(decodeText(cutText(text, room)));
  }

  #finish(code: number): ReceivedReply {
    const reply = makeReply(code, this.#lines);
    this.#code = null;
    this.#lines = [];
    this.#textBytes = 0;
    this.#replyBytes = 0;
    if (this.heldBytes === 0) this.#bytes = nothing;
    return reply;
  }

  #fail(fault: string): null {
    this.#fault = { fault };
    this.#bytes = nothing;
    this.#at = 0;
    return null;
  }
}

/** `250 text`, `250-text` or `250` alone. */
function readCode(line: Buffer): { code: number; last: boolean } | null {
  const [a = 0, b = 0, c = 0, separator] = line;
  // RFC 5321 §4.2: the first digit is 2 to 5; ones that do not exist yet are a matter of the second and third.
  if (a < 0x32 || a > 0x35 || !isDigit(b) || !isDigit(c)) return null;
  const code = (a - 0x30) * 100 + (b - 0x30) * 10 + (c - 0x30);
  if (separator === undefined || separator === 0x20) return { code, last: true };
  return separator === 0x2d ? { code, last: false } : null;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Each line of a long reply may repeat the status (RFC 2034 §4): it is cut from all that do. */
function makeReply(code: number, lines: string[]): ReceivedReply {
  const first = splitEnhancedStatus(lines[0] ?? '', code);
  if (first === null) return { code, text: lines.join('\n'), enhancedStatus: null };
  const { status } = first;
  const rest = lines.map((line) => {
    const split = splitEnhancedStatus(line, code);
    return split?.status === status ? split.rest : line;
  });
  return { code, text: rest.join('\n'), enhancedStatus: status };
}

const plainText = /^[\t\x20-\x7e]*$/;
/** Controls and the line separators of Unicode: one line of a reply stays one line wherever it is shown. */
const unprintable = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g;

/** ASCII, UTF-8 (RFC 6531 §3.7.4.2) or else Latin-1. */
function decodeText(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (plainText.test(text)) return text;
  return (isUtf8(bytes) ? bytes.toString('utf8') : text).replace(unprintable, '?');
}

/** At most `length` bytes, not ending within a UTF-8 character. */
function cutText(bytes: Buffer, length: number): Buffer {
  if (bytes.length <= length) return bytes;
  let end = length;
  while (end > length - 3 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** A reply as one line, as it was received: `550 5.1.1 No such user`. */
export function formatReply(reply: { code: number; text: string }, enhancedStatus: string | null): string {
  const text = reply.text.replaceAll('\n', ' ');
  return [String(reply.code), enhancedStatus, text].filter((part) => part !== null && part !== '').join(' ');
}
