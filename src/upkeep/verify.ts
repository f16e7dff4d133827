/** Proves the ledger: the projections and the queue against the events, and the chain of batches if asked. */
import { limits } from '../base/limits.ts';
import type { ChainVerified, Compared } from '../ledger/ledger.ts';
import type { OnProgress } from './jobs.ts';
import type { Work } from './work.ts';

export interface Verified {
  ok: boolean;
  counts: Compared & { tenants: Record<number, string> };
  /** Null: not asked for. */
  chain: ChainVerified | null;
}

export async function verify(work: Work, withChain: boolean, onProgress: OnProgress): Promise<Verified> {
  const { ledger, hold, open, tenants, outbox, node } = work;
  await work.catchUp(limits.ledgerCatchUpMs);
  const counts = await ledger.maintenance.compare({
    hold,
    queue: {
      node: node.number,
      counts: () => (open.countWaitingEvents() > limits.verifyWaitingEvents ? null : open.openByHour()),
    },
    onProgress,
  });
  const chain = withChain ? await ledger.maintenance.verifyChain({ end: await endOf(), onProgress }) : null;
  const named = Object.fromEntries(
    counts.differences.map(({ tenantId }) => [tenantId, tenants.tenant(tenantId)?.name ?? String(tenantId)]),
  );
  const ok = counts.differences.length === 0 && (chain?.problems.length ?? 0) === 0;
  return { ok, counts: { ...counts, tenants: named }, chain };

  /** Read while nothing is appended: what the cursor says is in the ledger then. */
  function endOf() {
    return hold(async () => ({ node: node.name, appendedTo: outbox.cursor().appendedTo }));
  }
}
