/**
 * Mail addresses and the paths of SMTP (RFC 5321 §4.1.2; RFC 6531 §3.3 for non-ASCII ones). Pure.
 *
 * Not here: address lists of header fields, which have display names, comments and groups (RFC 5322).
 *
 * An address keeps its spelling, except that needless quotes are taken off its local part; `domain` is the
 * canonical form that look-ups compare. Whether a non-ASCII address is welcome is for the caller: SMTP needs
 * the extension SMTPUTF8 for it, HTTP does not.
 */
import { limits } from '../../base/limits.ts';
import { isAscii, parseDomain } from './domain.ts';
import { parseLocalPart } from './local-part.ts';

export interface Address {
  ok: true;
  /** `localPart@domain` as written. */
  address: string;
  /** As it stands in `address`, quotes included; compared with case. */
  localPart: string;
  /** Lower case, A-labels; `[192.0.2.1]` for a literal. */
  domain: string;
  /** The address has non-ASCII characters. */
  international: boolean;
}

export interface AddressProblem {
  ok: false;
  /** For people: what is wrong, fit to be sent to the peer. */
  problem: string;
}

/** `maxLocalPartBytes`: another bound than that of RFC 5321 §4.5.3.1.1. */
export function parseAddress(
  text: string,
  maxLocalPartBytes: number = limits.localPartBytes,
): Address | AddressProblem {
  if (Buffer.byteLength(text) > limits.pathBytes) {
    return { ok: false, problem: `the address is longer than ${limits.pathBytes} bytes` };
  }
  const local = parseLocalPart(text, maxLocalPartBytes);
  if (!local.ok) return local;
  if (text[local.length] !== '@')
    return { ok: false, problem: 'the address has no "@" after its local part' };
  const domainText = text.slice(local.length + 1);
  const domain = parseDomain(domainText);
  if (!domain.ok) return domain;
  const address = `${local.canonical}@${domainText}`;
  return {
    ok: true,
    address,
    localPart: local.canonical,
    domain: domain.domain,
    international: domain.international || !isAscii(local.canonical),
  };
}

/** The domain of a valid address, lower case with A-labels; '' for the null path and anything malformed. */
export function domainOf(address: string): string {
  const parsed = parseDomain(address.slice(address.lastIndexOf('@') + 1));
  return address.includes('@') && parsed.ok ? parsed.domain : '';
}
