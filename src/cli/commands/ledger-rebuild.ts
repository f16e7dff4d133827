import type { Rebuilt } from '../../ledger/ledger.ts';
import { type Command, exitCodes } from '../command.ts';
import { runJob } from '../ledger-job.ts';
import { rebuiltLine } from '../ledger-summary.ts';
import { jsonLine } from '../table.ts';

export const ledgerRebuildCommand: Command = {
  name: 'ledger rebuild',
  summary: 'Make everything that is drawn from the events anew',
  description:
    'Last known states, engagement and counters are filled beside the old tables and change places with them. A running ' +
    'server goes on meanwhile: it takes mail, answers, and appends. What retention has removed from the events is ' +
    'carried over. Works with or without a running server; needs disk space for a second copy of those tables.',
  options: {},
  output: '{"events","tables":["deliveries",…]}',
  examples: ['waybill ledger rebuild'],
  async run(call) {
    const rebuilt = await runJob<Rebuilt>(call, { kind: 'rebuild' });
    call.terminal.out(call.json ? jsonLine(rebuilt) : `${rebuiltLine(rebuilt)}\n`);
    return exitCodes.ok;
  },
};
