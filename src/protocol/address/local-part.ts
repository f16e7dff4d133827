/**
 * The part of an address before `@` (RFC 5321 §4.1.2, with the non-ASCII characters of RFC 6531 §3.3).
 * `canonical` is the shortest equivalent spelling: quotes only where they are needed (RFC 5321 §4.1.2).
 */

export interface LocalPart {
  ok: true;
  /** As it stands in an address: quoted if it must be. */
  canonical: string;
  /** Characters of the text it took, for what follows. */
  length: number;
}

export interface LocalPartProblem {
  ok: false;
  problem: string;
}

const asciiDotString = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const dotString =
  /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u;
const quotedText = /^[\x20-\x7e\u0080-\u{10ffff}]*$/u;
/** Controls, separators, invisible format characters and halves of surrogate pairs. */
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

export function parseLocalPart(text: string, maxBytes: number): LocalPart | LocalPartProblem {
  const parsed = text.startsWith('"') ? parseQuoted(text) : parseDotString(text);
  if (!parsed.ok || Buffer.byteLength(parsed.canonical) <= maxBytes) return parsed;
  return refuse(`the local part is longer than ${maxBytes} bytes`);
}

function parseDotString(text: string): LocalPart | LocalPartProblem {
  const at = text.indexOf('@');
  if (at === -1) return refuse('the address has no "@"');
  if (at === 0) return refuse('the local part is empty');
  const local = text.slice(0, at);
  if (!isDotString(local)) return refuse('the local part is malformed');
  return { ok: true, canonical: local, length: at };
}

function isDotString(local: string): boolean {
  return asciiDotString.test(local) || (dotString.test(local) && !forbidden.test(local));
}

function parseQuoted(text: string): LocalPart | LocalPartProblem {
  const close = closingQuote(text, 0);
  if (close === -1) return refuse('the quoted local part is not closed');
  const value = text.slice(1, close).replace(/\\(.)/gsu, '$1');
  if (!quotedText.test(value) || forbidden.test(value)) return refuse('the quoted local part is malformed');
  const canonical = isDotString(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
  return { ok: true, canonical, length: close + 1 };
}

/** Index of the quote that closes the one at `open`; -1 if there is none. */
export function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

function refuse(problem: string): LocalPartProblem {
  return { ok: false, problem };
}
