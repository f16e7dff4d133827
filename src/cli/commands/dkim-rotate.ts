import { type Command, CommandProblem, exitCodes } from '../command.ts';
import {
  domainOperand,
  keyShape,
  ownedDomain,
  publishDaysOption,
  publishMsOf,
  shownKey,
  stateText,
  tenantOption,
} from '../dkim.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const dkimRotateCommand: Command = {
  name: 'dkim rotate',
  summary: 'Sign with the pending keys of a sending domain from now on',
  description:
    'They take the place of the keys of the same algorithms, which retire: their private halves are erased, their records ' +
    'have to stay in the DNS until the mail they signed has arrived. The first rotation turns signing on. Publish the ' +
    'records of the pending keys before: whether the DNS has them is not looked at.',
  operands: domainOperand,
  options: { 'publish-days': publishDaysOption, tenant: tenantOption },
  output: `{"domain","tenant","activated":[…],"retired":[…]} with ${keyShape}`,
  examples: ['waybill dkim rotate acme.com', 'waybill dkim rotate acme.com --publish-days 14'],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const publishMs = publishMsOf(call);
      const { domain, tenantId, tenant } = ownedDomain(call, tenants);
      const done = tenants.rotateDkimKeys({ tenantId, domain }, publishMs);
      if (!done.ok) throw new CommandProblem(`${done.problem}; "waybill dkim create ${domain}" makes one`);
      const { activated, retired } = done.value;
      const shown = { activated: activated.map(shownKey), retired: retired.map(shownKey) };
      const lines = [...activated, ...retired].map(
        (key) => `${key.selector}  ${key.algorithm}  ${stateText(key)}\n`,
      );
      call.terminal.out(call.json ? jsonLine({ domain, tenant, ...shown }) : lines.join(''));
      return exitCodes.ok;
    }),
};
