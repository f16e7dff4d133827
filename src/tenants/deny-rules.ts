/**
 * What a tenant has forbidden itself: senders (by domain, by address, by the beginning of the local part) and
 * destinations. A mail is compared by its keys, so that a thousand rules cost as much as one.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { domainOf, parseAddress } from '../protocol/address/address.ts';
import { parseDomain } from '../protocol/address/domain.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';
import { mapped } from './register.ts';
import type { Named } from './tenants.ts';

export const denyRuleTypes = ['domain', 'email', 'startswith', 'destination'] as const;
/**
 * `domain`, `email`, `startswith` look at the sender (a domain with the names below it, an address, the beginning of
 * a local part); `destination` at the recipient (an address, or a domain with the names below it).
 */
export type DenyRuleType = (typeof denyRuleTypes)[number];

export interface DenyRule {
  id: number;
  tenantId: number;
  type: DenyRuleType;
  /** Lower case. */
  data: string;
  createdAt: number;
}

export interface DenyRules {
  /** A rule that is there already is returned as it is. */
  addDenyRule(rule: Pick<DenyRule, 'tenantId' | 'type' | 'data'>): Named<DenyRule>;
  /** In the order they were made; null: of every tenant. */
  denyRules(tenantId: number | null): DenyRule[];
  /** False if the tenant has no such rule. */
  removeDenyRule(tenantId: number, id: number): boolean;
  /** A rule that forbids mail of one of these senders. */
  denyRuleForSenders(tenantId: number, addresses: readonly string[]): DenyRule | null;
  denyRuleForDestination(tenantId: number, address: string): DenyRule | null;
}

type Key = readonly [DenyRuleType, string];

const matching = `SELECT rules.* FROM json_each(?) AS keys CROSS JOIN deny_rules AS rules
  ON rules.tenant_id = ? AND rules.type = keys.value ->> 0 AND rules.data = keys.value ->> 1
  ORDER BY rules.id LIMIT 1`;

export function createDenyRules(store: Store, clock: Clock): DenyRules {
  const find = (tenantId: number, keys: readonly Key[]) =>
    keys.length === 0 ? null : mapped(store.get(matching, JSON.stringify(keys), tenantId), ruleOf);
  const same = ({ tenantId, type, data }: Pick<DenyRule, 'tenantId' | 'type' | 'data'>) =>
    mapped(
      store.get(
        'SELECT * FROM deny_rules WHERE tenant_id = ? AND type = ? AND data = ?',
        tenantId,
        type,
        data,
      ),
      ruleOf,
    );
  return {
    addDenyRule({ tenantId, type, data: given }) {
      const data = ruleData(type, given);
      if (data === null) return { ok: false, problem: `"${given}" is no data for a rule "${type}"` };
      return store.transaction(() => {
        const known = same({ tenantId, type, data });
        if (known) return { ok: true, value: known };
        const count = store.get('SELECT count(*) AS n FROM deny_rules WHERE tenant_id = ?', tenantId);
        if (count && integer(count, 'n') >= limits.denyRulesPerTenant) {
          return { ok: false, problem: `a tenant has ${limits.denyRulesPerTenant} rules at most` };
        }
        const createdAt = clock.now();
        const { lastId } = store.run(
          'INSERT INTO deny_rules (tenant_id, type, data, created_at) VALUES (?, ?, ?, ?)',
          ...[tenantId, type, data, createdAt],
        );
        return { ok: true, value: { id: lastId, tenantId, type, data, createdAt } };
      });
    },
    denyRules: (tenantId) =>
      store
        .all('SELECT * FROM deny_rules WHERE tenant_id = coalesce(?, tenant_id) ORDER BY id', tenantId)
        .map(ruleOf),
    removeDenyRule: (tenantId, id) =>
      store.run('DELETE FROM deny_rules WHERE tenant_id = ? AND id = ?', tenantId, id).changes > 0,
    denyRuleForSenders: (tenantId, addresses) => find(tenantId, addresses.flatMap(senderKeys)),
    denyRuleForDestination: (tenantId, address) => find(tenantId, destinationKeys(address)),
  };
}

/** Null: not what a rule of this type looks at. */
function ruleData(type: DenyRuleType, given: string): string | null {
  const text = given.trim().toLowerCase();
  if (type === 'startswith') return /^[a-z0-9+_.-]{1,64}$/.test(text) ? text : null;
  if (type === 'email' || (type === 'destination' && text.includes('@'))) {
    const parsed = parseAddress(text);
    return parsed.ok ? `${parsed.localPart.toLowerCase()}@${parsed.domain}` : null;
  }
  const parsed = parseDomain(text);
  return parsed.ok ? parsed.domain : null;
}

/** Every datum of a rule that would mean this sender. */
function senderKeys(address: string): Key[] {
  const domain = domainOf(address);
  if (domain === '') return [];
  const localPart = address.slice(0, address.lastIndexOf('@')).toLowerCase();
  const beginnings = Array.from({ length: Math.min(localPart.length, limits.localPartBytes) }, (_, index) =>
    localPart.slice(0, index + 1),
  );
  return [
    ['email', `${localPart}@${domain}`],
    ...namesOf(domain).map((name): Key => ['domain', name]),
    ...beginnings.map((beginning): Key => ['startswith', beginning]),
  ];
}

function destinationKeys(address: string): Key[] {
  const domain = domainOf(address);
  if (domain === '') return [];
  const localPart = address.slice(0, address.lastIndexOf('@')).toLowerCase();
  return [`${localPart}@${domain}`, ...namesOf(domain)].map((data): Key => ['destination', data]);
}

/** The domain and those above it. */
function namesOf(domain: string): string[] {
  if (domain.startsWith('[')) return [domain];
  const labels = domain.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

function ruleOf(row: Row): DenyRule {
  return {
    id: integer(row, 'id'),
    tenantId: integer(row, 'tenant_id'),
    type: denyRuleTypes.find((type) => type === row['type']) ?? 'email',
    data: text(row, 'data'),
    createdAt: integer(row, 'created_at'),
  };
}
