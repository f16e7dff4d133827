import { limits } from '../../base/limits.ts';
import { type Command, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const denyRemoveCommand: Command = {
  name: 'deny remove',
  summary: 'Remove rules of a tenant',
  operands: {
    text: 'ID...',
    meaning: 'Rules, as "waybill deny list" numbers them.',
    min: 1,
    max: limits.commandOperands,
  },
  options: { tenant: { value: 'NAME', meaning: 'Whose rules they are.', required: true } },
  output: '{"removed":[id],"unknown":[id]}; with an unknown one the exit code is 1',
  examples: ['waybill deny remove 3 --tenant acme'],
  run: (call) => {
    const ids = call.operands.map(ruleId);
    return withInstallation(call, { create: false }, ({ store, tenants }) => {
      const { id: tenantId, name } = tenantNamed(tenants, call.text('tenant') ?? '');
      const gone = store.transaction(() =>
        ids.map((id) => ({ id, found: tenants.removeDenyRule(tenantId, id) })),
      );
      const removed = gone.filter(({ found }) => found).map(({ id }) => id);
      const unknown = gone.filter(({ found }) => !found).map(({ id }) => id);
      const lines = gone.map(({ id, found }) => `${id}  ${found ? 'removed' : `no rule of ${name}`}\n`);
      call.terminal.out(call.json ? jsonLine({ removed, unknown }) : lines.join(''));
      return unknown.length === 0 ? exitCodes.ok : exitCodes.failed;
    });
  },
};

function ruleId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw usageProblem(`"${text}" is no number of a rule; "waybill deny list" shows them`);
}
