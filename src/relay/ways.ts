/**
 * The ways that the mail of a tenant may take to a site: one for each source of its pool, with limits, back-off and
 * warm-up of its own.
 */
import { assert } from '../base/assert.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Site, SiteRefusal } from './site.ts';
import type { Sites } from './sites.ts';
import { type Source, type Sources, systemsChoice } from './sources.ts';
import type { Allowance, WarmUps } from './warm-ups.ts';

export interface Way {
  source: Source | null;
  site: Site;
  /** Null: the source is not being warmed up. */
  allowance: Allowance | null;
}

export interface WayRefusal extends Omit<SiteRefusal, 'why'> {
  why: SiteRefusal['why'] | 'warm-up';
}

export interface WaysDeps {
  sites: Sites;
  /** Absent: the system chooses where connections come from. */
  sources?: Sources;
  /** Absent: no source is warmed up. */
  warmUps?: WarmUps | undefined;
}

export interface Sender {
  tenantId: number;
  class: MailClass;
}

/** The one with the fewest attempts first, of several the one that has not been used for longest. */
export function createWays({
  sites,
  sources = systemsChoice,
  warmUps,
}: WaysDeps): (key: string, destination: string, sender: Sender) => Way[] {
  return (key, destination, { tenantId, class: mailClass }) =>
    (key === 'rehearsal' ? [null] : sources.of(tenantId, mailClass))
      .map((source) => ({
        ...{ source, site: sites.site(key, destination, source) },
        allowance: (source && warmUps?.allowance(source, key)) ?? null,
      }))
      .sort(byUse);
}

function byUse({ site: a }: Way, { site: b }: Way): number {
  return a.open - b.open || a.usedAt - b.usedAt;
}

export function freeWay(ways: readonly Way[], mailClass: MailClass, now: number): Way {
  const way = ways.find((one) => refusalOf(one, mailClass, now) === null) ?? ways[0];
  assert(way !== undefined, 'mail may leave from somewhere');
  return way;
}

/** Null: one of the ways is free. A place at a site that is full may become free before the time. */
export function refusalOfAll(ways: readonly Way[], mailClass: MailClass, now: number): WayRefusal | null {
  const refusals = ways.map((way) => refusalOf(way, mailClass, now)).filter((refusal) => refusal !== null);
  if (refusals.length < ways.length) return null;
  const soonestFirst = refusals.sort((a, b) => a.until - b.until);
  return soonestFirst.find(({ why }) => why === 'full') ?? soonestFirst[0] ?? null;
}

function refusalOf({ site, allowance }: Way, mailClass: MailClass, now: number): WayRefusal | null {
  if (allowance === null || allowance.left(mailClass) > 0) return site.refusalAt(now);
  return { why: 'warm-up', until: allowance.until, expireBefore: null };
}
