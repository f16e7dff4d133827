/** Tenants, streams, sending domains. */
import type { Clock } from '../base/clock.ts';
import { parseDomain } from '../protocol/address/domain.ts';
import { isReservedDomain } from '../protocol/address/reserved.ts';
import { integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';
import type { Named, SendingDomain, Stream, Tenant, Tenants } from './tenants.ts';

type Register = Pick<
  Tenants,
  | 'createTenant'
  | 'tenants'
  | 'tenant'
  | 'tenantNamed'
  | 'streams'
  | 'stream'
  | 'addSendingDomain'
  | 'verifySendingDomain'
  | 'sendingDomains'
  | 'sendingDomainOwners'
>;

/**
 * Whose the mail of the installation itself is, such as notifications to senders: it is in no tenant's log and in no
 * number. No tenant can have this name or id.
 */
export const installationTenant: Tenant = { id: 0, name: '_installation', zone: 'UTC', createdAt: 0 };

const firstStreamId = 10_001;
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function createRegister(store: Store, clock: Clock): Register {
  return {
    createTenant(request) {
      const { name, zone = 'UTC' } = request;
      if (!namePattern.test(name)) {
        return refused(`"${name}" is no tenant name: use 1 to 63 lower-case letters, digits and hyphens`);
      }
      if (!isZone(zone)) return refused(`"${zone}" is no IANA time zone, such as Europe/Vienna`);
      return store.transaction(() => {
        if (store.get('SELECT 1 FROM tenants WHERE name = ?', name))
          return refused(`tenant ${name} exists already`);
        const createdAt = clock.now();
        const { lastId } = store.run(
          'INSERT INTO tenants (name, zone, created_at) VALUES (?, ?, ?)',
          name,
          zone,
          createdAt,
        );
        const tenant = { id: lastId, name, zone, createdAt };
        return { ok: true, value: { tenant, stream: addStream(store, lastId, name) } };
      });
    },
    tenants: () => store.all('SELECT * FROM tenants ORDER BY id').map(tenantOf),
    tenant: (id) =>
      id === installationTenant.id
        ? installationTenant
        : mapped(store.get('SELECT * FROM tenants WHERE id = ?', id), tenantOf),
    tenantNamed: (name) => mapped(store.get('SELECT * FROM tenants WHERE name = ?', name), tenantOf),
    streams: (tenantId) =>
      store.all('SELECT * FROM streams WHERE tenant_id = ? ORDER BY id', tenantId).map(streamOf),
    stream: (id) => mapped(store.get('SELECT * FROM streams WHERE id = ?', id), streamOf),
    addSendingDomain(tenantId, domain) {
      const parsed = parseDomain(domain);
      if (!parsed.ok) return refused(`"${domain}" is no domain name: ${parsed.problem}`);
      return store.transaction(() =>
        addSendingDomain(store, { tenantId, domain: parsed.domain, now: clock.now() }),
      );
    },
    verifySendingDomain: (tenantId, domain) =>
      store.run(
        'UPDATE sending_domains SET verified_at = coalesce(verified_at, ?) WHERE tenant_id = ? AND domain = ?',
        clock.now(),
        tenantId,
        domain,
      ).changes > 0,
    sendingDomains: (tenantId) =>
      store
        .all('SELECT * FROM sending_domains WHERE tenant_id = ? ORDER BY domain', tenantId)
        .map(sendingDomainOf),
    sendingDomainOwners: (domain) =>
      store.all('SELECT * FROM sending_domains WHERE domain = ?', domain.toLowerCase()).map(sendingDomainOf),
  };
}

function addStream(store: Store, tenantId: number, name: string): Stream {
  const highest = store.get('SELECT coalesce(max(id), ?) AS id FROM streams', firstStreamId - 1);
  const id = highest ? integer(highest, 'id') + 1 : firstStreamId;
  store.run(
    "INSERT INTO streams (id, tenant_id, name, state) VALUES (?, ?, ?, 'active')",
    id,
    tenantId,
    name,
  );
  return { id, tenantId, name, state: 'active' };
}

function addSendingDomain(
  store: Store,
  add: { tenantId: number; domain: string; now: number },
): Named<SendingDomain> {
  const { tenantId, domain, now } = add;
  const reserved = isReservedDomain(domain);
  const owners = store.all('SELECT * FROM sending_domains WHERE domain = ?', domain).map(sendingDomainOf);
  if (owners.some((owner) => owner.tenantId === tenantId))
    return refused(`the tenant has domain ${domain} already`);
  if (owners.length > 0 && !reserved) return refused(`domain ${domain} belongs to another tenant`);
  const verifiedAt = reserved ? now : null;
  store.run(
    'INSERT INTO sending_domains (domain, tenant_id, verified_at) VALUES (?, ?, ?)',
    domain,
    tenantId,
    verifiedAt,
  );
  return { ok: true, value: { domain, tenantId, verifiedAt } };
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function tenantOf(row: Row): Tenant {
  return {
    id: integer(row, 'id'),
    name: text(row, 'name'),
    zone: text(row, 'zone'),
    createdAt: integer(row, 'created_at'),
  };
}

function streamOf(row: Row): Stream {
  const state = text(row, 'state') === 'active' ? 'active' : 'suspended';
  return { id: integer(row, 'id'), tenantId: integer(row, 'tenant_id'), name: text(row, 'name'), state };
}

function sendingDomainOf(row: Row): SendingDomain {
  return {
    domain: text(row, 'domain'),
    tenantId: integer(row, 'tenant_id'),
    verifiedAt: integerOrNull(row, 'verified_at'),
  };
}

export function mapped<T>(row: Row | undefined, map: (row: Row) => T): T | null {
  return row === undefined ? null : map(row);
}

function refused(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}
