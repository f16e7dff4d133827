/** What is too old, by the settings of each tenant; and what stays whatever they say. */
import { limits } from '../base/limits.ts';
import type { Removal } from '../ledger/ledger.ts';
import type { Work } from './work.ts';

const dayMs = 86_400_000;

/** Of mails: under legal hold, or still queued. */
export interface Spared {
  tenants: ReadonlySet<number>;
  mails: number[];
}

const startOfDay = (at: number) => Math.floor(at / dayMs) * dayMs;

const aged = [
  { table: 'events', ms: 'eventsMs', bytes: 'eventsBytes' },
  { table: 'deliveries', ms: 'deliveriesMs', bytes: 'deliveriesBytes' },
  { table: 'counters', ms: 'countersMs', bytes: null },
] as const;

/** Tenants with the same horizon go together. `tenantId` absent: all of whom anything is remembered. */
export async function planRemovals(work: Work, spared: Spared, tenantId?: number): Promise<Removal[]> {
  const tenantIds = await tenantsOf(work, spared, tenantId);
  const removals: Removal[] = [];
  for (const { table, ms, bytes } of aged) {
    const groups = new Map<number, number[]>();
    const forAll = bytes === null ? null : await dayBySize(work, table, null, work.standard[bytes]);
    for (const id of tenantIds) {
      const own = work.settings.ownRetention(id);
      const keptMs = work.settings.retentionOf(id)[ms];
      const ofSize = bytes === null ? null : await dayBySize(work, table, id, own[bytes] ?? null);
      const byAge = keptMs === null ? null : startOfDay(work.clock.now() - keptMs);
      const before = Math.max(byAge ?? 0, ofSize ?? 0, forAll ?? 0);
      if (before > 0) groups.set(before, [...(groups.get(before) ?? []), id]);
    }
    for (const [before, ids] of groups) removals.push({ table, tenantIds: ids, before });
  }
  return removals;
}

async function dayBySize(
  { ledger }: Work,
  table: 'events' | 'deliveries',
  tenantId: number | null,
  bytes: number | null,
): Promise<number | null> {
  return bytes === null ? null : ledger.maintenance.dayForSize(table, tenantId, bytes);
}

export interface AgeGroup {
  tenantIds: number[];
  before: number;
}

/** `olderThanMs` stands in for the settings. */
export async function planAnonymising(
  work: Work,
  spared: Spared,
  which: { tenantId?: number; olderThanMs?: number },
): Promise<AgeGroup[]> {
  const groups = new Map<number, number[]>();
  for (const id of await tenantsOf(work, spared, which.tenantId)) {
    const ms = which.olderThanMs ?? work.settings.retentionOf(id).anonymiseMs;
    if (ms === null) continue;
    const before = work.clock.now() - ms;
    groups.set(before, [...(groups.get(before) ?? []), id]);
  }
  return [...groups].map(([before, tenantIds]) => ({ before, tenantIds }));
}

async function tenantsOf({ ledger }: Work, { tenants }: Spared, tenantId?: number): Promise<number[]> {
  const all = tenantId === undefined ? await ledger.maintenance.tenants() : [tenantId];
  return all.filter((id) => !tenants.has(id));
}

/** Everything that is held; with `before` also what is still queued of that age. */
export async function sparedBy(work: Work): Promise<Spared> {
  const holds = work.settings.holds();
  const tenants = new Set(holds.filter(({ kind }) => kind === 'tenant').map(({ tenantId }) => tenantId));
  const mails = new Set(holds.filter(({ kind }) => kind === 'mail').map(({ subject }) => Number(subject)));
  const addresses = Map.groupBy(
    holds.filter(({ kind }) => kind === 'address'),
    ({ tenantId }) => tenantId,
  );
  for (const [tenantId, ofTenant] of addresses) {
    const subjects = ofTenant.map(({ subject }) => subject);
    for (const mailId of await work.ledger.maintenance.mailsTo(tenantId, subjects)) mails.add(mailId);
  }
  const open = work.open.openBefore(work.clock.now(), limits.heldMails + 1);
  if (open.length > limits.heldMails) {
    throw new Error(
      `more than ${limits.heldMails} mails are in the queue; nothing is removed before it is shorter`,
    );
  }
  for (const mailId of open) mails.add(mailId);
  return { tenants, mails: [...mails] };
}
