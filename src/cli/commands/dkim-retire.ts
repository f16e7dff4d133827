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

export const dkimRetireCommand: Command = {
  name: 'dkim retire',
  summary: 'Take keys of a sending domain out of use, for good',
  description:
    'Nothing takes their place: a domain without an active key is no longer signed for. Private halves are erased. If a ' +
    'key became known to others, take its record out of the DNS as well.',
  operands: domainOperand,
  options: {
    selector: {
      value: 'SELECTOR',
      meaning: 'The key, as "waybill dkim list" shows it.',
      repeatable: true,
      required: true,
    },
    'publish-days': publishDaysOption,
    tenant: tenantOption,
  },
  output: `{"domain","tenant","retired":[…],"signing"} with ${keyShape}; "signing": true while an active key is left`,
  examples: ['waybill dkim retire acme.com --selector wb202611b'],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const publishMs = publishMsOf(call);
      const { domain, tenantId, tenant } = ownedDomain(call, tenants);
      const done = tenants.retireDkimKeys({ tenantId, domain }, call.texts('selector'), publishMs);
      if (!done.ok) throw new CommandProblem(`${done.problem}; "waybill dkim list" shows them`);
      const { retired } = done.value;
      const signing = tenants.signingKeys({ tenantId, domain }).length > 0;
      const lines = retired.map((key) => `${key.selector}  ${key.algorithm}  ${stateText(key)}\n`);
      const answer = { domain, tenant, retired: retired.map(shownKey), signing };
      call.terminal.out(call.json ? jsonLine(answer) : lines.join(''));
      if (!signing) call.terminal.err(`waybill: mail from ${domain} is not signed: it has no active key\n`);
      return exitCodes.ok;
    }),
};
