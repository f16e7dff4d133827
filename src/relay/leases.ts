/**
 * Who may begin an attempt: a bound over all, a bound per site, and a part of the places that bulk mail and a single
 * tenant leave to others. Whoever finds a site full waits for it in line. In memory: the relay is the only process
 * that attempts, and a restart has no attempts under way.
 */
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type { MailFacts } from '../events/event.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Lane } from '../queue/queue.ts';
import { createLines } from './lines.ts';
import type { Site, SiteRefusal } from './site.ts';
import type { SiteNews } from './site-news.ts';
import type { Sites } from './sites.ts';
import { type Source, type Sources, systemsChoice } from './sources.ts';
import type { Turn } from './turn.ts';

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
}

/** A mail some of whose deliveries are to be tried. */
export interface LeasedMail extends Pick<MailFacts, 'mailId' | 'tenantId'> {
  class: MailClass;
}

/** The site takes nothing now, or is not known yet; ask again then. */
export type LaneRefusal = Pick<SiteRefusal, 'until' | 'expireBefore'>;

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
  /** Absent: the system chooses where connections come from. */
  sources?: Sources;
  bounds: LeaseBounds;
  /** A site became known that lanes waited for. */
  onLearned(): void;
}

/** A site, seen from one source of the pool: limits and back-off belong to the pair. */
interface Way {
  source: Source | null;
  site: Site;
}

export function createLeases({ now, sites, sources, bounds, onLearned }: LeasesDeps): Leases {
  const byLine = new Counter<string>();
  const byTenant = new Counter<number>();
  const byClass = new Counter<MailClass>();
  const lines = createLines();
  const waysTo = createWays(sites, sources);
  const most = sharesOf(bounds);
  let open = 0;
  let left: Pick<Turn, 'more' | 'waiting'> = { more: false, waiting: new Set() };

  const keyOf = (destination: string) => sites.keyOf(destination) ?? destination;

  const learn = async (destination: string) => {
    if (!(await sites.learn(destination))) return;
    lines.dissolve(unknown(destination));
    onLearned();
  };

  const hasPlaceFor = (mailClass: MailClass, tenantId: number) =>
    open < bounds.attempts &&
    byTenant.of(tenantId) < most.ofTenant &&
    (mailClass !== 'bulk' || byClass.of('bulk') < most.ofBulk);

  const take = (mail: LeasedMail, destination: string, numbers: number[]): Lease => {
    const key = keyOf(destination);
    const { source, site } = freeWay(waysTo(key, destination, mail), now());
    site.begin(now());
    byLine.add(lineOf(key, source), 1);
    byTenant.add(mail.tenantId, 1);
    byClass.add(mail.class, 1);
    open += 1;
    return { ...mail, key, source, destination, numbers, begunAt: now() };
  };

  /** There is a place, and nobody stands in line for it. */
  const overtakesNobody = (mail: LeasedMail, domain: string) => {
    const key = sites.keyOf(domain);
    if (key === null) void learn(domain);
    if (key === null || left.waiting.has(mail.class)) return false;
    const ways = waysTo(key, domain, mail);
    if (ways.some(({ source }) => lines.has(lineOf(key, source)))) return false;
    return hasPlaceFor(mail.class, mail.tenantId) && refusalOfAll(ways, now()) === null;
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
      const key = sites.keyOf(lane.destination);
      if (key === null) {
        lines.join(unknown(lane.destination), lane);
        void learn(lane.destination);
        return { until: now() + limits.fullSiteLookMs, expireBefore: null };
      }
      const ways = waysTo(key, lane.destination, lane);
      const refusal = refusalOfAll(ways, now());
      if (refusal?.why === 'full') lines.join(lineOf(key, ways[0]?.source ?? null), lane);
      return refusal;
    },
    release({ key, source, destination, tenantId, class: mailClass, begunAt }, news) {
      const line = lineOf(key, source);
      sites.site(key, destination, source).end(key === 'rehearsal' ? 'silent' : news, begunAt, now());
      byLine.add(line, -1);
      byTenant.add(tenantId, -1);
      byClass.add(mailClass, -1);
      open -= 1;
      lines.wake(line);
      if (byLine.of(line) === 0) lines.dissolve(line);
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

/** The ways to a site that the mail of a tenant may take. */
function createWays(
  sites: Sites,
  sources = systemsChoice,
): (key: string, destination: string, sender: Sender) => Way[] {
  return (key, destination, { tenantId, class: mailClass }) =>
    (key === 'rehearsal' ? [null] : sources.of(tenantId, mailClass))
      .map((source) => ({ source, site: sites.site(key, destination, source) }))
      .sort(byUse);
}

function sharesOf({ attempts }: LeaseBounds): { ofTenant: number; ofBulk: number } {
  return {
    ofTenant: Math.max(1, Math.floor(attempts * limits.placesOfOneTenant)),
    ofBulk: Math.max(1, Math.floor(attempts * limits.placesOfBulk)),
  };
}

/** The one with the fewest attempts first, of several the one that has not been used for longest. */
function byUse({ site: a }: Way, { site: b }: Way): number {
  return a.open - b.open || a.usedAt - b.usedAt;
}

function freeWay(ways: readonly Way[], now: number): Way {
  const way = ways.find(({ site }) => site.refusalAt(now) === null) ?? ways[0];
  assert(way !== undefined, 'mail may leave from somewhere');
  return way;
}

/** Null: one of the ways is free. A place at a site that is full may become free before the time. */
function refusalOfAll(ways: readonly Way[], now: number): SiteRefusal | null {
  const refusals = ways.map(({ site }) => site.refusalAt(now)).filter((refusal) => refusal !== null);
  if (refusals.length < ways.length) return null;
  const soonestFirst = refusals.sort((a, b) => a.until - b.until);
  return soonestFirst.find(({ why }) => why === 'full') ?? soonestFirst[0] ?? null;
}

type Sender = Pick<LeasedMail, 'tenantId' | 'class'>;

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
