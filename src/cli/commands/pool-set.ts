import { mailClasses } from '../../protocol/smtp/envelope-options.ts';
import { type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';
import { poolsOf, renderUses } from './pool-show.ts';

export const poolSetCommand: Command = {
  name: 'pool set',
  summary: 'Say from which pool of source addresses the mail of a tenant leaves',
  description: 'Holds from the next attempt of each delivery on.',
  operands: { text: 'TENANT', meaning: 'Name of the tenant.', min: 1, max: 1 },
  options: {
    pool: {
      value: 'NAME',
      meaning: 'A pool of `delivery.ip_pools`; `none`: the operating system chooses the address.',
    },
    class: {
      value: 'CLASS',
      meaning: 'Only `transactional` or only `bulk` mail (MT-PRIORITY below 0); else both.',
    },
  },
  output: '{"tenants":[…]} as in pool show',
  examples: ['waybill pool set acme --pool main', 'waybill pool set acme --class bulk --pool none'],
  run: (call) => {
    const name = call.text('pool');
    if (name === undefined) throw usageProblem('say which pool: --pool NAME, or none');
    const word = call.text('class');
    const classes = mailClasses.filter((known) => word === undefined || word === known);
    if (classes.length === 0)
      throw usageProblem(`--class: expected ${mailClasses.join(' or ')}, not "${word}"`);
    return withInstallation(call, { create: false }, (installation) => {
      const { tenants, store, queue } = installation;
      const pool = poolNamed(name, installation);
      const tenant = tenantNamed(tenants, call.operands[0] ?? '');
      store.transaction(() => {
        for (const mailClass of classes) tenants.setIpPool(tenant.id, mailClass, pool);
        // Another pool may have room for what waits for a warm-up.
        queue.unparkWarmUps();
      });
      const uses = poolsOf(installation, tenant);
      call.terminal.out(call.json ? jsonLine({ tenants: uses }) : renderUses(uses, call.terminal.columns));
      return exitCodes.ok;
    });
  },
};

function poolNamed(name: string, { config }: Installation): string | null {
  if (name === 'none') return null;
  const names = [...new Set(config.delivery.ipPools.map(({ pool }) => pool))];
  if (names.includes(name)) return name;
  const known = names.length > 0 ? `there are ${names.join(', ')}` : 'there are none';
  throw new CommandProblem(`no pool "${name}" in delivery.ip_pools; ${known}`);
}
