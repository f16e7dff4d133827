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
import type { SiteRefusal } from './site.ts';
import type { SiteNews } from './site-news.ts';
import type { Source } from './sources.ts';
import type { Turn } from './turn.ts';
import type { Reservation } from './warm-ups.ts';
import { createWays, freeWay, refusalOfAll, type WaysDeps } from './ways.ts';

/** The right to try some deliveries of one mail at one site in one session. */
export interface Lease {
  mailId: number;
  tenantId: number;
  class: MailClass;
  key: string;
  /** Where the connection comes from; null: the system's choice. */
  source: Source | null;
  /** Leads to the route; of several the first. */
  destination: string;
  numbers: number[];
  begunAt: number;
  /** What it takes of the day's number of a warm-up; null: nothing bounds it. */
  reservation: Reservation | null;
}

/** A mail some of whose deliveries are to be tried. */
export interface LeasedMail extends Pick<MailFacts, 'mailId' | 'tenantId'> {
  class: MailClass;
}

/** The site takes nothing now, or is not known yet; ask again then. */
export interface LaneRefusal extends Pick<SiteRefusal, 'until' | 'expireBefore'> {
  /** Held by a warm-up, whose next day begins then; else null. */
  warmUpUntil: number | null;
}

export interface Leases {
  /**
   * Leases for as many of the new mail's deliveries as there is room for; where others wait for a place, it waits as
   * well.
   */
  takeForNewMail(mail: LeasedMail, deliveries: readonly { n: number; domain: string }[]): Lease[];
  /**
   * For deliveries to one site, or for the first of them where a warm-up has no room for all; there must be a place
   * (`hasPlaceFor`) and `refusalOf` must be null.
   */
  take(mail: LeasedMail, destination: string, numbers: number[]): Lease;
  /** Null: the site takes more. A lane that hears of a full site stands in line for it. */
  refusalOf(lane: Lane): LaneRefusal | null;
  /** Until when a warm-up holds what the mail has for the destination; null: none does. */
  warmUpUntil(mail: LeasedMail, destination: string): number | null;
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

export interface LeasesDeps extends WaysDeps {
  now(): number;
  bounds: LeaseBounds;
  /** A site became known that lanes waited for. */
  onLearned(): void;
}

export function createLeases(deps: LeasesDeps): Leases {
  const { now, sites, bounds, onLearned } = deps;
  const byLine = new Counter<string>();
  const places = new Places(bounds);
  const lines = createLines();
  const waysTo = createWays(deps);
  let left: Pick<Turn, 'more' | 'waiting'> = { more: false, waiting: new Set() };

  const keyOf = (destination: string) => sites.keyOf(destination) ?? destination;

  const learn = async (destination: string) => {
    if (!(await sites.learn(destination))) return;
    lines.dissolve(unknown(destination));
    onLearned();
  };

  const take = (mail: LeasedMail, destination: string, numbers: number[]): Lease => {
    const key = keyOf(destination);
    const { source, site, allowance } = freeWay(waysTo(key, destination, mail), mail.class, now());
    const reservation = allowance?.reserve(Math.min(numbers.length, allowance.left(mail.class))) ?? null;
    site.begin(now());
    byLine.add(lineOf(key, source), 1);
    places.add(mail, 1);
    const within = numbers.slice(0, reservation?.count);
    return { ...mail, key, source, destination, numbers: within, begunAt: now(), reservation };
  };

  /** There is a place, and nobody stands in line for it. */
  const overtakesNobody = (mail: LeasedMail, domain: string) => {
    const key = sites.keyOf(domain);
    if (key === null) void learn(domain);
    if (key === null || left.waiting.has(mail.class)) return false;
    const ways = waysTo(key, domain, mail);
    if (ways.some(({ source }) => lines.has(lineOf(key, source)))) return false;
    return places.hasFor(mail.class, mail.tenantId) && refusalOfAll(ways, mail.class, now()) === null;
  };

  return {
    takeForNewMail(mail, deliveries) {
      const leases = new Map<string, Lease>();
      for (const { n, domain } of deliveries) {
        const lease = leases.get(keyOf(domain));
        if (lease && hasRoomForMore(lease)) lease.numbers.push(n);
        else if (!lease && overtakesNobody(mail, domain)) leases.set(keyOf(domain), take(mail, domain, [n]));
        // The next place that becomes free is reason to look.
        else left = { ...left, more: true };
      }
      return [...leases.values()];
    },
    take,
    refusalOf(lane) {
      const key = sites.keyOf(lane.destination);
      if (key === null) {
        lines.join(unknown(lane.destination), lane);
        void learn(lane.destination);
        return { until: now() + limits.fullSiteLookMs, expireBefore: null, warmUpUntil: null };
      }
      const ways = waysTo(key, lane.destination, lane);
      const refusal = refusalOfAll(ways, lane.class, now());
      if (refusal?.why === 'full') lines.join(lineOf(key, ways[0]?.source ?? null), lane);
      return refusal && { ...refusal, warmUpUntil: refusal.why === 'warm-up' ? refusal.until : null };
    },
    warmUpUntil(mail, destination) {
      const key = sites.keyOf(destination);
      const refusal = key && refusalOfAll(waysTo(key, destination, mail), mail.class, now());
      return refusal && refusal.why === 'warm-up' ? refusal.until : null;
    },
    release({ key, source, destination, tenantId, class: mailClass, begunAt, reservation }, news) {
      reservation?.settle([]);
      const line = lineOf(key, source);
      sites.site(key, destination, source).end(key === 'rehearsal' ? 'silent' : news, begunAt, now());
      byLine.add(line, -1);
      places.add({ tenantId, class: mailClass }, -1);
      lines.wake(line);
      if (byLine.of(line) === 0) lines.dissolve(line);
    },
    takeWoken: () => lines.takeWoken(),
    keyOf,
    open: () => places.open,
    room: () => bounds.attempts - places.open,
    hasPlaceFor: (mailClass, tenantId) => places.hasFor(mailClass, tenantId),
    setWaiting: (now) => {
      left = now;
    },
    isWaiting: () => left.more || lines.hasWoken(),
  };
}

function hasRoomForMore({ reservation, class: mailClass }: Lease): boolean {
  return reservation === null || reservation.extend(mailClass);
}

/** For attempts, over all sites, and the parts of them that a tenant and bulk mail may have. */
class Places {
  readonly #all: number;
  readonly #ofTenant: number;
  readonly #ofBulk: number;
  readonly #byTenant = new Counter<number>();
  readonly #byClass = new Counter<MailClass>();
  open = 0;

  constructor({ attempts }: LeaseBounds) {
    this.#all = attempts;
    this.#ofTenant = Math.max(1, Math.floor(attempts * limits.placesOfOneTenant));
    this.#ofBulk = Math.max(1, Math.floor(attempts * limits.placesOfBulk));
  }

  add({ tenantId, class: mailClass }: Pick<LeasedMail, 'tenantId' | 'class'>, more: number): void {
    this.#byTenant.add(tenantId, more);
    this.#byClass.add(mailClass, more);
    this.open += more;
  }

  hasFor(mailClass: MailClass, tenantId: number): boolean {
    return (
      this.open < this.#all &&
      this.#byTenant.of(tenantId) < this.#ofTenant &&
      (mailClass !== 'bulk' || this.#byClass.of('bulk') < this.#ofBulk)
    );
  }
}

/** Those who wait for a place at a site that they reach from the same pool. */
function lineOf(key: string, source: Source | null): string {
  return source === null ? key : `${key} from pool ${source.pool}`;
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
