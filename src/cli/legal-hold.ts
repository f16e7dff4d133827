/** Legal holds as the commands show them. */
import { relayIdOf } from '../base/id.ts';
import { retentionIn } from '../office-ledger.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createSettings, type LegalHold, type UpkeepSettings } from '../upkeep/upkeep.ts';
import type { Installation } from './installation.ts';

export function settingsOf({ store, config, clock }: Installation): UpkeepSettings {
  return createSettings(store, retentionIn(config), clock);
}

export interface HoldEntry {
  id: number;
  tenant: string;
  kind: LegalHold['kind'];
  subject: string;
  note: string;
  createdAt: number;
}

export const holdShape = '{"id","tenant","kind","subject","note","createdAt"}';

export function holdEntry(
  { id, tenantId, kind, subject, note, createdAt }: LegalHold,
  tenants: Tenants,
): HoldEntry {
  return {
    id,
    tenant: tenants.tenant(tenantId)?.name ?? String(tenantId),
    kind,
    subject: kind === 'mail' ? relayIdOf(Number(subject)) : subject,
    note,
    createdAt,
  };
}
