/**
 * Puts on record what was refused by policy, so that "why did my mail not go out" has an answer: one `rejected` for each
 * forward-path. Refusals that pass with time (a full quota) are not: the mail is still with the client.
 */
import type { Clock } from '../base/clock.ts';
import { mailIdParts } from '../base/id.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { Reason } from '../events/reason.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { newDelivery } from './new-delivery.ts';
import type { RetryPlan } from './retry.ts';
import type { Submission } from './submission.ts';

export interface RejectionDeps {
  clock: Clock;
  queue: Queue;
  commit: GroupCommit;
}

export async function recordRejection(
  facts: MailFacts,
  deliveries: readonly DeliveryFacts[],
  reason: Reason,
  { clock, queue, commit }: RejectionDeps,
): Promise<void> {
  const { mailId } = facts;
  await commit.run(() => {
    queue.insertMail({ facts, content: null });
    const rejection = { state: 'rejected', reason, nextAttemptAt: null } as const;
    for (const delivery of deliveries) {
      const rejected = { ...delivery, ...rejection, diagnostic: 'refused at submission' };
      const event = { at: clock.now(), delivery: rejected, status: null, engagement: null };
      queue.record({ mailId, type: 'rejected', ...event });
    }
  });
}

/** A forward-path refused at RCPT, before there was any content. */
export type RefusedPath = Omit<Submission, 'content' | 'forwardPaths'> & { forwardPath: string };

/** A record of its own: of the mail no more is known than its envelope. */
export function recordRefusedPath(
  path: RefusedPath,
  sendingDomain: string,
  deps: RejectionDeps & { newMailId(): number; node: string; plan: RetryPlan },
): Promise<void> {
  const mailId = deps.newMailId();
  const { at: acceptedAt } = mailIdParts(mailId);
  const { tenantId, streamId, reversePath, origin, transport, protocol, forwardPath } = path;
  const facts: MailFacts = {
    ...{ mailId, tenantId, streamId, sendingDomain, acceptedAt, reversePath },
    fromField: { address: reversePath, name: '' },
    ...{ toField: '', replyTo: '', subject: '', messageIdField: '', contentBytes: 0, bodyBytes: 0 },
    ...{ origin, transport, protocol, authenticated: true, tags: [], template: '', category: '' },
  };
  const delivery = newDelivery({ n: 1, forwardPath, displayName: '' }, acceptedAt, deps);
  return recordRejection(facts, [delivery], 'deny-rule', deps);
}
