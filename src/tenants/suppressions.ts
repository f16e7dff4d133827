/**
 * Addresses a tenant does not send to: three lists (bounce, complaint, unsubscribe), each entry for all of the tenant
 * or for one sending domain, for a while or until someone takes it off. And the allow list: addresses and domains
 * that no entry holds for.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import { domainOf, parseAddress } from '../protocol/address/address.ts';
import { parseDomain } from '../protocol/address/domain.ts';
import { integer, integerOrNull, type Row, type Store, text, type Value } from '../store/store.ts';
import { mapped } from './register.ts';
import type { Named } from './tenants.ts';

export const suppressionKinds = ['bounce', 'complaint', 'unsubscribe'] as const;
export type SuppressionKind = (typeof suppressionKinds)[number];

export interface Suppression {
  tenantId: number;
  /** Lower case. */
  address: string;
  kind: SuppressionKind;
  /** The sending domain it holds for; '' for every one of the tenant. */
  domain: string;
  createdAt: number;
  /** Null: until someone takes it off. */
  expiresAt: number | null;
  /** The reply that caused it, or a note of whoever wrote it. */
  detail: string;
}

export type NewSuppression = Pick<Suppression, 'tenantId' | 'address' | 'kind'> &
  Partial<Pick<Suppression, 'domain' | 'createdAt' | 'expiresAt' | 'detail'>>;

export interface SuppressionFilter {
  tenantId?: number;
  address?: string;
  kind?: SuppressionKind;
  domain?: string;
}

export interface Suppressions {
  /** An entry that is there already is only made to last longer. False: the allow list forbids it. */
  suppress(entry: NewSuppression): boolean;
  /** Returns how many entries were taken off. */
  unsuppress(which: SuppressionFilter & { tenantId: number; address: string }): number;
  /** The entry that forbids mail from this sending domain to this address. */
  suppressionOf(tenantId: number, address: string, sendingDomain?: string): Suppression | null;
  /** Those in force, by tenant and address. `after` is the last one of the page before. */
  suppressions(filter: SuppressionFilter, limit: number, after?: Suppression): Suppression[];
  countSuppressions(filter: SuppressionFilter): number;
  /** What stands in the place of an address that was erased. */
  erasedAddress(tenantId: number, address: string): string;
  /**
   * Entries about the address hold on, under its keyed hash: else it would be written to again. Their texts go, and so
   * does its entry in the allow list. Returns how many entries there were.
   */
  eraseSuppressed(tenantId: number, address: string): number;
  /** Removes entries whose time is over; returns how many. */
  forgetExpiredSuppressions(limit: number): number;
  /** `entry`: an address or a domain. */
  neverSuppress(tenantId: number, entry: string): Named<string>;
  /** False if it was not there. */
  endNeverSuppress(tenantId: number, entry: string): boolean;
  /** Ascending. */
  neverSuppressed(tenantId: number): string[];
}

const insert = `INSERT INTO suppressions (tenant_id, address, kind, domain, created_at, expires_at, detail)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant_id, address, kind, domain) DO UPDATE SET
    created_at = iif(expires_at <= excluded.created_at, excluded.created_at, created_at),
    detail = iif(expires_at <= excluded.created_at OR detail = '', excluded.detail, detail),
    expires_at = iif(expires_at IS NULL OR excluded.expires_at IS NULL, NULL, max(expires_at, excluded.expires_at))`;

/** Somebody's wish tells more than a bounce. */
const applying = `SELECT * FROM suppressions
  WHERE tenant_id = ? AND address IN (?, ?) AND domain IN ('', ?) AND (expires_at IS NULL OR expires_at > ?)
    AND NOT EXISTS (SELECT 1 FROM never_suppressed WHERE tenant_id = suppressions.tenant_id AND entry IN (?, ?))
  ORDER BY CASE kind WHEN 'complaint' THEN 1 WHEN 'unsubscribe' THEN 2 ELSE 3 END, domain LIMIT 1`;

export function createSuppressions(store: Store, key: InstallationKey, clock: Clock): Suppressions {
  const erased = (tenantId: number, address: string) => erasedAddress(key, tenantId, comparable(address));
  /** An address and what it is once erased: either may stand in an entry. */
  const where = (filter: SuppressionFilter, now?: number) => {
    const { tenantId, address } = filter;
    const both = tenantId === undefined || address === undefined ? [] : [erased(tenantId, address)];
    return whereOf(filter, both, now);
  };
  const forbidden = (tenantId: number, address: string) =>
    store.get(
      'SELECT 1 FROM never_suppressed WHERE tenant_id = ? AND entry IN (?, ?)',
      ...[tenantId, address, domainOf(address)],
    ) !== undefined;
  return {
    suppress(entry) {
      const { tenantId, kind, domain = '', createdAt = clock.now(), expiresAt = null, detail = '' } = entry;
      const address = comparable(entry.address);
      if (forbidden(tenantId, address)) return false;
      const said = detail.slice(0, limits.suppressionDetailChars);
      store.run(insert, tenantId, address, kind, domain.toLowerCase(), createdAt, expiresAt, said);
      return true;
    },
    unsuppress(which) {
      const { sql, values } = where(which);
      return store.run(`DELETE FROM suppressions WHERE ${sql}`, ...values).changes;
    },
    suppressionOf(tenantId, address, sendingDomain = '') {
      const wanted = comparable(address);
      const values = [
        ...[tenantId, wanted, erased(tenantId, wanted), sendingDomain, clock.now()],
        ...[wanted, domainOf(wanted)],
      ];
      return mapped(store.get(applying, ...values), suppressionOf);
    },
    suppressions(filter, limit, after) {
      const { sql, values } = where(filter, clock.now());
      const { tenantId, address, kind, domain } = after ?? { tenantId: 0, address: '', kind: '', domain: '' };
      return store
        .all(
          `SELECT * FROM suppressions WHERE ${sql} AND (tenant_id, address, kind, domain) > (?, ?, ?, ?)
           ORDER BY tenant_id, address, kind, domain LIMIT ?`,
          ...[...values, tenantId, address, kind, domain, limit],
        )
        .map(suppressionOf);
    },
    countSuppressions(filter) {
      const { sql, values } = where(filter, clock.now());
      const row = store.get(`SELECT count(*) AS count FROM suppressions WHERE ${sql}`, ...values);
      return row ? integer(row, 'count') : 0;
    },
    erasedAddress: erased,
    eraseSuppressed: (tenantId, address) =>
      eraseEntries(store, tenantId, comparable(address), erased(tenantId, address)),
    forgetExpiredSuppressions: (limit) =>
      store.run(
        `DELETE FROM suppressions WHERE (tenant_id, address, kind, domain) IN
         (SELECT tenant_id, address, kind, domain FROM suppressions WHERE expires_at <= ? LIMIT ?)`,
        ...[clock.now(), limit],
      ).changes,
    neverSuppress(tenantId, entry) {
      const key = allowEntry(entry);
      if (key === null) return { ok: false, problem: `"${entry}" is neither a mail address nor a domain` };
      store.run(
        'INSERT INTO never_suppressed (tenant_id, entry, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        ...[tenantId, key, clock.now()],
      );
      return { ok: true, value: key };
    },
    endNeverSuppress: (tenantId, entry) =>
      store.run(
        'DELETE FROM never_suppressed WHERE tenant_id = ? AND entry = ?',
        ...[tenantId, allowEntry(entry) ?? entry],
      ).changes > 0,
    neverSuppressed: (tenantId) =>
      store
        .all('SELECT entry FROM never_suppressed WHERE tenant_id = ? ORDER BY entry', tenantId)
        .map((row) => text(row, 'entry')),
  };
}

/** Entries move from the address to what is left of it. */
function eraseEntries(store: Store, tenantId: number, address: string, erased: string): number {
  return store.transaction(() => {
    const entries = store.all(
      'SELECT * FROM suppressions WHERE tenant_id = ? AND address = ?',
      tenantId,
      address,
    );
    for (const { kind, domain, createdAt, expiresAt } of entries.map(suppressionOf)) {
      store.run(insert, tenantId, erased, kind, domain, createdAt, expiresAt, '');
    }
    store.run('DELETE FROM suppressions WHERE tenant_id = ? AND address = ?', tenantId, address);
    store.run('DELETE FROM never_suppressed WHERE tenant_id = ? AND entry = ?', tenantId, address);
    return entries.length;
  });
}

/** The same for every spelling of the address, and nothing that mail can be sent to (RFC 2606). */
function erasedAddress(key: InstallationKey, tenantId: number, address: string): string {
  const hash = key.tag('erased address', Buffer.from(`${tenantId}:${address}`), 10).toString('hex');
  return `erased-${hash}@erased.invalid`;
}

/** Local parts differ by case in the grammar only; domains are compared in their canonical form. */
function comparable(address: string): string {
  const domain = domainOf(address);
  const lower = address.toLowerCase();
  return domain === '' ? lower : `${lower.slice(0, lower.lastIndexOf('@'))}@${domain}`;
}

function allowEntry(entry: string): string | null {
  if (entry.includes('@')) return parseAddress(entry).ok ? comparable(entry) : null;
  const parsed = parseDomain(entry);
  return parsed.ok ? parsed.domain : null;
}

/** Without `now` also entries whose time is over. */
function whereOf(
  filter: SuppressionFilter,
  also: readonly string[],
  now?: number,
): { sql: string; values: Value[] } {
  const parts: [string, Value | undefined][] = [
    ['tenant_id = ?', filter.tenantId],
    [
      'address IN (SELECT value FROM json_each(?))',
      filter.address === undefined ? undefined : JSON.stringify([comparable(filter.address), ...also]),
    ],
    ['kind = ?', filter.kind],
    ['domain = ?', filter.domain?.toLowerCase()],
    ['(expires_at IS NULL OR expires_at > ?)', now],
  ];
  const given = parts.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
  return {
    sql: ['1', ...given.map(({ sql }) => sql)].join(' AND '),
    values: given.map(({ value }) => value),
  };
}

function suppressionOf(row: Row): Suppression {
  return {
    tenantId: integer(row, 'tenant_id'),
    address: text(row, 'address'),
    kind: suppressionKinds.find((kind) => kind === row['kind']) ?? 'bounce',
    domain: text(row, 'domain'),
    createdAt: integer(row, 'created_at'),
    expiresAt: integerOrNull(row, 'expires_at'),
    detail: text(row, 'detail'),
  };
}
