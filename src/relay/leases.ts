/**
 * Who may begin an attempt: a bound over all, a bound per site, and a part of the places that bulk mail and a single
 * tenant leave to others. Whoever finds a site full waits for it in line. In memory: the relay is the only process
 * that attempts, and a restart has no attempts under way.
 */
import { limits } from '../base/limits.ts';
import type { MailFacts } from '../events/event.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Lane } from '../queue/queue.ts';
import { createLines } from './lines.ts';
import { isMxKey, type NextHop, routeKey, routeOf } from './route.ts';
import type { Turn } from './turn.ts';

/** The right to try some deliveries of one mail at one site in one session. */
export interface Lease {
  mailId: number;
  tenantId: number;
  class: MailClass;
  key: string;
  /** Leads to the route; of several the first. */
  destination: string;
  numbers: number[];
}

/** A mail some of whose deliveries are to be tried. */
export interface LeasedMail extends Pick<MailFacts, 'mailId' | 'tenantId'> {
  class: MailClass;
}

/** The site takes nothing now; ask again then. */
export interface SiteRefusal {
  until: number;
}

export interface Leases {
  /**
   * Leases for as many of the new mail's deliveries as there is room for; where others wait for a place, it waits as
   * well.
   */
  takeForNewMail(mail: LeasedMail, deliveries: readonly { n: number; domain: string }[]): Lease[];
  /** For deliveries to one site; there must be a place (`hasPlaceFor`) and `refusalOf` must be null. */
  take(mail: LeasedMail, destination: string, numbers: number[]): Lease;
  /** Null: the site takes more. A lane that hears of a full site stands in line for it. */
  refusalOf(lane: Lane): SiteRefusal | null;
  release(lease: Lease): void;
  /** Lanes whose turn it is at a site that has a place again. */
  takeWoken(): Lane[];
  /** What attempts to a destination are counted by. */
  keyOf(destination: string): string;
  /** Attempts under way. */
  open(): number;
  /** Places left over all sites. */
  room(): number;
  hasPlaceFor(mailClass: MailClass, tenantId: number): boolean;
  /** What was left without a place, to be said after each look. */
  setWaiting(left: Pick<Turn, 'more' | 'waiting'>): void;
  /** Whether a place that becomes free is waited for. */
  isWaiting(): boolean;
}

export interface LeaseBounds {
  /** Attempts under way at a time. */
  attempts: number;
  /** Of them to one site; a next hop and the rehearsal destination may take all. */
  perDestination: number;
}

export interface LeasesDeps {
  now(): number;
  nextHop: NextHop | null;
  bounds: LeaseBounds;
}

export function createLeases({ now, nextHop, bounds }: LeasesDeps): Leases {
  const bySite = new Counter<string>();
  const byTenant = new Counter<number>();
  const byClass = new Counter<MailClass>();
  const lines = createLines();
  const most = {
    ofTenant: Math.max(1, Math.floor(bounds.attempts * limits.placesOfOneTenant)),
    ofBulk: Math.max(1, Math.floor(bounds.attempts * limits.placesOfBulk)),
  };
  let open = 0;
  let left: Pick<Turn, 'more' | 'waiting'> = { more: false, waiting: new Set() };

  const keyOf = (destination: string) => routeKey(routeOf(destination, nextHop), destination);
  const boundOf = (key: string) => (isMxKey(key) ? bounds.perDestination : bounds.attempts);
  const siteHasRoom = (key: string) => bySite.of(key) < boundOf(key);
  const hasPlaceFor = (mailClass: MailClass, tenantId: number) =>
    open < bounds.attempts &&
    byTenant.of(tenantId) < most.ofTenant &&
    (mailClass !== 'bulk' || byClass.of('bulk') < most.ofBulk);

  const take = (mail: LeasedMail, destination: string, numbers: number[]): Lease => {
    const key = keyOf(destination);
    bySite.add(key, 1);
    byTenant.add(mail.tenantId, 1);
    byClass.add(mail.class, 1);
    open += 1;
    return { ...mail, key, destination, numbers };
  };

  /** There is a place, and nobody stands in line for it. */
  const overtakesNobody = ({ class: mailClass, tenantId }: LeasedMail, key: string) =>
    !left.waiting.has(mailClass) && !lines.has(key) && siteHasRoom(key) && hasPlaceFor(mailClass, tenantId);

  return {
    takeForNewMail(mail, deliveries) {
      const leases = new Map<string, Lease>();
      for (const { n, domain } of deliveries) {
        const key = keyOf(domain);
        const lease = leases.get(key);
        if (lease) lease.numbers.push(n);
        else if (overtakesNobody(mail, key)) leases.set(key, take(mail, domain, [n]));
        // The next place that becomes free is reason to look.
        else left = { ...left, more: true };
      }
      return [...leases.values()];
    },
    take,
    refusalOf(lane) {
      const key = keyOf(lane.destination);
      if (siteHasRoom(key)) return null;
      lines.join(key, lane);
      return { until: now() + limits.fullSiteLookMs };
    },
    release({ key, tenantId, class: mailClass }) {
      bySite.add(key, -1);
      byTenant.add(tenantId, -1);
      byClass.add(mailClass, -1);
      open -= 1;
      lines.wake(key);
      if (bySite.of(key) === 0) lines.dissolve(key);
    },
    takeWoken: () => lines.takeWoken(),
    keyOf,
    open: () => open,
    room: () => bounds.attempts - open,
    hasPlaceFor,
    setWaiting: (now) => {
      left = now;
    },
    isWaiting: () => left.more || lines.hasWoken(),
  };
}

class Counter<K> {
  readonly #counts = new Map<K, number>();

  of(key: K): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: K, more: number): void {
    const count = this.of(key) + more;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
