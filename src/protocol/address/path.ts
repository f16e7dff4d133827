/**
 * The argument of MAIL and RCPT after the colon: a path in angle brackets and the parameters behind it
 * (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.2). Source routes are read and dropped (RFC 5321 appendix F.2).
 *
 * Wider than the grammar in three points, as many clients need it: spaces may stand before the path, the
 * brackets may be left out around an address, and a local part may be longer than 64 octets.
 */
import { limits } from '../../base/limits.ts';
import { type Address, parseAddress } from './address.ts';
import { parseDomain } from './domain.ts';
import { closingQuote } from './local-part.ts';

export interface PathParameter {
  /** Upper case. */
  keyword: string;
  /** Null: given without `=`. */
  value: string | null;
}

/** The null path `<>` has three empty texts; `<Postmaster>` has an empty domain. */
export type Path = Address & { parameters: readonly PathParameter[] };

export interface PathProblem {
  ok: false;
  at: 'path' | 'parameters';
  problem: string;
}

const parameter = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/u;
const none: readonly PathParameter[] = [];

export function parsePath(text: string): Path | PathProblem {
  const path = text.trimStart();
  if (!path.startsWith('<')) return parseBare(path);
  const close = closingBracket(path);
  if (close === -1) return refuse('path', 'the path is not closed by ">"');
  const address = parseBracketed(path.slice(1, close));
  return withParameters(address, path.slice(close + 1));
}

/** Without brackets a path ends at the first space, and there is no null path. */
function parseBare(path: string): Path | PathProblem {
  if (path === '') return refuse('path', 'there is no path');
  const quoted = path.startsWith('"') ? closingQuote(path, 0) : 0;
  const space = quoted === -1 ? -1 : path.indexOf(' ', quoted);
  const end = space === -1 ? path.length : space;
  return withParameters(parseBracketed(path.slice(0, end)), path.slice(end));
}

function withParameters(address: ReturnType<typeof parseAddress>, rest: string): Path | PathProblem {
  if (!address.ok) return refuse('path', address.problem);
  const parameters = parseParameters(rest);
  return 'problem' in parameters ? parameters : { ...address, parameters };
}

/** A quoted local part may hold ">". */
function closingBracket(path: string): number {
  const close = path.indexOf('>');
  const quote = path.indexOf('"');
  if (quote === -1 || close < quote) return close;
  const closed = closingQuote(path, quote);
  return closed === -1 ? -1 : path.indexOf('>', closed);
}

function parseBracketed(text: string): ReturnType<typeof parseAddress> {
  if (text === '') return bare('');
  if (text.toLowerCase() === 'postmaster') return bare(text);
  if (!text.startsWith('@')) return parseAddress(text, limits.pathLocalPartBytes);
  const colon = text.indexOf(':');
  const hops = text.slice(0, colon).split(',');
  const valid = colon !== -1 && hops.every((hop) => hop.startsWith('@') && parseDomain(hop.slice(1)).ok);
  return valid
    ? parseAddress(text.slice(colon + 1), limits.pathLocalPartBytes)
    : { ok: false, problem: 'the source route is malformed' };
}

function bare(text: string): Address {
  return { ok: true, address: text, localPart: text, domain: '', international: false };
}

function parseParameters(text: string): readonly PathParameter[] | PathProblem {
  if (text === '') return none;
  if (!text.startsWith(' ')) return refuse('path', 'the path is followed by something else than a space');
  const found: PathParameter[] = [];
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const match = parameter.exec(word);
    const keyword = match?.[1]?.toUpperCase();
    if (keyword === undefined) return refuse('parameters', 'a parameter is malformed');
    if (found.some((other) => other.keyword === keyword))
      return refuse('parameters', `${keyword} is given twice`);
    found.push({ keyword, value: match?.[2] ?? null });
  }
  return found;
}

function refuse(at: PathProblem['at'], problem: string): PathProblem {
  return { ok: false, at, problem };
}
