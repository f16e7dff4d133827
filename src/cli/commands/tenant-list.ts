import { type Command, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const tenantListCommand: Command = {
  name: 'tenant list',
  summary: 'List the tenants with their sending domains',
  options: {},
  output:
    '{"tenants":[{"id","name","zone","createdAt","domains":[{"domain","verifiedAt"}],"streams":[{"id","name","state"}]}]}',
  examples: ['waybill tenant list', "waybill tenant list --json | jq -r '.tenants[].name'"],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const list = tenants.tenants().map((tenant) => ({
        ...tenant,
        domains: tenants.sendingDomains(tenant.id).map(({ domain, verifiedAt }) => ({ domain, verifiedAt })),
        streams: tenants.streams(tenant.id).map(({ id, name, state }) => ({ id, name, state })),
      }));
      const rows = list.map(({ id, name, zone, createdAt, domains }) => [
        String(id),
        name,
        zone,
        shownTime(createdAt),
        domains
          .map(({ domain, verifiedAt }) => (verifiedAt === null ? `${domain} (not verified)` : domain))
          .join(', '),
      ]);
      const heads = ['ID', 'NAME', 'ZONE', 'CREATED', 'SENDING DOMAINS'];
      const { columns } = call.terminal;
      call.terminal.out(call.json ? jsonLine({ tenants: list }) : renderTable(heads, rows, columns));
      return exitCodes.ok;
    }),
};
