import { type ReleaseResult, releaseDelivery } from '../../relay/relay.ts';
import type { Command } from '../command.ts';
import { changeDeliveries } from '../queue-change.ts';
import { filterOptions, idOperands } from '../queue-selection.ts';

const { state: _state, ...filterOptionsOfHeld } = filterOptions;

export const queueReleaseCommand: Command = {
  name: 'queue release',
  summary: 'Make held deliveries due at once, whatever holds them',
  description:
    'Also what waits for a quota or for a time that the sender chose; it is not counted against the quota then. Described ' +
    'by options, all held ones that match are released, after a question that says how many, or with `--yes`.',
  operands: idOperands,
  options: {
    ...filterOptionsOfHeld,
    all: { meaning: 'Every delivery that is held.' },
    yes: { meaning: 'Do not ask.' },
  },
  output:
    '{"results":[{"id","result"}]}, or for a description {"matched","results":{"result":count}}; results are released, withdrawn, not-held, unknown',
  examples: ['waybill queue release 19ab2c3d4e50000000:2', 'waybill queue release --tenant acme --yes'],
  run: (call) =>
    changeDeliveries<ReleaseResult>(call, {
      verb: 'release',
      states: ['held'],
      change: ({ queue }, key, now) => releaseDelivery(queue, key, now),
      results: {
        released: 'due now',
        withdrawn: 'not to be held after the attempt under way',
        'not-held': 'not held',
        unknown: 'not in the queue',
      },
      good: ['released', 'withdrawn'],
    }),
};
