import type { Config } from '../../config/config.ts';
import type { RetentionChange } from '../../upkeep/upkeep.ts';
import { type Command, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { settingsOf } from '../legal-hold.ts';
import {
  changeOf,
  retentionEntry,
  retentionHeads,
  retentionRow,
  retentionShape,
  settingOptions,
} from '../retention.ts';
import { jsonLine, renderTable } from '../table.ts';

export const retentionSetCommand: Command = {
  name: 'retention set',
  summary: 'Set how long what is kept of a tenant',
  description:
    'Takes effect at the next run: every night, or "waybill retention run". Removed is by whole days of UTC. What is not ' +
    'named stays as it is. Mail that is still queued, and what is under legal hold, is never removed.',
  operands: { text: 'TENANT', meaning: 'Name of the tenant.', min: 1, max: 1 },
  options: settingOptions,
  output: retentionShape,
  examples: [
    'waybill retention set acme --events 30d --anonymise 7d',
    'waybill retention set acme --events standard',
  ],
  run(call) {
    const change = changeOf(call);
    return withInstallation(call, { create: false }, (installation) => {
      refuseSizes(change, installation.config);
      const tenant = tenantNamed(installation.tenants, call.operands[0] ?? '');
      const settings = settingsOf(installation);
      settings.changeRetention(tenant.id, change);
      const entry = retentionEntry(tenant, settings);
      const table = () => renderTable(retentionHeads, [retentionRow(entry)], call.terminal.columns);
      call.terminal.out(call.json ? jsonLine(entry) : table());
      return exitCodes.ok;
    });
  },
};

function refuseSizes({ eventsBytes, deliveriesBytes }: RetentionChange, { ledger }: Config): void {
  if (ledger.cluster === null || typeof (eventsBytes ?? deliveriesBytes) !== 'number') return;
  throw usageProblem('a bound in bytes cannot be kept on a cluster (ledger.cluster); set a time instead');
}
