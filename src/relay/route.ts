/** Step 13: by which way a domain is reached. Pure. */
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

export function routeOf(domain: string, nextHop: NextHop | null): Route {
  if (nextHop) return { kind: 'next-hop', nextHop };
  if (isReservedDomain(domain)) return { kind: 'rehearsal' };
  return { kind: 'mx', domain };
}

/** What attempts are counted and limited by. */
export function routeKey(route: Route, domain: string): string {
  return route.kind === 'mx' ? domain : route.kind;
}
