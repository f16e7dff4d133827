import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const denyListCommand: Command = {
  name: 'deny list',
  summary: 'List the rules that deny senders and destinations',
  options: { tenant: { value: 'NAME', meaning: 'Only those of this tenant.' } },
  output: '{"rules":[{"id","tenant","type","data","createdAt"}]}',
  examples: ['waybill deny list', 'waybill deny list --tenant acme --json'],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const name = call.text('tenant');
      const only = name === undefined ? null : tenantNamed(tenants, name).id;
      const rules = tenants.denyRules(only).map(({ tenantId, ...rule }) => ({
        ...rule,
        tenant: tenants.tenant(tenantId)?.name ?? String(tenantId),
      }));
      const rows = rules.map(({ id, tenant, type, data, createdAt }) => [
        ...[String(id), tenant, type, shownTime(createdAt), data],
      ]);
      const heads = ['ID', 'TENANT', 'TYPE', 'SINCE', 'DATA'];
      call.terminal.out(call.json ? jsonLine({ rules }) : renderTable(heads, rows, call.terminal.columns));
      return exitCodes.ok;
    }),
};
