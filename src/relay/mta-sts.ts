/**
 * Which MTA-STS policy of a domain holds now (RFC 8461 §3.3, §5.1). A policy once fetched holds until its age is over,
 * whatever the DNS or the web server say meanwhile: to make us forget it is what an attacker would try. It is replaced
 * when the record in the DNS has another id, and renewed once a day while it is used.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Resolver } from '../dns/dns.ts';
import { type MtaStsPolicy, parseMtaStsRecords } from '../protocol/mta-sts/mta-sts.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';
import type { FetchPolicy } from './mta-sts-fetch.ts';

export interface MtaStsPolicies {
  /** The policy that holds, also one of mode `none`; null if there is none. */
  of(domain: string): Promise<MtaStsPolicy | null>;
}

export interface MtaStsDeps {
  store: Store;
  resolver: Resolver;
  fetchPolicy: FetchPolicy;
  clock: Clock;
  log: Log;
}

interface KnownPolicy extends MtaStsPolicy {
  id: string;
  fetchedAt: number;
}

export function createMtaStsPolicies(deps: MtaStsDeps): MtaStsPolicies {
  const { store, resolver, clock } = deps;
  const fetches = new Fetches(deps);
  return {
    async of(domain) {
      if (domain.startsWith('[')) return null;
      const known = knownPolicy(store, domain, clock.now());
      const answer = await resolver.txt(`_mta-sts.${domain}`);
      const id = 'found' in answer ? parseMtaStsRecords(answer.found) : null;
      if (id === null) return known;
      if (known?.id !== id) return (await fetches.policy(domain, id)) ?? known;
      if (clock.now() - known.fetchedAt > limits.mtaStsRenewMs) void fetches.policy(domain, id);
      return known;
    },
  };
}

/** At most one at a time for a domain, and none for a while after one that failed. */
class Fetches {
  readonly #deps: MtaStsDeps;
  readonly #underWay = new Map<string, Promise<MtaStsPolicy | null>>();
  /** By domain and id, in the order in which they failed. */
  readonly #failedAt = new Map<string, number>();

  constructor(deps: MtaStsDeps) {
    this.#deps = deps;
  }

  async policy(domain: string, id: string): Promise<MtaStsPolicy | null> {
    const key = `${domain} ${id}`;
    const failedAt = this.#failedAt.get(key);
    if (failedAt !== undefined && this.#deps.clock.now() - failedAt < limits.mtaStsRetryMs) return null;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const fetching = this.#fetch(domain, id).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  async #fetch(domain: string, id: string): Promise<MtaStsPolicy | null> {
    const { fetchPolicy, clock, log } = this.#deps;
    const fetched = await fetchPolicy(domain);
    if ('problem' in fetched) {
      this.#rememberFailure(`${domain} ${id}`);
      log.warn({ domain, problem: fetched.problem }, 'the MTA-STS policy of a domain could not be fetched');
      return null;
    }
    this.#keep(domain, { ...fetched.policy, id, fetchedAt: clock.now() });
    return fetched.policy;
  }

  #rememberFailure(key: string): void {
    this.#failedAt.delete(key);
    this.#failedAt.set(key, this.#deps.clock.now());
    if (this.#failedAt.size <= limits.mtaStsFailures) return;
    const [oldest] = this.#failedAt.keys();
    if (oldest !== undefined) this.#failedAt.delete(oldest);
  }

  /** A disk that takes nothing must not keep mail from being sent. */
  #keep(domain: string, policy: KnownPolicy): void {
    const { store, log } = this.#deps;
    try {
      store.transaction(() => keepPolicy(store, domain, policy));
    } catch (fault) {
      log.error({ fault, domain }, 'the MTA-STS policy of a domain could not be kept');
    }
  }
}

function knownPolicy(store: Store, domain: string, now: number): KnownPolicy | null {
  const row = store.get(
    'SELECT * FROM mta_sts_policies WHERE domain = ? AND expires_at > ?',
    ...[domain, now],
  );
  return row === undefined ? null : policyOf(row);
}

const modes: readonly MtaStsPolicy['mode'][] = ['enforce', 'testing', 'none'];

function policyOf(row: Row): KnownPolicy {
  return {
    id: text(row, 'policy_id'),
    mode: modes.find((mode) => mode === row['mode']) ?? 'none',
    mx: text(row, 'mx')
      .split(' ')
      .filter((pattern) => pattern !== ''),
    maxAgeSeconds: integer(row, 'max_age_seconds'),
    fetchedAt: integer(row, 'fetched_at'),
  };
}

function keepPolicy(
  store: Store,
  domain: string,
  { id, mode, mx, maxAgeSeconds, fetchedAt }: KnownPolicy,
): void {
  store.run(
    `INSERT OR REPLACE INTO mta_sts_policies (domain, policy_id, mode, mx, max_age_seconds, fetched_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[domain, id, mode, mx.join(' '), maxAgeSeconds, fetchedAt, fetchedAt + maxAgeSeconds * 1000],
  );
  store.run('DELETE FROM mta_sts_policies WHERE expires_at <= ?', fetchedAt);
  // More than that nobody needs; those that end soonest go first.
  store.run(
    `DELETE FROM mta_sts_policies WHERE domain IN
       (SELECT domain FROM mta_sts_policies ORDER BY expires_at DESC LIMIT -1 OFFSET ?)`,
    limits.mtaStsPolicies,
  );
}
