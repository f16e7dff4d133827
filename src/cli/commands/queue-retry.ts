import { type RetryResult, retryDelivery } from '../../relay/relay.ts';
import { queueChangeCommand } from '../queue-change.ts';

export const queueRetryCommand = queueChangeCommand<RetryResult>({
  verb: 'retry',
  summary: 'Make waiting deliveries due at once',
  description: 'Their schedule of attempts goes on from there.',
  all: 'Every delivery that waits.',
  change:
    () =>
    ({ queue }, key, now) =>
      retryDelivery(queue, key, now),
  results: {
    due: 'due now',
    leased: 'being tried right now',
    ended: 'not waiting: it has ended or is held',
    unknown: 'not in the queue',
  },
  good: ['due', 'leased'],
  examples: ['waybill queue retry 19ab2c3d4e50000000:1', 'waybill queue retry --destination gmail.com --yes'],
});
