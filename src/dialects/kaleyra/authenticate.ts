/** Who asks: the header `api-key` names the account, the SID in the path must be the same account's. */
import { assert } from '../../base/assert.ts';
import type { Scope } from '../../ledger/ledger.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import { foreignSid, type Refusal, wrongKey } from './errors.ts';

export interface Account {
  ok: true;
  sid: string;
  scope: Scope;
  /** IANA zone of the account's days and times. */
  zone: string;
}

export function authenticate(tenants: Tenants, sid: string, apiKey: string | undefined): Account | Refusal {
  const holder = apiKey ? tenants.credentialBySecret('kaleyra', apiKey) : null;
  if (!holder) return wrongKey;
  if (holder.identifier !== sid) return foreignSid;
  const tenant = tenants.tenant(holder.tenantId);
  assert(tenant, 'a credential belongs to a tenant');
  const { tenantId, streamId } = holder;
  return { ok: true, sid, scope: { tenantId, ...(streamId !== null && { streamId }) }, zone: tenant.zone };
}
