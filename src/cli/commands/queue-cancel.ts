import { type CancelResult, cancelDelivery } from '../../relay/relay.ts';
import { queueChangeCommand } from '../queue-change.ts';

export const queueCancelCommand = queueChangeCommand<CancelResult>({
  verb: 'cancel',
  summary: 'Take deliveries out of the queue, without a notice to the sender',
  description:
    'An attempt that is under way is not broken off: if it succeeds, the mail is delivered, else it is canceled instead ' +
    'of tried again.',
  all: 'Every delivery that has not ended.',
  change:
    () =>
    ({ queue }, key, now) =>
      cancelDelivery(queue, key, now),
  results: {
    canceled: 'canceled',
    requested: 'to be canceled after the attempt under way',
    ended: 'ended already',
    unknown: 'not in the queue',
  },
  good: ['canceled', 'requested'],
  examples: [
    'waybill queue cancel 19ab2c3d4e50000000',
    'waybill queue cancel --tenant acme --to ann@shop.example --yes',
  ],
});
