/**
 * Lets go what waits for a quota once its window has opened, oldest first. The tenants take turns: a large backlog of
 * one is released in portions, each a transaction.
 */
import { limits } from '../base/limits.ts';
import { type ReleaseDeps, releaseDelivery } from './hold.ts';

/** Resolves with the number that was let go. */
export async function releaseWithinQuotas(deps: ReleaseDeps): Promise<number> {
  let released = 0;
  for (let waiting = deps.queue.tenantsHeldFor(); waiting.length > 0; ) {
    const again: number[] = [];
    for (const tenantId of waiting) {
      const count = await deps.commit.run(() => releaseSome(tenantId, deps));
      released += count;
      if (count === limits.releasedDeliveries) again.push(tenantId);
    }
    waiting = again;
  }
  return released;
}

function releaseSome(tenantId: number, { clock, queue, tenants }: ReleaseDeps): number {
  const waiting = queue.heldFor(tenantId, limits.releasedDeliveries + 1);
  const count = tenants.takeForRelease(tenantId, Math.min(waiting.length, limits.releasedDeliveries));
  for (const id of waiting.slice(0, count)) releaseDelivery(queue, id, clock.now());
  if (count === waiting.length) tenants.setBacklog(tenantId, false);
  return count;
}
