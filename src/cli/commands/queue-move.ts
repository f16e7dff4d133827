import { OptionProblem } from '../../base/option.ts';
import { nextHop } from '../../config/config.ts';
import { type MoveResult, moveDelivery, type Via } from '../../relay/relay.ts';
import { type Call, usageProblem } from '../command.ts';
import { queueChangeCommand } from '../queue-change.ts';

export const queueMoveCommand = queueChangeCommand<MoveResult>({
  verb: 'move',
  summary: 'Send deliveries another way: to a server of your choice, by MX, or as configured',
  description:
    'The new way counts from the next attempt on, over restarts, until they are moved again; an attempt that is under way ' +
    'is not broken off. When they are tried stays as it is: `queue retry` makes them due. Signatures, envelope and schedule ' +
    'stay as they are too.',
  all: 'Every delivery that has not ended.',
  options: {
    via: {
      value: 'WAY',
      meaning:
        '`smtp://host:port` or `smtps://host:port`, with `?tls=` as in `next_hop` but without a login; `mx`: the MX hosts ' +
        'of each domain; `configured`: takes a move back.',
      required: true,
    },
  },
  change: (call) => {
    const via = viaOf(call);
    return ({ queue }, key) => moveDelivery(queue, key, via);
  },
  results: {
    moved: 'moved',
    requested: 'moved, for attempts after the one under way',
    ended: 'ended already',
    unknown: 'not in the queue',
  },
  good: ['moved', 'requested'],
  examples: [
    'waybill queue move --via smtp://mx2.example.net:25 19ab2c3d4e50000000:2',
    'waybill queue move --via smtps://relay.example.net --destination gmail.com --state deferred --yes',
    'waybill queue move --via configured --all',
  ],
});

function viaOf(call: Call): Via {
  const text = call.text('via') ?? '';
  if (text === 'mx' || text === 'configured') return text;
  const { credentials, ...server } = serverOf(text);
  if (credentials === null) return { ...server, host: server.host.toLowerCase() };
  throw usageProblem(
    '--via: a login is not taken here, where every user of this machine can read it; the server must know this one by its address, or be next_hop',
  );
}

function serverOf(text: string) {
  try {
    return nextHop.parse(text);
  } catch (error) {
    if (!(error instanceof OptionProblem)) throw error;
    // What was written may hold a password.
    throw usageProblem('--via: expected mx, configured, smtp://host:port or smtps://host:port');
  }
}
