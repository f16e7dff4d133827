import { type MailClass, mailClasses } from '../../protocol/smtp/envelope-options.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import { type Command, exitCodes } from '../command.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine, renderTable } from '../table.ts';

export const poolShowCommand: Command = {
  name: 'pool show',
  summary: 'Show the pools of source addresses, and which mail leaves from which',
  description:
    'Pools are configuration (`delivery.ip_pools`); mail without a pool leaves from the address that the operating system chooses.',
  operands: { text: '[TENANT]', meaning: 'Only this tenant; else all.', min: 0, max: 1 },
  options: {},
  output:
    '{"pools":[{"pool","ipv4","ipv6","name"}],"tenants":[{"tenant","class":"transactional"|"bulk","pool":name|null,"configured":true|false}]}',
  examples: ['waybill pool show', 'waybill pool show acme --json'],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const [name] = call.operands;
      const { tenants, config } = installation;
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const pools = config.delivery.ipPools;
      const uses = chosen.flatMap((tenant) => poolsOf(installation, tenant));
      const { columns } = call.terminal;
      const poolRows = pools.map(({ pool, ipv4, ipv6, name: ehlo }) => [
        ...[pool, ipv4 ?? '-', ipv6 ?? '-', ehlo ?? config.hostname],
      ]);
      const text = `${renderTable(['POOL', 'IPV4', 'IPV6', 'EHLO'], poolRows, columns)}\n${renderUses(uses, columns)}`;
      call.terminal.out(call.json ? jsonLine({ pools, tenants: uses }) : text);
      return exitCodes.ok;
    }),
};

export interface PoolUse {
  tenant: string;
  class: MailClass;
  pool: string | null;
  /** False: the configuration does not have the pool, and the mail waits. */
  configured: boolean;
}

/** Of each class. */
export function poolsOf({ config, tenants }: Installation, { id, name }: Tenant): PoolUse[] {
  return mailClasses.map((mailClass) => {
    const pool = tenants.ipPool(id, mailClass);
    const configured = pool === null || config.delivery.ipPools.some((entry) => entry.pool === pool);
    return { tenant: name, class: mailClass, pool, configured };
  });
}

export function renderUses(uses: readonly PoolUse[], columns: number): string {
  const shown = ({ pool, configured }: PoolUse) => (configured ? pool : `${pool} (not in delivery.ip_pools)`);
  const rows = uses.map((use) => [use.tenant, use.class, shown(use) ?? '-']);
  return renderTable(['TENANT', 'CLASS', 'POOL'], rows, columns);
}
