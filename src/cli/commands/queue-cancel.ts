import { type CancelResult, cancelDelivery } from '../../relay/relay.ts';
import type { Command } from '../command.ts';
import { changeDeliveries } from '../queue-change.ts';
import { filterOptions, idOperands } from '../queue-selection.ts';

export const queueCancelCommand: Command = {
  name: 'queue cancel',
  summary: 'Take deliveries out of the queue, without a notice to the sender',
  description:
    'An attempt that is under way is not broken off: if it succeeds, the mail is delivered, else it is canceled instead ' +
    'of tried again. Described by options, all that match are canceled, after a question or with `--yes`.',
  operands: idOperands,
  options: {
    ...filterOptions,
    all: { meaning: 'Every delivery that has not ended.' },
    yes: { meaning: 'Do not ask.' },
  },
  output:
    '{"results":[{"id","result"}]}, or for a description {"matched","results":{"result":count}}; results are canceled, requested, ended, unknown',
  examples: [
    'waybill queue cancel 19ab2c3d4e50000000',
    'waybill queue cancel --tenant acme --to ann@shop.example --yes',
  ],
  run: (call) =>
    changeDeliveries<CancelResult>(call, {
      verb: 'cancel',
      change: ({ queue }, key, now) => cancelDelivery(queue, key, now),
      results: {
        canceled: 'canceled',
        requested: 'to be canceled after the attempt under way',
        ended: 'ended already',
        unknown: 'not in the queue',
      },
      good: ['canceled', 'requested'],
    }),
};
