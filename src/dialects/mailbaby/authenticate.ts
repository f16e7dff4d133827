/** Who asks: the header `X-API-KEY` names the account; its mail orders are the streams of the tenant. */
import type { Tenants } from '../../tenants/tenants.ts';

export interface Account {
  tenantId: number;
  /** Ascending. */
  activeOrders: readonly number[];
  /** Every mail of the tenant belongs to an active order. */
  allActive: boolean;
}

export function authenticate(
  tenants: Pick<Tenants, 'credentialBySecret' | 'streams'>,
  apiKey: string | undefined,
): Account | null {
  const holder = apiKey ? tenants.credentialBySecret('mailbaby', apiKey) : null;
  if (!holder) return null;
  const { tenantId, streamId } = holder;
  const streams = tenants.streams(tenantId);
  const active = streams.filter(
    ({ id, state }) => state === 'active' && (streamId === null || id === streamId),
  );
  return {
    tenantId,
    activeOrders: active.map(({ id }) => id),
    allActive: active.length === streams.length,
  };
}
