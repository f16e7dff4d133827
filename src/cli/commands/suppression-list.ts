import { limits } from '../../base/limits.ts';
import type { SuppressionFilter } from '../../tenants/tenants.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { domainOption, kindOf, shownEntry, suppressionShape } from '../suppression.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';
import { addressOf, countOf } from '../values.ts';

export const suppressionListCommand: Command = {
  name: 'suppression list',
  summary: 'List the addresses that are not sent to, and those that always are',
  options: {
    tenant: { value: 'NAME', meaning: 'Only those of this tenant.' },
    address: { value: 'ADDRESS', meaning: 'Only this address.' },
    kind: { value: 'KIND', meaning: 'Only this list: `bounce`, `complaint` or `unsubscribe`.' },
    domain: { value: 'DOMAIN', meaning: 'Only entries for this sending domain.' },
    limit: { value: 'COUNT', meaning: `Most rows, 1 to ${limits.logPageRows}; 100 if not given.` },
  },
  output: `{"total","suppressions":[…],"allowed":[{"tenant","entry"}]} with ${suppressionShape}`,
  examples: ['waybill suppression list', 'waybill suppression list --tenant acme --kind bounce --json'],
  run: (call) => {
    const limit = countOf(call, 'limit', { standard: 100, max: limits.logPageRows });
    const filter = filterOf(call);
    return withInstallation(call, { create: false }, ({ tenants }) => {
      const name = call.text('tenant');
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const [only] = name === undefined ? [] : chosen;
      const wanted = only ? { ...filter, tenantId: only.id } : filter;
      const total = tenants.countSuppressions(wanted);
      const entries = tenants.suppressions(wanted, limit).map((entry) => shownEntry(entry, tenants));
      const allowed = chosen.flatMap((tenant) =>
        tenants.neverSuppressed(tenant.id).map((entry) => ({ tenant: tenant.name, entry })),
      );
      if (call.json) call.terminal.out(jsonLine({ total, suppressions: entries, allowed }));
      else show(call, entries, allowed);
      if (!call.json && total > entries.length)
        call.terminal.err(`${entries.length} of ${total}; --limit shows more\n`);
      return exitCodes.ok;
    });
  },
};

function filterOf(call: Call): SuppressionFilter {
  const [address, kind, domain] = [call.text('address'), kindOf(call), domainOption(call)];
  return {
    ...(address === undefined ? {} : { address: addressOf('address', address).address }),
    ...(kind === undefined ? {} : { kind }),
    ...(domain === undefined ? {} : { domain }),
  };
}

function show(
  { terminal }: Call,
  entries: readonly ReturnType<typeof shownEntry>[],
  allowed: readonly { tenant: string; entry: string }[],
): void {
  const rows = [
    ...entries.map(({ tenant, kind, address, domain, createdAt, expiresAt, detail }) => [
      ...[tenant, kind, address, domain || 'all'],
      ...[shownTime(createdAt), shownTime(expiresAt), detail],
    ]),
    ...allowed.map(({ tenant, entry }) => [tenant, 'never suppressed', entry, 'all', '', '', '']),
  ];
  const heads = ['TENANT', 'LIST', 'ADDRESS', 'SENDING DOMAIN', 'SINCE', 'UNTIL', 'WHY'];
  terminal.out(renderTable(heads, rows, terminal.columns));
}
