import { limits } from '../../base/limits.ts';
import { type Command, exitCodes, usageProblem } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { settingsOf } from '../legal-hold.ts';
import { jsonLine } from '../table.ts';

export const ledgerHoldRemoveCommand: Command = {
  name: 'ledger hold remove',
  summary: 'End legal holds',
  description: 'From the next run on, retention and erasure touch again what was held.',
  operands: {
    text: 'HOLD...',
    meaning: 'Numbers from "waybill ledger hold list".',
    min: 1,
    max: limits.commandOperands,
  },
  options: {},
  output: '{"removed":[number],"unknown":[number]}',
  examples: ['waybill ledger hold remove 3'],
  run(call) {
    const ids = call.operands.map(numberOf);
    return withInstallation(call, { create: false }, (installation) => {
      const settings = settingsOf(installation);
      const removed = ids.filter((id) => settings.removeHold(id));
      const unknown = ids.filter((id) => !removed.includes(id));
      if (call.json) call.terminal.out(jsonLine({ removed, unknown }));
      else
        for (const id of ids)
          call.terminal.out(`${id}  ${removed.includes(id) ? 'removed' : 'there is no such hold'}\n`);
      return unknown.length === 0 ? exitCodes.ok : exitCodes.failed;
    });
  },
};

function numberOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageProblem(`"${text.slice(0, limits.echoedChars)}" is no number of a hold`);
}
