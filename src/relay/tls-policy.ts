/**
 * How the connection to a host must be secured: what the operator configured for the domain, what the domain publishes
 * (MTA-STS, RFC 8461; DANE, RFC 7672), and what follows from both. The table is in docs/transport-security.md.
 *
 * Every policy in force has to be met; none excuses another (RFC 8461 §2). A policy belongs to the domain of the
 * forward-path: another domain with the same MX hosts is not touched by it. What a connection lacked although no policy
 * forbade it is recorded with the attempt and logged: nothing is downgraded in silence.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import { type Dane, daneOf, type Resolver } from '../dns/dns.ts';
import type { RemoteMta, TlsPolicyFacts } from '../events/delivery-status.ts';
import { type MtaStsPolicy, namesHost } from '../protocol/mta-sts/mta-sts.ts';
import { type ConnectOptions, type DaneCheck, usableTlsa } from '../smtp-client/smtp-client.ts';
import type { MtaStsPolicies } from './mta-sts.ts';

export interface TlsPolicyRule {
  /** `example.com`; `*.example.com`: every name below it; `*`: every domain. */
  pattern: string;
  policy: ConfiguredPolicy;
}

/**
 * `published`: what the domain publishes, else opportunistic. `none` and `opportunistic`: whatever it publishes.
 * `required`: the same as `published`, and never without an authenticated server. `dane`, `mta-sts`: the same, and never
 * without that.
 */
export type ConfiguredPolicy = 'published' | 'none' | 'opportunistic' | 'required' | 'dane' | 'mta-sts';

export interface Demand {
  tls: ConnectOptions['tls'];
  dane: DaneCheck | null;
  inForce: TlsPolicyFacts['inForce'];
  /** The domain tests an MTA-STS policy: what it would have refused is told, and why this host already; or null. */
  testing: { problem: string } | null;
}

/** A host that may not be talked to, and why. */
export interface Refusal {
  refused: string;
  inForce: TlsPolicyFacts['inForce'];
}

export interface Published {
  mtaSts: MtaStsPolicy | null;
  dane: Dane;
}

/** The first rule that names the domain. */
export function configuredFor(rules: readonly TlsPolicyRule[], domain: string): ConfiguredPolicy {
  const rule = rules.find(({ pattern }) =>
    pattern.startsWith('*.')
      ? domain.endsWith(pattern.slice(1))
      : pattern === '*' || pattern === domain.toLowerCase(),
  );
  return rule?.policy ?? 'published';
}

export function demandOn(
  host: string,
  configured: ConfiguredPolicy,
  { mtaSts, dane }: Published,
): Demand | Refusal {
  if (configured === 'none' || configured === 'opportunistic') {
    return { tls: configured, dane: null, inForce: configured, testing: null };
  }
  const enforced = mtaSts?.mode === 'enforce' ? mtaSts : null;
  if (enforced !== null && !namesHost(enforced, host)) {
    return { refused: `the MTA-STS policy of the domain does not name ${host}`, inForce: 'mta-sts' };
  }
  if (dane.kind === 'fault') return { refused: dane.text, inForce: 'dane' };
  if (configured === 'mta-sts' && enforced === null) {
    return { refused: 'the domain has no MTA-STS policy that is enforced', inForce: 'mta-sts' };
  }
  const check = usableCheck(dane);
  if (configured === 'dane' && check === null) {
    return { refused: `no validated TLSA records that can be used for ${host}`, inForce: 'dane' };
  }
  const byAuthority = enforced !== null || (configured === 'required' && check === null);
  const encrypted = check !== null || dane.kind === 'records';
  return {
    tls: byAuthority ? 'required' : encrypted ? 'encrypted' : 'opportunistic',
    dane: check,
    inForce: nameOf(check !== null, enforced !== null, byAuthority, encrypted),
    testing: testingOf(host, mtaSts),
  };
}

/** Null: no records, or none that says something we can check (RFC 7672 §2.2: then TLS, but whoever answers). */
function usableCheck(dane: Dane): DaneCheck | null {
  return dane.kind === 'records' && usableTlsa(dane.records).length > 0 ? dane : null;
}

function nameOf(
  dane: boolean,
  mtaSts: boolean,
  required: boolean,
  encrypted: boolean,
): TlsPolicyFacts['inForce'] {
  if (dane) return mtaSts ? 'dane+mta-sts' : 'dane';
  if (mtaSts) return 'mta-sts';
  if (required) return 'required';
  return encrypted ? 'encrypted' : 'opportunistic';
}

function testingOf(host: string, mtaSts: MtaStsPolicy | null): Demand['testing'] {
  if (mtaSts?.mode !== 'testing') return null;
  return { problem: namesHost(mtaSts, host) ? '' : `the MTA-STS policy of the domain does not name ${host}` };
}

export interface TlsPolicies {
  demandOn(domain: string, target: RemoteMta): Promise<Demand | Refusal>;
  /** What is recorded of a connection that was made, or was refused. Warns of what should not go unseen. */
  factsOf(domain: string, target: RemoteMta, met: Met): TlsPolicyFacts;
}

/** What became of a demand. */
export interface Met {
  demand: Demand | Refusal;
  outcome: 'left-out' | 'not-secured' | 'plain-text' | 'secured';
  /** What was missing, in words; ''. */
  shortfall: string;
}

/** Without policies: what most mail goes by (RFC 7435). */
export const opportunistic: Demand = {
  tls: 'opportunistic',
  dane: null,
  inForce: 'opportunistic',
  testing: null,
};

/** RFC 8689 §4.2: an authenticated server, whatever else is in force. DANE proves it as well as an authority. */
export function requiringTls(demand: Demand): Demand {
  if (demand.tls === 'required' || demand.tls === 'implicit' || demand.dane !== null) return demand;
  return { ...demand, tls: 'required', inForce: 'required' };
}

export interface TlsPolicyDeps {
  rules: readonly TlsPolicyRule[];
  resolver: Resolver;
  mtaSts: MtaStsPolicies;
  clock: Clock;
  log: Log;
}

export function createTlsPolicies({ rules, resolver, mtaSts, clock, log }: TlsPolicyDeps): TlsPolicies {
  const warn = createWarner(clock, log);
  return {
    async demandOn(domain, { name, port }) {
      const configured = configuredFor(rules, domain);
      if (configured === 'none' || configured === 'opportunistic') {
        return demandOn(name, configured, { mtaSts: null, dane: { kind: 'none' } });
      }
      const [policy, dane] = await Promise.all([
        mtaSts.of(domain),
        daneOf({ domain, host: name, port }, resolver),
      ]);
      return demandOn(name, configured, { mtaSts: policy, dane });
    },
    factsOf(domain, { name, address }, met) {
      const facts = recorded(met);
      const text = warnings[met.outcome] ?? testingWarning(met);
      if (facts.shortfall !== '' && text !== '') {
        warn({ domain, host: name, address, policy: facts.inForce, problem: facts.shortfall }, text);
      }
      return facts;
    },
  };
}

function recorded({ demand, shortfall }: Met): TlsPolicyFacts {
  const { inForce } = demand;
  if ('refused' in demand || demand.testing === null) return { inForce, shortfall };
  const problem = demand.testing.problem || shortfall;
  return { inForce, shortfall: problem === '' ? '' : `MTA-STS testing: ${problem}` };
}

const warnings: Readonly<Partial<Record<Met['outcome'], string>>> = {
  'left-out': 'a host was left out: the TLS policy of the domain does not allow it',
  'not-secured': 'a host did not meet the TLS policy of the domain',
  'plain-text': 'mail goes in plain text',
};

/** That a certificate is not valid is worth a warning where somebody tests whether it is. */
function testingWarning({ demand }: Met): string {
  const testing = 'refused' in demand ? null : demand.testing;
  return testing === null ? '' : 'an MTA-STS policy in testing would refuse this host';
}

type Warn = (fields: Record<string, string>, text: string) => void;

/** The same about the same host once in a while, not for every mail. */
function createWarner(clock: Clock, log: Log): Warn {
  const warnedAt = new Map<string, number>();
  return (fields, text) => {
    const key = JSON.stringify([text, fields]);
    const before = warnedAt.get(key);
    if (before !== undefined && clock.now() - before < limits.tlsWarningMs) return;
    warnedAt.delete(key);
    warnedAt.set(key, clock.now());
    const [oldest] = warnedAt.keys();
    if (warnedAt.size > limits.tlsWarnings && oldest !== undefined) warnedAt.delete(oldest);
    log.warn(fields, text);
  };
}
