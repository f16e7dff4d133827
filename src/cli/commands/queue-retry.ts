import { type RetryResult, retryDelivery } from '../../relay/relay.ts';
import type { Command } from '../command.ts';
import { changeDeliveries } from '../queue-change.ts';
import { filterOptions, idOperands } from '../queue-selection.ts';

export const queueRetryCommand: Command = {
  name: 'queue retry',
  summary: 'Make waiting deliveries due at once',
  description: 'Described by options, all that match are retried, after a question or with `--yes`.',
  operands: idOperands,
  options: {
    ...filterOptions,
    all: { meaning: 'Every delivery that waits.' },
    yes: { meaning: 'Do not ask.' },
  },
  output:
    '{"results":[{"id","result"}]}, or for a description {"matched","results":{"result":count}}; results are due, leased, ended, unknown',
  examples: ['waybill queue retry 19ab2c3d4e50000000:1', 'waybill queue retry --destination gmail.com --yes'],
  run: (call) =>
    changeDeliveries<RetryResult>(call, {
      verb: 'retry',
      change: ({ queue }, key, now) => retryDelivery(queue, key, now),
      results: {
        due: 'due now',
        leased: 'being tried right now',
        ended: 'not waiting: it has ended or is held',
        unknown: 'not in the queue',
      },
      good: ['due', 'leased'],
    }),
};
