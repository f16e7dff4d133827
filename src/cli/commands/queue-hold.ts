import { type HoldResult, holdDelivery } from '../../relay/relay.ts';
import { queueChangeCommand } from '../queue-change.ts';

export const queueHoldCommand = queueChangeCommand<HoldResult>({
  verb: 'hold',
  summary: 'Keep deliveries from being tried until they are released',
  description:
    'An attempt that is under way is not broken off: if it succeeds, the mail is delivered, else it is held instead of ' +
    'tried again. What waits for a quota or a time is held as well.',
  all: 'Every delivery that has not ended.',
  change:
    () =>
    ({ queue }, key, now) =>
      holdDelivery(queue, key, now),
  results: {
    held: 'held',
    requested: 'to be held after the attempt under way',
    ended: 'ended already',
    unknown: 'not in the queue',
  },
  good: ['held', 'requested'],
  examples: ['waybill queue hold 19ab2c3d4e50000000', 'waybill queue hold --destination gmail.com --yes'],
});
