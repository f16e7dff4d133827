/** Proves the ledger: the projections and the queue against the events, and the chain of batches if asked. */
import { limits } from '../base/limits.ts';
import type { ChainVerified, Compared } from '../ledger/ledger.ts';
import type { OnProgress } from './jobs.ts';
import type { Work } from './work.ts';

export interface Verified {
  ok: boolean;
  counts: Compared & { tenants: Record<number, string> };
  /** Null: not asked for. */
  chain: Omit<ChainVerified, 'proved'> | null;
}

/** Of the chain of batches: nothing, what came since it was walked last, or everything. */
export type ChainPart = 'nothing' | 'new' | 'everything';

export async function verify(work: Work, part: ChainPart, onProgress: OnProgress): Promise<Verified> {
  const { ledger, hold, open, tenants, node } = work;
  await work.catchUp(limits.ledgerCatchUpMs);
  const counts = await ledger.maintenance.compare({
    hold,
    queue: {
      node: node.number,
      counts: () => (open.countWaitingEvents() > limits.verifyWaitingEvents ? null : open.openByHour()),
    },
    onProgress,
  });
  const chain = part === 'nothing' ? null : await walkChain(work, part, onProgress);
  const named = Object.fromEntries(
    counts.differences.map(({ tenantId }) => [tenantId, tenants.tenant(tenantId)?.name ?? String(tenantId)]),
  );
  const ok = counts.differences.length === 0 && (chain?.problems.length ?? 0) === 0;
  return { ok, counts: { ...counts, tenants: named }, chain };
}

async function walkChain(
  { ledger, hold, node, outbox, proved }: Work,
  part: ChainPart,
  onProgress: OnProgress,
): Promise<Verified['chain']> {
  const own = { node: node.name, appendedTo: () => outbox.cursor().appendedTo };
  const from = part === 'new' ? proved.read() : [];
  const walked = await ledger.maintenance.verifyChain({ hold, own, from, onProgress });
  if (walked === null) return null;
  proved.write(walked.proved);
  return { nodes: walked.nodes, problems: walked.problems };
}
