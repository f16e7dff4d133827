import { limits } from '../../base/limits.ts';
import { type Call, type Command, CommandProblem, exitCodes } from '../command.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { tenantOption } from '../suppression.ts';
import { jsonLine } from '../table.ts';

export const suppressionAllowCommand: Command = {
  name: 'suppression allow',
  summary: 'Never suppress an address, or any of a domain',
  description:
    'Neither a bounce nor a complaint puts it on a list, and no entry that is there holds, also not one of ' +
    '`unsubscribe`: whoever allows an address answers for that. A domain means exactly this one.',
  operands: {
    text: 'ENTRY...',
    meaning: 'Mail addresses or domains.',
    min: 1,
    max: limits.commandOperands,
  },
  options: { tenant: tenantOption, end: { meaning: 'Take them off the allow list again.' } },
  output: '{"tenant","allowed":["entry"]}: the allow list as it is then',
  examples: [
    'waybill suppression allow postmaster@partner.example partner.example --tenant acme',
    'waybill suppression allow partner.example --tenant acme --end',
  ],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const { tenants, store } = installation;
      const tenant = tenantNamed(tenants, call.text('tenant') ?? '');
      store.transaction(() => {
        for (const entry of call.operands) change(call, installation, tenant.id, entry);
      });
      const allowed = tenants.neverSuppressed(tenant.id);
      const lines = allowed.map((entry) => `${entry}\n`).join('');
      call.terminal.out(call.json ? jsonLine({ tenant: tenant.name, allowed }) : lines);
      return exitCodes.ok;
    }),
};

/** A throw undoes the entries before. */
function change(call: Call, { tenants }: Installation, tenantId: number, entry: string): void {
  if (call.flag('end')) {
    if (!tenants.endNeverSuppress(tenantId, entry))
      throw new CommandProblem(`"${entry}" is not on the allow list; nothing was changed`);
    return;
  }
  const added = tenants.neverSuppress(tenantId, entry);
  if (!added.ok) throw new CommandProblem(`${added.problem}; nothing was changed`);
}
