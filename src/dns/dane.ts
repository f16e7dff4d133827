/**
 * Whether the server of a domain is to be known by TLSA records (RFC 7672 §2.2), and by which.
 *
 * Only what was validated counts: the records, the name of the host, and the MX that led to it. A domain whose MX is
 * not signed is treated as without (§2.2.1 leaves that open): whoever could forge the MX would choose the records.
 * Without an answer the host is not used (§2.1.2), for to go on without would be the downgrade that records prevent.
 */
import { withoutDot } from './answer.ts';
import { isHostName } from './mx.ts';
import type { Answer, Resolver, TlsaRecord } from './resolver.ts';

export type Dane =
  | { kind: 'none' }
  | {
      kind: 'records';
      records: readonly TlsaRecord[];
      /** Where the records stand; the name for SNI (RFC 7672 §3). */
      baseDomain: string;
      /** Names a certificate under a trust anchor may be for (§3.2.2), `baseDomain` first. */
      names: readonly string[];
    }
  | { kind: 'fault'; text: string };

export interface DaneHost {
  /** Of the forward-path. */
  domain: string;
  /** One of its MX hosts; the domain itself if it has no MX. */
  host: string;
  port: number;
}

const none: Dane = { kind: 'none' };

export async function daneOf({ domain, host, port }: DaneHost, resolver: Resolver): Promise<Dane> {
  if (!isHostName(domain) || !isHostName(host)) return none;
  const mx = await resolver.mx(domain);
  if ('fault' in mx) return { kind: 'fault', text: `no answer for the MX of ${domain}: ${mx.fault}` };
  if (!mx.secure) return none;
  const bases = await baseDomains(host, resolver);
  if ('fault' in bases) return { kind: 'fault', text: bases.fault };
  for (const base of bases.names) {
    const name = `_${port}._tcp.${base}`;
    const answer = await resolver.tlsa(name);
    if ('fault' in answer)
      return { kind: 'fault', text: `no answer for the TLSA of ${name}: ${answer.fault}` };
    if ('found' in answer && answer.secure) {
      const names = [...new Set([base, ...nextHopNames(domain, mx)])];
      return { kind: 'records', records: answer.found, baseDomain: base, names };
    }
  }
  return none;
}

/** RFC 7672 §2.2.2, §2.2.3: the end of the aliases first, if all of them are signed; then the name as it stands. */
async function baseDomains(
  host: string,
  resolver: Resolver,
): Promise<{ names: string[] } | { fault: string }> {
  const answers = await Promise.all([resolver.ipv4(host), resolver.ipv6(host)]);
  const found = answers.filter(isFound);
  if (found.length === 0) {
    const fault = answers.find((answer) => 'fault' in answer);
    return fault ? { fault: `no answer for the address of ${host}: ${fault.fault}` } : { names: [] };
  }
  const name = withoutDot(host);
  if (found.every(({ secure }) => secure)) {
    return { names: [...new Set([...found.map(({ canonicalName }) => canonicalName), name])] };
  }
  if (found.every(({ canonicalName }) => canonicalName === name)) return { names: [] };
  const alias = await resolver.cname(name);
  if ('fault' in alias) return { fault: `no answer for the alias ${name}: ${alias.fault}` };
  return { names: 'found' in alias && alias.secure ? [name] : [] };
}

function isFound(answer: Answer<string>): answer is Extract<Answer<string>, { found: unknown }> {
  return 'found' in answer;
}

/** The domain of the forward-path, and what it is an alias of. */
function nextHopNames(domain: string, mx: Answer<unknown>): string[] {
  return [withoutDot(domain), ...('found' in mx ? [mx.canonicalName] : [])];
}
