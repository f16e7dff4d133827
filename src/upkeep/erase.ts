/**
 * Takes one person out of everything that is kept: ledger, queue, spool, suppression lists. The order matters: what
 * is in the store goes through the outbox into the ledger first, and leaves the store; then the ledger is changed.
 * Mail that is still on its way keeps its addresses, so it has to leave before.
 */
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { ErasedCounts } from '../ledger/ledger.ts';
import type { Work } from './work.ts';

export interface EraseRequest {
  preview: boolean;
  /** As people write it. */
  address: string;
  /** Absent: of every tenant. */
  tenantId?: number;
}

export interface Erased extends ErasedCounts {
  preview: boolean;
  suppressions: number;
  /** Why nothing was erased: mails that name the address and are still queued, by relay id. */
  queued: string[];
  /** Tenants and mails that are held: nothing of them was changed. */
  heldTenants: number[];
  heldMails: number;
}

export async function erase(
  work: Work,
  { preview, address: given, tenantId }: EraseRequest,
): Promise<Erased> {
  const { ledger, tenants, settings, hold } = work;
  const address = given.toLowerCase();
  const wanted = tenantId === undefined ? tenants.tenants().map(({ id }) => id) : [tenantId];
  const held = heldBy(settings.holds(), wanted, address);
  const tenantIds = wanted.filter((id) => !held.tenants.includes(id));
  const erasure = {
    ...{ tenantIds, address, spared: held.mails, hold },
    erased: new Map(tenantIds.map((id) => [id, tenants.erasedAddress(id, address)])),
  };
  const outcome = {
    preview,
    suppressions: 0,
    queued: [],
    heldTenants: held.tenants,
    heldMails: held.mails.length,
  };
  if (tenantIds.length === 0) return { ...outcome, events: 0, deliveries: 0 };
  const queued = await leaveStore(work, tenantIds, address);
  if (preview || queued.length > 0) {
    return { ...outcome, ...(await ledger.maintenance.countErasable(erasure)), queued };
  }
  const suppressions = tenantIds.reduce((sum, id) => sum + tenants.eraseSuppressed(id, address), 0);
  return { ...outcome, ...(await ledger.maintenance.erase(erasure)), suppressions };
}

function heldBy(
  holds: ReturnType<Work['settings']['holds']>,
  tenantIds: readonly number[],
  address: string,
): { tenants: number[]; mails: number[] } {
  const ofThese = holds.filter((hold) => tenantIds.includes(hold.tenantId));
  const whole = ofThese.filter(
    ({ kind, subject }) => kind === 'tenant' || (kind === 'address' && subject === address),
  );
  return {
    tenants: [...new Set(whole.map(({ tenantId }) => tenantId))],
    mails: ofThese.filter(({ kind }) => kind === 'mail').map(({ subject }) => Number(subject)),
  };
}

/**
 * Brings what the outbox holds into the ledger and waits, within a bound, until ended mails that name the address have
 * been cleared. Returns those that are left, by relay id.
 */
async function leaveStore(
  { open, clock, catchUp }: Work,
  tenantIds: number[],
  address: string,
): Promise<string[]> {
  const giveUpAt = clock.now() + limits.eraseClearMs;
  await catchUp(limits.ledgerCatchUpMs);
  let naming = open.naming(tenantIds, address);
  while (naming.length > 0 && naming.every((mail) => !mail.open) && clock.now() < giveUpAt) {
    await clock.sleep(limits.eraseLookMs);
    await catchUp(limits.ledgerCatchUpMs);
    naming = open.naming(tenantIds, address);
  }
  return naming.map(({ mailId }) => relayIdOf(mailId)).slice(0, limits.eraseNamedMails);
}
