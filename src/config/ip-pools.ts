/** Pools of source addresses, one entry for each address that mail leaves from. */
import { isIPv4, isIPv6 } from 'node:net';
import { OptionProblem } from '../base/option.ts';
import { isHostName } from './addresses.ts';
import { type Kind, textKind } from './kinds.ts';

/** One machine on the Internet; the words are those of `relay/sources.ts`. */
export interface PoolEntry {
  pool: string;
  /** At least one of the two is there. */
  ipv4: string | null;
  ipv6: string | null;
  /** In EHLO; null: `hostname`. */
  name: string | null;
}

/** Also what the command line takes as the name of a pool. */
export function isPoolName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(text) && text !== 'none';
}

export const poolEntry: Kind<PoolEntry> = textKind(
  (text) => {
    const [pool = '', written = '', name = null, ...rest] = text.split('=').map((part) => part.trim());
    const addresses = written.split('+').map((part) => part.trim());
    const ipv4 = addresses.find(isIPv4) ?? null;
    const ipv6 = addresses.find(isIPv6) ?? null;
    const known = [ipv4, ipv6].filter((address) => address !== null).length;
    const sound = isPoolName(pool) && known > 0 && known === addresses.length && rest.length === 0;
    if (sound && (name === null || isHostName(name)))
      return { pool, ipv4, ipv6, name: name?.toLowerCase() ?? null };
    throw new OptionProblem(
      'expected pool=address such as bulk=192.0.2.11, bulk=192.0.2.11+2001:db8::11 for a host with both, and =name behind it for a name in EHLO: bulk=192.0.2.11=out1.example.com',
    );
  },
  ({ pool, ipv4, ipv6, name }) => {
    const addresses = [ipv4, ipv6].filter((address) => address !== null).join('+');
    return `${pool}=${addresses}${name === null ? '' : `=${name}`}`;
  },
);
