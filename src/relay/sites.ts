/**
 * All sites: which one takes the mail of a domain, and how each answers. A site is a set of MX hosts, so domains that
 * share them share limits and back-off. It is asked for before the first attempt and remembered, within bounds; as long as
 * the DNS does not tell, a domain stands for itself. In memory: a start begins with caution.
 */
import { limits } from '../base/limits.ts';
import { isMxKey, type NextHop, routeKey, routeOf } from './route.ts';
import { plainTable, ruleFor, type Shaping, type ShapingTable, shapingOf, siteKey } from './shaping.ts';
import { Site, type SiteBounds } from './site.ts';
import { nameOf, type Source } from './sources.ts';
import type { FindTargets } from './targets.ts';

export interface SiteSnapshot {
  site: string;
  /** The source address it is seen from; null: the system's choice. */
  source: string | null;
  open: number;
  limit: number;
  backOffUntil: number | null;
}

export interface Sites {
  /** Null: not known yet. Then `learn` asks. */
  keyOf(destination: string): string | null;
  /** Resolves when `keyOf` has an answer. False if too many are being asked for: then nothing was asked. */
  learn(destination: string): Promise<boolean>;
  /** With its limits as they are known by that destination. From each source it is another one. */
  site(key: string, destination: string, source: Source | null): Site;
  shapingOf(destination: string): Shaping;
  /** The same look-ups, with what they find remembered. */
  watching(find: FindTargets): FindTargets;
  /** Sites with something under way or a back-off. */
  snapshot(): SiteSnapshot[];
}

export interface SitesDeps {
  now(): number;
  nextHop: NextHop | null;
  findTargets: FindTargets;
  bounds: { attempts: number; perDestination: number };
  table?: ShapingTable | undefined;
}

interface Known {
  key: string;
  rule: string | null;
  until: number;
}

export function createSites({ now, nextHop, findTargets, bounds, table = plainTable }: SitesDeps): Sites {
  const known = new Map<string, Known>();
  const sites = new Map<string, { site: Site; key: string; source: string | null }>();
  const asked = new Map<string, Promise<boolean>>();

  const remember = (domain: string, hosts: readonly string[] | null) => {
    const rule = ruleFor(table, domain, hosts ?? []);
    const forMs = hosts === null ? limits.unknownSiteMs : limits.siteOfDomainMs;
    known.delete(domain);
    known.set(domain, {
      key: hosts === null ? domain : siteKey(rule, domain, hosts),
      rule: rule?.name ?? null,
      until: now() + forMs,
    });
    const [oldest] = known.keys();
    if (known.size > limits.domainsWithSite && oldest !== undefined) known.delete(oldest);
  };

  const watching = (find: FindTargets): FindTargets => ({
    ...find,
    async mx(domain) {
      const found = await find.mx(domain);
      remember(domain, found.ok ? found.targets.map(({ name }) => name) : null);
      return found;
    },
  });
  const asking = watching(findTargets);

  const ask = async (domain: string): Promise<boolean> => {
    await asking.mx(domain).catch(() => remember(domain, null));
    asked.delete(domain);
    return true;
  };

  const knownOf = (domain: string): Known | null => {
    const found = known.get(domain);
    return found && found.until > now() ? found : null;
  };

  const ruleOf = (name: string | null | undefined) => table.rules.find((rule) => rule.name === name) ?? null;

  const shapingTo = (destination: string): Shaping => {
    const route = routeOf(destination, nextHop);
    if (route.kind !== 'mx') return plainTable.default;
    return shapingOf(table, ruleOf(known.get(route.domain)?.rule));
  };

  const boundsOf = (key: string, destination: string): SiteBounds => {
    if (!isMxKey(key)) return { ...ownServer, connections: bounds.attempts, atFirst: bounds.attempts };
    const { connections, rates } = shapingTo(destination);
    return { ...mxHosts, connections: connections ?? bounds.perDestination, rates };
  };

  return {
    keyOf(destination) {
      const route = routeOf(destination, nextHop);
      return route.kind === 'mx' ? (knownOf(route.domain)?.key ?? null) : routeKey(route, destination);
    },
    learn(destination) {
      const route = routeOf(destination, nextHop);
      if (route.kind !== 'mx') return Promise.resolve(true);
      const already = asked.get(route.domain);
      if (already !== undefined) return already;
      if (asked.size >= limits.sitesAskedFor) return Promise.resolve(false);
      const answer = ask(route.domain);
      asked.set(route.domain, answer);
      return answer;
    },
    site(key, destination, from) {
      const source = from && nameOf(from);
      const name = source === null ? key : `${key} from ${source}`;
      const found = sites.get(name);
      if (found) return found.site;
      if (sites.size >= limits.sitesInMemory)
        for (const [old, { site }] of sites) if (site.isForgettable(now())) sites.delete(old);
      const site = new Site(boundsOf(key, destination), now());
      sites.set(name, { site, key, source });
      return site;
    },
    shapingOf: shapingTo,
    watching,
    snapshot: () =>
      [...sites.values()]
        .map(({ site, key, source }) => ({
          ...{ site: key, source, open: site.open, limit: site.limitAt(now()) },
          backOffUntil: site.backOffUntil,
        }))
        .filter(({ open, backOffUntil }) => open > 0 || backOffUntil !== null),
  };
}

const mxHosts = {
  atFirst: limits.siteAttemptsAtFirst,
  firstBackOffMs: limits.firstBackOffMs,
  longestBackOffMs: limits.longestBackOffMs,
};

/** One server that the operator chose: looked at again soon, and trusted with all places until it complains. */
const ownServer = {
  rates: [],
  firstBackOffMs: limits.ownServerFirstBackOffMs,
  longestBackOffMs: limits.ownServerLongestBackOffMs,
};
