/**
 * The hosts that take mail for a domain, in the order in which they are to be tried (RFC 5321 §5.1, RFC 7505).
 *
 * A domain without MX is its own host; a failed question for MX is never taken for "there is none". Hosts of equal
 * preference are shuffled, so that load spreads. Addresses that could only be our own machine's are left out.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { limits } from '../base/limits.ts';
import type { Random } from '../base/random.ts';
import { withoutDot } from './answer.ts';
import type { MxRecord, Resolver } from './resolver.ts';

export interface MxTarget {
  name: string;
  /** At least one; IPv4 first, for many receivers distrust IPv6 without a name. */
  addresses: readonly string[];
}

/** The shape of an observation of the sending side. Permanent if the class of `enhancedStatus` is 5. */
export interface LookupFailure {
  stage: 'dns';
  reply: null;
  enhancedStatus: string;
  cause: 'null-mx' | 'no-mx' | 'dns';
  text: string;
}

/** `authentic`: that these are the hosts of the domain was validated with DNSSEC, or needs no proof. */
export type MxLookup = { targets: MxTarget[]; authentic: boolean } | { failed: LookupFailure };

export interface MxDeps {
  resolver: Resolver;
  random: Random;
  /** Names we give ourselves: hosts that are not better than us are left out (RFC 5321 §5.1). */
  ownNames: readonly string[];
  /** Whether a connection to this address would reach our own listener, under whatever name. */
  isOurs: (address: string) => boolean;
  /** Take addresses of this machine, for a laboratory. */
  loopback: boolean;
}

interface Candidate {
  name: string;
  preference: number;
}

export function failure(cause: LookupFailure['cause'], enhancedStatus: string, text: string): LookupFailure {
  return { stage: 'dns', reply: null, enhancedStatus, cause, text };
}

/** `domain` in A-labels, or an address literal in brackets. */
export async function mxTargets(domain: string, deps: MxDeps): Promise<MxLookup> {
  if (domain.startsWith('[')) return literalTarget(domain, deps);
  if (!isHostName(domain)) return { failed: failure('no-mx', '5.1.2', `${domain} is no domain name`) };
  const answer = await deps.resolver.mx(domain);
  if ('fault' in answer) {
    return { failed: failure('dns', '4.4.3', `no answer for the MX of ${domain}: ${answer.fault}`) };
  }
  if ('absent' in answer && answer.absent === 'domain') {
    return { failed: failure('no-mx', '5.1.2', `the domain ${domain} does not exist`) };
  }
  const hosts =
    'found' in answer
      ? await namedHosts(domain, answer.found, deps)
      : await hostsOf(domain, [{ name: withoutDot(domain), preference: 0 }], deps);
  return 'failed' in hosts ? hosts : { ...hosts, authentic: answer.secure };
}

type Hosts = { targets: MxTarget[] } | { failed: LookupFailure };

function namedHosts(domain: string, records: readonly MxRecord[], deps: MxDeps): Promise<Hosts> | Hosts {
  if (records.every(({ exchange }) => isRoot(exchange))) {
    return { failed: failure('null-mx', '5.1.10', `${domain} accepts no mail (null MX)`) };
  }
  const usable = records.filter(({ exchange }) => isHostName(exchange));
  if (usable.length === 0) {
    return { failed: failure('no-mx', '5.4.4', `no MX of ${domain} is a host name`) };
  }
  const better = betterThanUs(usable, deps.ownNames);
  if (better.length === 0) return loop(domain);
  return hostsOf(domain, eachOnce(inOrder(better, deps.random)), deps);
}

function loop(domain: string): { failed: LookupFailure } {
  return { failed: failure('dns', '5.4.6', `mail for ${domain} loops back to this relay`) };
}

/** A host named twice counts where it is named first. */
function eachOnce(records: readonly MxRecord[]): Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const { exchange, preference } of records) {
    const name = withoutDot(exchange);
    if (!candidates.has(name)) candidates.set(name, { name, preference });
  }
  return [...candidates.values()];
}

/** Hosts that are not better than we are would hand the mail back to us. */
function betterThanUs(records: readonly MxRecord[], ownNames: readonly string[]): MxRecord[] {
  const own = new Set(ownNames.map((name) => name.toLowerCase()));
  const ours = records.filter(({ exchange }) => own.has(withoutDot(exchange)));
  const ourPreference = Math.min(...ours.map(({ preference }) => preference));
  return records.filter(({ preference }) => preference < ourPreference);
}

/** By preference; equal ones by chance. */
function inOrder(records: readonly MxRecord[], random: Random): MxRecord[] {
  const drawn = records.map((record) => ({ record, lot: random() }));
  drawn.sort((a, b) => a.record.preference - b.record.preference || a.lot - b.lot);
  return drawn.map(({ record }) => record);
}

async function hostsOf(domain: string, candidates: readonly Candidate[], deps: MxDeps): Promise<Hosts> {
  const asked = candidates.slice(0, limits.mxTargets);
  const hosts = await Promise.all(
    asked.map(async (candidate) => ({ ...candidate, ...(await addressesOf(candidate.name, deps)) })),
  );
  // An address of ours under another name is we as well (RFC 5321 §5.1).
  const ours = hosts.filter((host) => 'addresses' in host && host.addresses.some(deps.isOurs));
  const ourPreference = Math.min(...ours.map(({ preference }) => preference));
  const better = hosts.filter(({ preference }) => preference < ourPreference);
  if (better.length === 0) return loop(domain);
  const targets = better.flatMap((host) =>
    'addresses' in host ? [{ name: host.name, addresses: host.addresses }] : [],
  );
  if (targets.length > 0) return { targets };
  const faults = better.flatMap((host) => ('fault' in host ? [host.fault] : []));
  if (faults[0] !== undefined) return { failed: failure('dns', '4.4.3', faults[0]) };
  return { failed: failure('no-mx', '5.4.4', `no host that takes mail for ${domain} has a usable address`) };
}

async function addressesOf(
  name: string,
  deps: MxDeps,
): Promise<MxTarget | { fault: string } | { none: true }> {
  const answers = await Promise.all([deps.resolver.ipv4(name), deps.resolver.ipv6(name)]);
  const addresses = answers.flatMap((answer) =>
    'found' in answer
      ? shuffle(
          answer.found.filter((address) => isUsable(address, deps)),
          deps.random,
        )
      : [],
  );
  if (addresses.length > 0) return { name, addresses: addresses.slice(0, limits.addressesPerTarget) };
  const fault = answers.find((answer) => 'fault' in answer);
  return fault !== undefined && 'fault' in fault
    ? { fault: `no answer for the address of ${name}: ${fault.fault}` }
    : { none: true };
}

/** The answer is kept for a while: without this its first address would get all the mail. */
function shuffle(addresses: readonly string[], random: Random): string[] {
  const drawn = addresses.map((address) => ({ address, lot: random() }));
  return drawn.sort((a, b) => a.lot - b.lot).map(({ address }) => address);
}

function literalTarget(literal: string, deps: MxDeps): MxLookup {
  const address = /^\[(?:ipv6:)?([^\]]*)\]$/i.exec(literal)?.[1] ?? '';
  if (isIP(address) === 0) return { failed: failure('no-mx', '5.1.2', `${literal} is no address`) };
  if (!isUsable(address, deps))
    return { failed: failure('no-mx', '5.4.4', `${literal} is no usable address`) };
  if (deps.isOurs(address)) return loop(literal);
  return { targets: [{ name: literal, addresses: [address] }], authentic: true };
}

/**
 * This machine, no machine, or many: mail to them would come back, or go anywhere. IPv4 rules also hold for the
 * same addresses mapped into IPv6.
 */
const unusable = new BlockList();
unusable.addSubnet('0.0.0.0', 8);
unusable.addSubnet('127.0.0.0', 8);
unusable.addSubnet('169.254.0.0', 16);
unusable.addSubnet('224.0.0.0', 3);
unusable.addAddress('::', 'ipv6');
unusable.addAddress('::1', 'ipv6');
unusable.addSubnet('fe80::', 10, 'ipv6');
unusable.addSubnet('ff00::', 8, 'ipv6');

export function isUsable(address: string, { loopback }: Pick<MxDeps, 'loopback'>): boolean {
  return loopback || !unusable.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function isRoot(exchange: string): boolean {
  return exchange === '' || exchange === '.';
}

const hostName = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** An exchange that is an address, as some domains have it, is no host name. */
export function isHostName(name: string): boolean {
  const bare = withoutDot(name);
  return bare.length <= limits.domainBytes && hostName.test(bare) && !/(?:^|\.)\d+$/.test(bare);
}
