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
import type { SiteNews } from './site-news.ts';
import type { Sites } from './sites.ts';
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
  begunAt: number;
}

/** A mail some of whose deliveries are to be tried. */
export interface LeasedMail extends Pick<MailFacts, 'mailId' | 'tenantId'> {
  class: MailClass;
}

/** The site takes nothing now, or is not known yet; ask again then. */
export interface LaneRefusal {
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
  refusalOf(lane: Lane): LaneRefusal | null;
  /** `silent` for a lease under which nothing was tried. */
  release(lease: Lease, news: SiteNews): void;
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
  /** Of them to one site by its MX hosts, unless the shaping table says otherwise. */
  perDestination: number;
}

export interface LeasesDeps {
  now(): number;
  sites: Sites;
  bounds: LeaseBounds;
  /** A site became known that lanes waited for. */
  onLearned(): void;
}

export function createLeases({ now, sites, bounds, onLearned }: LeasesDeps): Leases {
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

  const keyOf = (destination: string) => sites.keyOf(destination) ?? destination;

  const learn = async (destination: string) => {
    if (!(await sites.learn(destination))) return;
    lines.dissolve(unknown(destination));
    onLearned();
  };

  /** Null also for a site that is not known. */
  const siteRefusal = (destination: string) => {
    const key = sites.keyOf(destination);
    return key === null ? null : sites.site(key, destination).refusalAt(now());
  };
  const hasPlaceFor = (mailClass: MailClass, tenantId: number) =>
    open < bounds.attempts &&
    byTenant.of(tenantId) < most.ofTenant &&
    (mailClass !== 'bulk' || byClass.of('bulk') < most.ofBulk);

  const take = (mail: LeasedMail, destination: string, numbers: number[]): Lease => {
    const key = keyOf(destination);
    sites.site(key, destination).begin(now());
    bySite.add(key, 1);
    byTenant.add(mail.tenantId, 1);
    byClass.add(mail.class, 1);
    open += 1;
    return { ...mail, key, destination, numbers, begunAt: now() };
  };

  /** There is a place, and nobody stands in line for it. */
  const overtakesNobody = ({ class: mailClass, tenantId }: LeasedMail, domain: string) => {
    const key = sites.keyOf(domain);
    if (key === null) void learn(domain);
    if (key === null || left.waiting.has(mailClass) || lines.has(key)) return false;
    return hasPlaceFor(mailClass, tenantId) && siteRefusal(domain) === null;
  };

  return {
    takeForNewMail(mail, deliveries) {
      const leases = new Map<string, Lease>();
      for (const { n, domain } of deliveries) {
        const lease = leases.get(keyOf(domain));
        if (lease) lease.numbers.push(n);
        else if (overtakesNobody(mail, domain)) leases.set(keyOf(domain), take(mail, domain, [n]));
        // The next place that becomes free is reason to look.
        else left = { ...left, more: true };
      }
      return [...leases.values()];
    },
    take,
    refusalOf(lane) {
      const { destination } = lane;
      const key = sites.keyOf(destination);
      if (key === null) {
        lines.join(unknown(destination), lane);
        void learn(destination);
        return { until: now() + limits.fullSiteLookMs };
      }
      const refusal = siteRefusal(destination);
      if (refusal?.why === 'full') lines.join(key, lane);
      return refusal;
    },
    release({ key, destination, tenantId, class: mailClass, begunAt }, news) {
      sites.site(key, destination).end(key === 'rehearsal' ? 'silent' : news, begunAt, now());
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

/** The line of those who wait for a site to be known. */
function unknown(destination: string): string {
  return `? ${destination}`;
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
