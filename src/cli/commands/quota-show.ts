import type { CountedQuota, Tenant, TenantLimits, Tenants } from '../../tenants/tenants.ts';
import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const quotaShowCommand: Command = {
  name: 'quota show',
  summary: 'Show the limits of tenants, and what has been used of them',
  options: { tenant: { value: 'NAME', meaning: 'Only this tenant; else those that have limits.' } },
  output:
    '{"tenants":[{"tenant","recipientsPerMail","bytesPerMail","quotas":[{"period","most","whenFull","used","from","until"}],"held"}]}; null: without this limit',
  examples: ['waybill quota show', 'waybill quota show --tenant acme --json'],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants, queue }) => {
      const name = call.text('tenant');
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const held = (tenant: Tenant) => queue.countHeldFor(tenant.id);
      const shown = chosen
        .map((tenant) => ({ ...quotaEntry(tenants, tenant), held: held(tenant) }))
        .filter((entry) => name !== undefined || hasLimits(entry));
      const rows = shown.flatMap(rowsOf);
      const heads = ['TENANT', 'LIMIT', 'MOST', 'USED', 'WHEN FULL', 'UNTIL'];
      const { columns } = call.terminal;
      call.terminal.out(call.json ? jsonLine({ tenants: shown }) : renderTable(heads, rows, columns));
      return exitCodes.ok;
    }),
};

export interface QuotaEntry extends Omit<TenantLimits, 'quotas'> {
  tenant: string;
  quotas: (Pick<CountedQuota, 'period' | 'most' | 'whenFull' | 'used'> & { from: number; until: number })[];
}

export function quotaEntry(tenants: Tenants, { id, name }: Tenant): QuotaEntry {
  const { recipientsPerMail, bytesPerMail } = tenants.limitsOf(id);
  const quotas = tenants.quotasOf(id).map(({ period, most, whenFull, used, start, end }) => ({
    ...{ period, most, whenFull, used },
    ...{ from: start, until: end },
  }));
  return { tenant: name, recipientsPerMail, bytesPerMail, quotas };
}

function hasLimits({ recipientsPerMail, bytesPerMail, quotas }: QuotaEntry): boolean {
  return recipientsPerMail !== null || bytesPerMail !== null || quotas.length > 0;
}

function rowsOf({ tenant, recipientsPerMail, bytesPerMail, quotas, held }: QuotaEntry & { held: number }) {
  const plain = (limit: string, most: number | null) =>
    most === null ? [] : [[tenant, limit, String(most), '', 'refuse', '']];
  return [
    ...quotas.map(({ period, most, whenFull, used, until }) => [
      ...[tenant, `recipients per ${period}`, String(most), String(used), whenFull, shownTime(until)],
    ]),
    ...plain('recipients per mail', recipientsPerMail),
    ...plain('bytes per mail', bytesPerMail),
    ...(held > 0 ? [[tenant, 'held for a quota', '', String(held), '', '']] : []),
  ];
}
