/**
 * Where connections come from: source addresses in named pools. Which pool the mail of a tenant leaves from is data in
 * the store; what a pool consists of is configuration. An address that could not be bound is passed over for a while.
 */
import { isIPv4 } from 'node:net';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { ConnectOptions, Observation } from '../smtp-client/smtp-client.ts';
import type { Tenants } from '../tenants/tenants.ts';

/** One host as its peers see it. Without any address: a pool that the configuration does not have. */
export interface Source {
  pool: string;
  ipv4: string | null;
  ipv6: string | null;
  /** In EHLO; null: that of the installation. */
  name: string | null;
}

export interface Sources {
  /** Those that mail may leave from, at least one. Null stands for the choice of the operating system. */
  of(tenantId: number, mailClass: MailClass): readonly (Source | null)[];
  /** It could not be bound, or has no address for the target. */
  failed(source: Source, diagnostic: string): void;
}

/** For a relay without pools. */
export const systemsChoice: Sources = { of: () => [null], failed: () => {} };

export interface SourcesDeps {
  now(): number;
  log: Log;
  pools: readonly Source[];
  tenants: Pick<Tenants, 'ipPool'>;
}

export function createSources({ now, log, pools, tenants }: SourcesDeps): Sources {
  const restsUntil = new Map<string, number>();
  const isUsable = (source: Source) => (restsUntil.get(nameOf(source)) ?? 0) <= now();
  return {
    of(tenantId, mailClass) {
      const pool = tenants.ipPool(tenantId, mailClass);
      if (pool === null) return [null];
      const members = pools.filter((source) => source.pool === pool);
      if (members.length === 0) return [{ pool, ipv4: null, ipv6: null, name: null }];
      const usable = members.filter(isUsable);
      return usable.length > 0 ? usable : members;
    },
    failed(source, diagnostic) {
      if (!isUsable(source)) return;
      if (hasAddress(source)) restsUntil.set(nameOf(source), now() + limits.unusableSourceMs);
      log.error({ pool: source.pool, source: nameOf(source), diagnostic }, 'mail cannot leave from its pool');
    },
  };
}

/** Tells one source from another, whatever pools it is in. */
export function nameOf({ pool, ipv4, ipv6 }: Source): string {
  return [ipv4, ipv6].filter((address) => address !== null).join('+') || `pool ${pool}`;
}

function hasAddress({ ipv4, ipv6 }: Source): boolean {
  return ipv4 !== null || ipv6 !== null;
}

/** How a connection to that address is made from the source. */
export function leavingFrom(
  source: Source | null,
  address: string,
): Pick<ConnectOptions, 'localAddress'> | { missing: Observation } {
  if (source === null) return {};
  const localAddress = isIPv4(address) ? source.ipv4 : source.ipv6;
  if (localAddress !== null) return { localAddress };
  const family = isIPv4(address) ? 'IPv4' : 'IPv6';
  const text = hasAddress(source)
    ? `the source ${nameOf(source)} of pool ${source.pool} has no ${family} address`
    : `the pool ${source.pool} has no addresses: it is not in delivery.ip_pools`;
  return { missing: { stage: 'connect', reply: null, enhancedStatus: null, cause: 'own-address', text } };
}
