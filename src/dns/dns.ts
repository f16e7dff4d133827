/**
 * Where mail goes: from a domain or a configured host to addresses, in the order in which they are to be tried
 * (RFC 5321 §5.1, RFC 7505). Answers are kept for a while, all waits and lists are bounded (invariant I7).
 *
 * This is the module's door. Not here: which of them was tried, and what it said (smtp-client, relay); whether a
 * domain may be mailed at all (relay).
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { unmapped } from '../base/network.ts';
import { type Random, systemRandom } from '../base/random.ts';
import type { RemoteMta } from '../events/delivery-status.ts';
import { Cache } from './cache.ts';
import { failure, type LookupFailure, type MxDeps, mxTargets } from './mx.ts';
import type { Resolver } from './resolver.ts';

export { type Dane, daneOf } from './dane.ts';
export type { LookupFailure, MxLookup, MxTarget } from './mx.ts';
export { isUsable, mxTargets } from './mx.ts';
export type { Answer, MxRecord, Resolver, ResolverOptions, TlsaRecord } from './resolver.ts';
export { createResolver } from './resolver.ts';

export type Targets =
  | {
      ok: true;
      targets: RemoteMta[];
      /** That these are the hosts cannot have been forged: validated with DNSSEC, or named by the operator or the sender. */
      authentic: boolean;
    }
  | { ok: false; observation: LookupFailure };

export interface FindTargetsOptions {
  clock: Clock;
  resolver: Resolver;
  random?: Random;
  /** Our own host names; see `MxDeps.ownNames`. */
  ownNames?: readonly string[];
  /** Where we listen: an MX host that is found there is we. */
  ownListeners?: readonly { host: string; port: number }[];
  /** Port of MX hosts. Other than 25, and `loopback`, serve laboratories. */
  port?: number;
  loopback?: boolean;
}

export interface FindTargets {
  /** Hosts that take mail for this domain. */
  mx(domain: string): Promise<Targets>;
  /** A host the operator named: through the system, its `hosts` file included. Never fails for good. */
  host(name: string, port: number): Promise<Targets>;
}

export function createFindTargets(options: FindTargetsOptions): FindTargets {
  const { clock, resolver, random = systemRandom, ownNames = [], port = 25, loopback = false } = options;
  const listening = (options.ownListeners ?? []).filter((listener) => listener.port === port);
  const deps: MxDeps = { resolver, random, ownNames, isOurs: listenedTo(listening), loopback };
  const hosts = new Cache<Targets>(clock, limits.dnsCacheEntries);
  return {
    mx: async (domain) => {
      const found = await mxTargets(domain, deps);
      if ('failed' in found) return { ok: false, observation: found.failed };
      const targets = found.targets.flatMap(({ name, addresses }) =>
        addresses.map((address) => ({ name, address, port })),
      );
      return { ok: true, targets, authentic: found.authentic };
    },
    host: async (name, hostPort) => {
      const address = name.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) !== 0)
        return { ok: true, targets: [{ name: address, address, port: hostPort }], authentic: true };
      return hosts.get(`${name} ${hostPort}`, () => lookUpHost(name, hostPort));
    },
  };
}

/** A listener on no address in particular hears on all that the machine has, now. */
function listenedTo(listeners: readonly { host: string }[]): (address: string) => boolean {
  const anywhere = listeners.some(({ host }) => host === '0.0.0.0' || host === '::');
  return (address) => {
    const plain = unmapped(address);
    if (listeners.some(({ host }) => host === plain)) return true;
    if (!anywhere) return false;
    return Object.values(networkInterfaces()).some((found) => found?.some((own) => own.address === plain));
  };
}

async function lookUpHost(name: string, port: number): Promise<{ value: Targets; keepMs: number }> {
  try {
    const found = await lookup(name, { all: true, order: 'ipv4first' });
    const targets = found.slice(0, limits.addressesPerTarget).map(({ address }) => ({ name, address, port }));
    return { value: { ok: true, targets, authentic: true }, keepMs: limits.nextHopCacheMs };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const observation = failure('dns', '4.4.3', `no address for the next hop ${name}: ${code}`);
    return { value: { ok: false, observation }, keepMs: 0 };
  }
}
