/** Removes mails whose deliveries have all ended and whose events the ledger has, with their content. */
import { crashPoint } from '../base/crash-point.ts';
import type { Log } from '../base/log.ts';
import type { Queue } from '../queue/queue.ts';
import type { Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';

const mailsPerTransaction = 500;

export interface ClearDeps {
  queue: Queue;
  spool: Spool;
  commit: GroupCommit;
  log: Log;
}

/** Returns how many were removed. A store that refuses is asked again later. */
export async function clearEnded(deps: ClearDeps): Promise<number> {
  const { queue, spool, commit, log } = deps;
  let cleared = 0;
  try {
    for (;;) {
      const count = await commit.run(() => clearSome(deps));
      cleared += count;
      if (count < mailsPerTransaction) break;
    }
    if (cleared > 0) {
      crashPoint('cleared');
      spool.sweep();
    }
  } catch (fault) {
    log.error({ fault, open: queue.count({}) }, 'ended mails could not be cleared');
  }
  return cleared;
}

function clearSome({ queue, spool }: ClearDeps): number {
  const ended = queue.clearable(mailsPerTransaction);
  for (const { mailId, content } of ended) {
    if (content) spool.remove(mailId, content);
    queue.clear(mailId);
  }
  return ended.length;
}
