/** What becomes of a delivery after an attempt. Pure: the verdict in, the new facts and the event out. */
import { unreachable } from '../base/assert.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, EventType } from '../events/event.ts';
import { expiryOf, type RetryPlan, waitAfter } from './retry.ts';

export interface Decision {
  type: Extract<EventType, 'delivered' | 'deferred' | 'failed' | 'expired' | 'canceled'>;
  facts: DeliveryFacts;
}

interface Circumstances {
  now: number;
  /** Asked for a deferral only. */
  plan: () => RetryPlan;
  /** Someone canceled the delivery while the attempt was under way. */
  cancelRequested: boolean;
}

export function decide(
  before: DeliveryFacts,
  status: DeliveryStatus,
  circumstances: Circumstances,
): Decision {
  const { now } = circumstances;
  const facts = { ...before, ...verdictFacts(before, status), leased: false, stateAt: now };
  switch (status.outcome) {
    case 'delivered':
      return end({ ...facts, deliveredAt: now }, 'delivered');
    case 'failed':
      return end(facts, 'failed');
    case 'deferred':
      return deferred({ ...facts, deferrals: before.deferrals + 1 }, circumstances);
    default:
      return unreachable(status.outcome);
  }
}

function deferred(facts: DeliveryFacts, { now, plan, cancelRequested }: Circumstances): Decision {
  if (cancelRequested) return end({ ...facts, reason: 'canceled' }, 'canceled');
  const schedule = plan();
  const waitMs = waitAfter(schedule, facts.deferrals);
  if (waitMs === null) return end({ ...facts, reason: 'old' }, 'expired');
  const nextAttemptAt = now + waitMs;
  const expiresAt = expiryOf(schedule, nextAttemptAt, facts.deferrals);
  return { type: 'deferred', facts: { ...facts, state: 'deferred', nextAttemptAt, expiresAt } };
}

function end(facts: DeliveryFacts, state: 'delivered' | 'failed' | 'expired' | 'canceled'): Decision {
  return { type: state, facts: { ...facts, state, nextAttemptAt: null } };
}

function verdictFacts(before: DeliveryFacts, status: DeliveryStatus): Partial<DeliveryFacts> {
  return {
    reason: status.reason,
    replyCode: status.reply?.code ?? null,
    enhancedStatus: status.enhancedStatus.value,
    diagnostic: status.diagnostic,
    remoteMta: status.remoteMta?.name ?? before.remoteMta,
    remoteMtaAddress: status.remoteMta?.address ?? before.remoteMtaAddress,
    sendingIp: status.sendingIp || before.sendingIp,
  };
}
