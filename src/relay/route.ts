/**
 * Step 13: by which way a destination is reached. Pure.
 *
 * The destination of a delivery is the domain of its forward-path, which goes the way that is configured. An operator
 * who moves it writes another way in its place: `smtp://host:port?tls=none`, or `mx:` and the domain.
 */
import { printHostAndPort } from '../base/network.ts';
import { isReservedDomain } from '../protocol/address/reserved.ts';
import type { ConnectOptions } from '../smtp-client/smtp-client.ts';

export interface NextHop {
  host: string;
  port: number;
  tls: ConnectOptions['tls'];
  credentials: { username: string; password: string } | null;
}

export type Route =
  | { kind: 'next-hop'; nextHop: NextHop }
  /** The built-in destination for names that must never leave the machine. */
  | { kind: 'rehearsal' }
  | { kind: 'mx'; domain: string };

/** Where deliveries are moved to. A login is not kept with them. */
export type Via = 'configured' | 'mx' | Omit<NextHop, 'credentials'>;

const byMx = 'mx:';

export function destinationOf(domain: string, via: Via): string {
  if (via === 'configured') return domain;
  if (via === 'mx') return `${byMx}${domain}`;
  return via.tls === 'implicit'
    ? `smtps://${printHostAndPort(via)}`
    : `smtp://${printHostAndPort(via)}?tls=${via.tls}`;
}

export function routeOf(destination: string, nextHop: NextHop | null): Route {
  const moved = movedRoute(destination);
  if (moved) return moved;
  return nextHop ? { kind: 'next-hop', nextHop } : ownRoute(destination);
}

function movedRoute(destination: string): Route | null {
  if (destination.startsWith(byMx)) return ownRoute(destination.slice(byMx.length));
  const [, scheme, host = '', port, tls] =
    /^(smtps?):\/\/\[?([^\]]+?)\]?:(\d+)(?:\?tls=(\w+))?$/.exec(destination) ?? [];
  if (scheme === undefined) return null;
  const use = scheme === 'smtps' ? 'implicit' : (tls as NextHop['tls']);
  return { kind: 'next-hop', nextHop: { host, port: Number(port), tls: use, credentials: null } };
}

function ownRoute(domain: string): Route {
  return isReservedDomain(domain) ? { kind: 'rehearsal' } : { kind: 'mx', domain };
}

/** What attempts are counted and limited by. */
export function routeKey(route: Route, destination: string): string {
  if (route.kind === 'mx') return route.domain;
  return route.kind === 'next-hop' && destination.includes('://') ? destination : route.kind;
}

/** The key is that of MX hosts, not of one server. */
export function isMxKey(key: string): boolean {
  return key !== 'next-hop' && key !== 'rehearsal' && !key.includes('://');
}
