/** Facts of a delivery as they are before anything happened to it. */
import type { Clock } from '../base/clock.ts';
import type { DeliveryFacts } from '../events/event.ts';
import { domainOf } from '../protocol/address/address.ts';
import { providerOf } from './provider.ts';
import { expiryOf, type RetryPlan } from './retry.ts';

export function newDelivery(
  path: Pick<DeliveryFacts, 'n' | 'forwardPath' | 'displayName'>,
  acceptedAt: number,
  { node, plan, clock }: { node: string; plan: RetryPlan; clock: Clock },
): DeliveryFacts {
  const domain = domainOf(path.forwardPath);
  return {
    ...path,
    domain,
    provider: providerOf(domain),
    state: 'queued',
    stateAt: acceptedAt,
    attempts: 0,
    deferrals: 0,
    firstAttemptAt: null,
    lastAttemptAt: null,
    deliveredAt: null,
    // Not the time in the id: after the clock was set back, ids run ahead of it.
    nextAttemptAt: clock.now(),
    expiresAt: expiryOf(plan, acceptedAt),
    leased: false,
    reason: null,
    replyCode: null,
    enhancedStatus: '',
    diagnostic: '',
    remoteMta: '',
    remoteMtaAddress: '',
    sendingIp: '',
    node,
  };
}
