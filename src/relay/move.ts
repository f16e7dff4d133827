/** Deliveries that an operator sends another way: to a next hop, by MX, or back to the way that is configured. */
import { openStates } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import { destinationOf, type Via } from './route.ts';

export type MoveResult = 'moved' | 'requested' | 'ended' | 'unknown';

/**
 * What has not ended goes the other way from its next attempt on, whenever that is due. `requested`: an attempt is under
 * way and is not broken off. To be called within a transaction.
 */
export function moveDelivery(queue: Queue, id: { mailId: number; n: number }, via: Via): MoveResult {
  const { facts } = queue.delivery(id.mailId, id.n) ?? {};
  if (!facts) return 'unknown';
  if (!openStates.includes(facts.state)) return 'ended';
  queue.redirect(id.mailId, id.n, destinationOf(facts.domain, via));
  return facts.leased ? 'requested' : 'moved';
}
