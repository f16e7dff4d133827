import { type ReleaseResult, releaseDelivery } from '../../relay/relay.ts';
import { queueChangeCommand } from '../queue-change.ts';

export const queueReleaseCommand = queueChangeCommand<ReleaseResult>({
  verb: 'release',
  states: ['held'],
  summary: 'Make held deliveries due at once',
  description:
    'Also what waits for a quota or for a time that the sender chose; it is not counted against the quota then. What waits for ' +
    'the warm-up of its source address goes on with that.',
  all: 'Every delivery that is held.',
  change:
    () =>
    ({ queue }, key, now) =>
      releaseDelivery(queue, key, now),
  results: {
    released: 'due now',
    withdrawn: 'not to be held after the attempt under way',
    'warm-up': 'held for the warm-up of its source address, which "waybill warmup stop" ends',
    'not-held': 'not held',
    unknown: 'not in the queue',
  },
  good: ['released', 'withdrawn'],
  examples: ['waybill queue release 19ab2c3d4e50000000:2', 'waybill queue release --tenant acme --yes'],
});
