/**
 * Domain names and address literals as they stand in mail addresses (RFC 5321 §4.1.2 and §4.1.3, RFC 5890
 * for U-labels). The canonical form is lower case with A-labels.
 *
 * Wider than the grammar in one point: `_` may stand in a label, because hosts named so send mail.
 * Narrower in one: a name whose last label is a number is refused, since it can only be a bare IP address.
 */
import { domainToASCII } from 'node:url';
import { limits } from '../../base/limits.ts';
import { isIpv4, isIpv6 } from './ip.ts';

export interface Domain {
  ok: true;
  /** Lower case, A-labels; a literal keeps its brackets. */
  domain: string;
  /** The text has U-labels. */
  international: boolean;
}

export interface DomainProblem {
  ok: false;
  problem: string;
}

const asciiName = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const numericLastLabel = /(?:^|\.)\d+$/;
/** What IDNA mapping could turn into a dot, or a URL parser would read as more than a name. */
const forbiddenInName = /[\x00-\x2c\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f\u3002\uff0e\uff61]/;

export function parseDomain(text: string): Domain | DomainProblem {
  if (text === '') return refuse('the domain is empty');
  if (text.startsWith('[')) return parseLiteral(text);
  const lower = text.toLowerCase();
  return isAscii(lower) ? parseAsciiName(lower) : parseInternationalName(text);
}

export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

function parseAsciiName(lower: string): Domain | DomainProblem {
  if (lower.length > limits.domainBytes)
    return refuse(`the domain is longer than ${limits.domainBytes} bytes`);
  if (!asciiName.test(lower)) return refuse('the domain is malformed');
  if (numericLastLabel.test(lower))
    return refuse('the domain is a bare number; an IP address stands in brackets');
  return { ok: true, domain: lower, international: false };
}

function parseInternationalName(text: string): Domain | DomainProblem {
  if (text.length > limits.domainBytes)
    return refuse(`the domain is longer than ${limits.domainBytes} bytes`);
  if (forbiddenInName.test(text)) return refuse('the domain is malformed');
  const ascii = domainToASCII(text);
  if (ascii === '') return refuse('the domain is no valid international name');
  const parsed = parseAsciiName(ascii);
  return parsed.ok ? { ...parsed, international: true } : parsed;
}

/** `[192.0.2.1]` and `[IPv6:2001:db8::1]`; no other tag is registered. */
function parseLiteral(text: string): Domain | DomainProblem {
  if (!text.endsWith(']')) return refuse('the address literal is not closed');
  const inner = text.slice(1, -1);
  const ipv6 = /^ipv6:(.*)$/i.exec(inner)?.[1];
  const valid = ipv6 === undefined ? isIpv4(inner) : isIpv6(ipv6);
  if (!valid) return refuse('the address literal is neither IPv4 nor IPv6');
  return { ok: true, domain: text.toLowerCase(), international: false };
}

function refuse(problem: string): DomainProblem {
  return { ok: false, problem };
}
