/**
 * The `relaxed` canonicalizations of header fields and bodies (RFC 6376 §3.4.2, §3.4.4). Pure.
 *
 * Fields are latin1 strings, one character per byte: a field may hold any byte and none must change. White space is
 * SP and TAB and nothing else here; `trim` and `\s` take more (a no-break space in latin1), so they must not be used.
 */
import { createHash, hash } from 'node:crypto';

const space = 0x20;
const tab = 0x09;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** `name:value` without the CRLF that ends it. `field` is as it stands in the content, folds included. */
export function relaxedField(field: string): string {
  const colon = field.indexOf(':');
  const name = field
    .slice(0, colon)
    .replace(/[ \t]+$/, '')
    .toLowerCase();
  const value = field
    .slice(colon + 1)
    .replace(/\r\n(?=[ \t])/g, '')
    .replace(/[ \t]+/g, ' ');
  const from = value.startsWith(' ') ? 1 : 0;
  const to = value.length > from && value.endsWith(' ') ? -1 : undefined;
  return `${name}:${value.slice(from, to)}`;
}

const lineEnd = Buffer.from('\r\n');

/** SHA-256 of the canonical body, in base64. Only CRLF ends a line. */
export function relaxedBodyHash(body: Buffer): string {
  return isRelaxed(body) ? hash('sha256', withoutTrailingLines(body), 'base64') : hashCanonical(body);
}

/** Nothing but empty lines at its end would change: true for most bodies, and seen without copying them. */
function isRelaxed(body: Buffer): boolean {
  if (!body.subarray(-2).equals(lineEnd) || body.includes(tab)) return false;
  for (let from = 0; from < body.length; from += stretchBytes) {
    if (hasSurplusSpace(body, from)) return false;
  }
  return true;
}

/** Looked at in stretches: those without a space, as in base64, are passed over by a search that is native. */
const stretchBytes = 1024;

/** A space before a space or a CR, in the stretch or across its beginning. */
function hasSurplusSpace(body: Buffer, from: number): boolean {
  const to = Math.min(from + stretchBytes, body.length);
  let before = from === 0 ? 0 : body[from - 1];
  if (before !== space && !body.subarray(from, to).includes(space)) return false;
  for (let at = from; at < to; at += 1) {
    const byte = body[at];
    if (before === space && (byte === space || byte === carriageReturn)) return true;
    before = byte;
  }
  return false;
}

/** A body of empty lines alone becomes empty. */
function withoutTrailingLines(body: Buffer): Buffer {
  let end = body.length;
  while (end >= 2 && body[end - 1] === lineFeed && body[end - 2] === carriageReturn) end -= 2;
  return end === 0 ? body.subarray(0, 0) : body.subarray(0, end + 2);
}

const windowBytes = 64 * 1024;

function hashCanonical(body: Buffer): string {
  const digest = createHash('sha256');
  const window = Buffer.allocUnsafe(windowBytes);
  let used = 0;
  let empty = true;
  let lines = 0;
  let spaced = false;
  const put = (byte: number) => {
    if (used === windowBytes) {
      digest.update(window);
      used = 0;
    }
    window[used] = byte;
    used += 1;
  };
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    if (byte === space || byte === tab) {
      spaced = true;
    } else if (byte === carriageReturn && body[at + 1] === lineFeed) {
      // Written only when something follows; white space before it is dropped.
      lines += 1;
      spaced = false;
      at += 1;
    } else {
      for (; lines > 0; lines -= 1) {
        put(carriageReturn);
        put(lineFeed);
      }
      if (spaced) put(space);
      spaced = false;
      put(byte);
      empty = false;
    }
  }
  digest.update(window.subarray(0, used));
  if (!empty) digest.update(lineEnd);
  return digest.digest('base64');
}
