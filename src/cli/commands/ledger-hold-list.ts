import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { holdEntry, holdShape, settingsOf } from '../legal-hold.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const ledgerHoldListCommand: Command = {
  name: 'ledger hold list',
  summary: 'List what is under legal hold',
  options: { tenant: { value: 'NAME', meaning: 'Only of this tenant.' } },
  output: `{"holds":[${holdShape}]}`,
  examples: ['waybill ledger hold list'],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const { tenants } = installation;
      const name = call.text('tenant');
      const tenantId = name === undefined ? undefined : tenantNamed(tenants, name).id;
      const holds = settingsOf(installation)
        .holds(tenantId)
        .map((hold) => holdEntry(hold, tenants));
      const rows = holds.map(({ id, tenant, kind, subject, note, createdAt }) => [
        ...[String(id), tenant, kind, subject, shownTime(createdAt), note],
      ]);
      const heads = ['HOLD', 'TENANT', 'WHAT', 'WHICH', 'SINCE', 'NOTE'];
      call.terminal.out(call.json ? jsonLine({ holds }) : renderTable(heads, rows, call.terminal.columns));
      return exitCodes.ok;
    }),
};
