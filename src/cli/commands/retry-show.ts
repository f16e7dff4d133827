import { duration } from '../../config/config.ts';
import { type MailClass, mailClasses } from '../../protocol/smtp/envelope-options.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import { type Command, exitCodes } from '../command.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine, renderTable } from '../table.ts';

export const retryShowCommand: Command = {
  name: 'retry show',
  summary: 'Show when deliveries are tried again',
  options: { tenant: { value: 'NAME', meaning: 'Only this tenant; else all.' } },
  output:
    '{"schedules":[{"tenant","class":"transactional"|"bulk","waits":["5m",…],"own":true|false}]}; own: not that of the configuration',
  examples: ['waybill retry show', 'waybill retry show --tenant acme --json'],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const name = call.text('tenant');
      const { tenants } = installation;
      const chosen = name === undefined ? tenants.tenants() : [tenantNamed(tenants, name)];
      const schedules = chosen.flatMap((tenant) => schedulesOf(installation, tenant));
      const rows = schedules.map((entry) => [
        ...[entry.tenant, entry.class, entry.own ? 'own' : 'configuration', entry.waits.join(', ')],
      ]);
      const heads = ['TENANT', 'CLASS', 'FROM', 'WAITS'];
      const { columns } = call.terminal;
      call.terminal.out(call.json ? jsonLine({ schedules }) : renderTable(heads, rows, columns));
      return exitCodes.ok;
    }),
};

export interface ScheduleEntry {
  tenant: string;
  class: MailClass;
  waits: string[];
  own: boolean;
}

/** Of each class. */
export function schedulesOf({ config, tenants }: Installation, { id, name }: Tenant): ScheduleEntry[] {
  const standard = { transactional: config.retrySchedule, bulk: config.retryScheduleBulk };
  return mailClasses.map((mailClass) => {
    const own = tenants.retrySchedule(id, mailClass);
    const waitsMs = own ?? standard[mailClass] ?? config.retrySchedule;
    return { tenant: name, class: mailClass, waits: waitsMs.map(printed), own: own !== null };
  });
}

export const oneWait = duration(1, 30 * 86_400_000);

function printed(waitMs: number): string {
  return oneWait.print(waitMs);
}
