import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { settingsOf } from '../legal-hold.ts';
import { retentionEntry, retentionHeads, retentionRow, retentionShape } from '../retention.ts';
import { jsonLine, renderTable } from '../table.ts';

export const retentionShowCommand: Command = {
  name: 'retention show',
  summary: 'Show how long what is kept, for each tenant',
  description:
    'A star marks a setting of the tenant itself; the others stand in the configuration (`ledger.keep_…`).',
  options: { tenant: { value: 'NAME', meaning: 'Only this tenant.' } },
  output: `{"tenants":[${retentionShape}]}; milliseconds and bytes, null: without a bound`,
  examples: ['waybill retention show', 'waybill retention show --tenant acme --json'],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const name = call.text('tenant');
      const { tenants } = installation;
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const entries = chosen.map((tenant) => retentionEntry(tenant, settingsOf(installation)));
      const table = () => renderTable(retentionHeads, entries.map(retentionRow), call.terminal.columns);
      call.terminal.out(call.json ? jsonLine({ tenants: entries }) : table());
      return exitCodes.ok;
    }),
};
