import { type Command, exitCodes } from '../command.ts';
import { keyShape, shownKey, stateText } from '../dkim.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine, renderTable } from '../table.ts';

export const dkimListCommand: Command = {
  name: 'dkim list',
  summary: 'List the keys that sign mail, of all sending domains',
  options: { tenant: { value: 'NAME', meaning: 'Only those of this tenant.' } },
  output: `{"keys":[…]} with ${keyShape}, "domain" and "tenant" of each`,
  examples: ['waybill dkim list', 'waybill dkim list --json | jq \'.keys[] | select(.state == "active")\''],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const name = call.text('tenant');
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const keys = chosen.flatMap((tenant) =>
        tenants
          .sendingDomains(tenant.id)
          .flatMap((own) => tenants.dkimKeys(own))
          .map((key) => ({ tenant: tenant.name, key })),
      );
      const rows = keys.map(({ tenant, key }) => [
        ...[key.domain, tenant, key.selector, key.algorithm],
        stateText(key),
      ]);
      const shown = keys.map(({ tenant, key }) => ({ domain: key.domain, tenant, ...shownKey(key) }));
      const heads = ['DOMAIN', 'TENANT', 'SELECTOR', 'ALGORITHM', 'STATE'];
      const { columns } = call.terminal;
      call.terminal.out(call.json ? jsonLine({ keys: shown }) : renderTable(heads, rows, columns));
      return exitCodes.ok;
    }),
};
