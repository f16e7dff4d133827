/**
 * One site as it answers: how many attempts it is given at a time, and from when on again. More after successes, half
 * after trouble (additive increase, multiplicative decrease); nothing for a while after "try later" or repeated
 * connections that failed, each time twice as long, and then one attempt first. Rates are token buckets. No clock of its own.
 */
import { limits } from '../base/limits.ts';
import type { Rate } from './shaping.ts';
import type { SiteNews } from './site-news.ts';

export interface SiteBounds {
  connections: number;
  /** Attempts at a time as long as nothing is known. */
  atFirst: number;
  rates: readonly Rate[];
  firstBackOffMs: number;
  longestBackOffMs: number;
}

export interface SiteRefusal {
  why: 'full' | 'back-off' | 'rate';
  until: number;
  /** During a back-off: what was to end before then has waited long enough for it. */
  expireBefore: number | null;
}

interface BackOff {
  since: number;
  until: number;
  waitMs: number;
}

export class Site {
  #bounds: SiteBounds;
  /** Whole attempts count; the rest is on its way to the next. */
  #limit: number;
  #open = 0;
  #backOff: BackOff | null = null;
  #failures = 0;
  #buckets: Bucket[];
  usedAt = 0;

  constructor(bounds: SiteBounds, now: number) {
    this.#bounds = bounds;
    this.#limit = Math.min(bounds.connections, bounds.atFirst);
    this.#buckets = bounds.rates.map((rate) => new Bucket(rate, now));
  }

  get open(): number {
    return this.#open;
  }

  /** Attempts it may have now. */
  limitAt(now: number): number {
    if (this.#backOff === null) return Math.floor(this.#limit);
    return now < this.#backOff.until ? 0 : 1;
  }

  get backOffUntil(): number | null {
    return this.#backOff?.until ?? null;
  }

  /** Nothing of it would be missed. */
  isForgettable(now: number): boolean {
    return this.#open === 0 && this.#backOff === null && now - this.usedAt > limits.siteMemoryMs;
  }

  refusalAt(now: number): SiteRefusal | null {
    if (this.#backOff !== null && now < this.#backOff.until)
      return { why: 'back-off', until: this.#backOff.until, expireBefore: now - this.#bounds.firstBackOffMs };
    if (this.#open >= this.limitAt(now))
      return { why: 'full', until: now + limits.fullSiteLookMs, expireBefore: null };
    const until = Math.max(0, ...this.#buckets.map((bucket) => bucket.readyAt(now)));
    return until > now ? { why: 'rate', until, expireBefore: null } : null;
  }

  begin(now: number): void {
    this.#open += 1;
    this.usedAt = now;
    for (const bucket of this.#buckets) bucket.take(now);
  }

  end(news: SiteNews, begunAt: number, now: number): void {
    this.#open -= 1;
    this.usedAt = now;
    // What was under way when the site asked for a rest tells nothing new.
    if (this.#backOff !== null && begunAt < this.#backOff.until) return;
    if (news === 'well') this.#wentWell();
    else if (news !== 'silent') this.#hadTrouble(news, now);
  }

  #wentWell(): void {
    this.#failures = 0;
    if (this.#backOff !== null) {
      this.#backOff = null;
      this.#limit = Math.min(this.#bounds.connections, this.#bounds.atFirst);
      return;
    }
    this.#limit = Math.min(this.#bounds.connections, this.#limit + 1 / Math.floor(this.#limit));
  }

  #hadTrouble(news: Exclude<SiteNews, 'well' | 'silent'>, now: number): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    if (news === 'unreachable') this.#failures += 1;
    const rests =
      news === 'later' || this.#failures >= limits.failuresBeforeBackOff || this.#backOff !== null;
    if (!rests) return;
    const { firstBackOffMs, longestBackOffMs } = this.#bounds;
    const waitMs = this.#backOff ? Math.min(this.#backOff.waitMs * 2, longestBackOffMs) : firstBackOffMs;
    this.#backOff = { since: now, until: now + waitMs, waitMs };
  }
}

/** Holds what a minute gives, at least one; begins with one, since what was sent before the start is not known. */
class Bucket {
  readonly #msPerToken: number;
  readonly #most: number;
  #tokens = 1;
  #at: number;

  constructor({ count, perMs }: Rate, now: number) {
    this.#msPerToken = perMs / count;
    this.#most = Math.max(1, Math.min(count, limits.rateBurstMs / this.#msPerToken));
    this.#at = now;
  }

  readyAt(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? now : now + Math.ceil((1 - this.#tokens) * this.#msPerToken);
  }

  take(now: number): void {
    this.#fill(now);
    this.#tokens -= 1;
  }

  #fill(now: number): void {
    // A clock that went back gives nothing and takes nothing.
    const gained = Math.max(0, now - this.#at) / this.#msPerToken;
    this.#tokens = Math.min(this.#most, this.#tokens + gained);
    this.#at = now;
  }
}
