/** Step 14: the hosts to try for a route, in order. */
import type { RemoteMta } from '../events/delivery-status.ts';
import type { Observation } from '../smtp-client/smtp-client.ts';
import type { Route } from './route.ts';

export interface FoundTargets {
  ok: true;
  targets: RemoteMta[];
  /** How the names were learned cannot have been forged: by DNSSEC, by MTA-STS, or from the configuration. */
  authentic?: boolean;
}

export type Targets = FoundTargets | { ok: false; observation: Observation };

/** MX look-up for a domain, address look-up for a next hop. */
export interface FindTargets {
  mx(domain: string): Promise<Targets>;
  host(name: string, port: number): Promise<Targets>;
}

export function targetsOf(route: Exclude<Route, { kind: 'rehearsal' }>, find: FindTargets): Promise<Targets> {
  if (route.kind === 'mx') return find.mx(route.domain);
  return find.host(route.nextHop.host, route.nextHop.port);
}
