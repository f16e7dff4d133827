/**
 * Who may begin an attempt: a bound over all and a bound per route, so that one slow destination cannot take all
 * places. In memory: the relay is the only process that attempts, and a restart has no attempts under way.
 */
import type { DeliveryFacts } from '../events/event.ts';
import type { LeasedDelivery } from '../queue/queue.ts';
import { destinationsByMx, type NextHop, routeKey, routeOf } from './route.ts';

/** The right to try some deliveries of one mail by one route in one session. */
export interface Lease {
  mailId: number;
  key: string;
  /** Leads to the route; for a next hop the first of several. */
  destination: string;
  numbers: number[];
}

export interface Leases {
  /** Leases for as many of the new mail's deliveries as there is room for. */
  takeForNewMail(mailId: number, deliveries: readonly DeliveryFacts[]): Lease[];
  /** Leases for due deliveries; those of one mail and route are put together. */
  takeForDue(due: readonly LeasedDelivery[]): Lease[];
  release(lease: Lease): void;
  /** Attempts under way. */
  open(): number;
  /** Places left over all routes. */
  room(): number;
  /** Destinations that have all the attempts they may have. */
  fullDestinations(): string[];
  /** Something due was left without a place. */
  noteWaiting(): void;
  /** Whether a place that becomes free is waited for; asked once, it is forgotten. */
  takeWaiting(): boolean;
}

export interface LeaseBounds {
  /** Attempts under way at a time. */
  attempts: number;
  /** Of them to one domain by its MX hosts; a next hop and the rehearsal destination may take all. */
  perDestination: number;
}

export function createLeases(nextHop: NextHop | null, bounds: LeaseBounds): Leases {
  const openByKey = new Map<string, number>();
  let open = 0;
  let waited = false;

  const keyOf = (destination: string) => routeKey(routeOf(destination, nextHop), destination);
  const boundOf = (key: string) =>
    key === 'next-hop' || key === 'rehearsal' || key.includes('://')
      ? bounds.attempts
      : bounds.perDestination;
  const hasRoom = (key: string) => open < bounds.attempts && (openByKey.get(key) ?? 0) < boundOf(key);

  const take = (mailId: number, deliveries: readonly { n: number; destination: string }[]): Lease[] => {
    const leases = new Map<string, Lease>();
    for (const { n, destination } of deliveries) {
      const key = keyOf(destination);
      const lease = leases.get(key);
      if (lease) lease.numbers.push(n);
      else if (hasRoom(key)) {
        leases.set(key, { mailId, key, destination, numbers: [n] });
        openByKey.set(key, (openByKey.get(key) ?? 0) + 1);
        open += 1;
      } else waited = true;
    }
    return [...leases.values()];
  };

  return {
    takeForNewMail: (mailId, deliveries) =>
      take(
        mailId,
        deliveries.map(({ n, domain }) => ({ n, destination: domain })),
      ),
    takeForDue(due) {
      const byMail = new Map<number, { n: number; destination: string }[]>();
      for (const { mailId, n, destination } of due) {
        const deliveries = byMail.get(mailId) ?? [];
        deliveries.push({ n, destination });
        byMail.set(mailId, deliveries);
      }
      return [...byMail].flatMap(([mailId, deliveries]) => take(mailId, deliveries));
    },
    release({ key }) {
      const left = (openByKey.get(key) ?? 1) - 1;
      if (left === 0) openByKey.delete(key);
      else openByKey.set(key, left);
      open -= 1;
    },
    open: () => open,
    room: () => bounds.attempts - open,
    noteWaiting: () => {
      waited = true;
    },
    takeWaiting: () => {
      const answer = waited;
      waited = false;
      return answer;
    },
    // The keys of MX routes are domains; the other routes are bounded by the places over all.
    fullDestinations: () =>
      [...openByKey]
        .filter(([key, count]) => count >= boundOf(key))
        .flatMap(([key]) => destinationsByMx(key)),
  };
}
