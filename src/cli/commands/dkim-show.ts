import { type Command, CommandProblem, exitCodes } from '../command.ts';
import {
  domainOperand,
  isToBePublished,
  keyShape,
  ownedDomain,
  shownKey,
  tenantOption,
  zoneText,
} from '../dkim.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const dkimShowCommand: Command = {
  name: 'dkim show',
  summary: 'Show the DNS records that a sending domain has to publish',
  description:
    'One TXT record for each key that is pending, that signs, or that signed lately; text for people is in the form of a ' +
    'zone file. Some DNS services want the text in one piece: put the strings together without the quotes.',
  operands: domainOperand,
  options: { tenant: tenantOption },
  output: `{"domain","tenant","keys":[…]} with ${keyShape}`,
  examples: ['waybill dkim show acme.com', "waybill dkim show acme.com --json | jq -r '.keys[].record.text'"],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const { domain, tenantId, tenant } = ownedDomain(call, tenants);
      const keys = tenants.dkimKeys({ tenantId, domain }).filter(isToBePublished);
      if (keys.length === 0 && !call.json) {
        throw new CommandProblem(`${domain} has no keys; "waybill dkim create ${domain}" makes some`);
      }
      call.terminal.out(call.json ? jsonLine({ domain, tenant, keys: keys.map(shownKey) }) : zoneText(keys));
      return exitCodes.ok;
    }),
};
