import { type HoldResult, holdDelivery } from '../../relay/relay.ts';
import type { Command } from '../command.ts';
import { changeDeliveries } from '../queue-change.ts';
import { filterOptions, idOperands } from '../queue-selection.ts';

export const queueHoldCommand: Command = {
  name: 'queue hold',
  summary: 'Keep deliveries from being tried until they are released',
  description:
    'An attempt that is under way is not broken off: if it succeeds, the mail is delivered, else it is held instead of ' +
    'tried again. What waits for a quota or a time is held as well. Described by options, all that match are held, after ' +
    'a question that says how many, or with `--yes`.',
  operands: idOperands,
  options: {
    ...filterOptions,
    all: { meaning: 'Every delivery that has not ended.' },
    yes: { meaning: 'Do not ask.' },
  },
  output:
    '{"results":[{"id","result"}]}, or for a description {"matched","results":{"result":count}}; results are held, requested, ended, unknown',
  examples: ['waybill queue hold 19ab2c3d4e50000000', 'waybill queue hold --destination gmail.com --yes'],
  run: (call) =>
    changeDeliveries<HoldResult>(call, {
      verb: 'hold',
      change: ({ queue }, key, now) => holdDelivery(queue, key, now),
      results: {
        held: 'held',
        requested: 'to be held after the attempt under way',
        ended: 'ended already',
        unknown: 'not in the queue',
      },
      good: ['held', 'requested'],
    }),
};
