import { type DenyRuleType, denyRuleTypes } from '../../tenants/tenants.ts';
import { type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const denyAddCommand: Command = {
  name: 'deny add',
  summary: 'Deny a sender or a destination to a tenant',
  description:
    'TYPE is `domain` (sender domain, with the names below it), `email` (sender address), `startswith` (beginning of the ' +
    "sender's local part) or `destination` (recipient address, or domain with the names below it). Sender is the " +
    'reverse-path and the From field. What a rule denies is refused with 550 5.7.1 and on record as rejected, reason ' +
    'deny-rule.',
  operands: {
    text: 'TYPE DATA',
    meaning: 'Type of the rule, and what it looks for, without regard to case.',
    min: 2,
    max: 2,
  },
  options: { tenant: { value: 'NAME', meaning: 'Whose mail the rule is for.', required: true } },
  output: '{"id","tenant","type","data","createdAt"}; a rule that is there already keeps its id',
  examples: [
    'waybill deny add destination ann@shop.example --tenant acme',
    'waybill deny add startswith no-reply --tenant acme',
  ],
  run: (call) => {
    const [type = '', data = ''] = call.operands;
    const known = typeNamed(type);
    return withInstallation(call, { create: false }, ({ tenants }) => {
      const tenant = tenantNamed(tenants, call.text('tenant') ?? '');
      const added = tenants.addDenyRule({ tenantId: tenant.id, type: known, data });
      if (!added.ok) throw new CommandProblem(added.problem);
      const { tenantId: _, ...rule } = added.value;
      const text = `rule ${rule.id} denies ${rule.type} ${rule.data} to ${tenant.name}\n`;
      call.terminal.out(call.json ? jsonLine({ ...rule, tenant: tenant.name }) : text);
      return exitCodes.ok;
    });
  },
};

function typeNamed(word: string): DenyRuleType {
  const type = denyRuleTypes.find((known) => known === word.toLowerCase());
  if (type === undefined)
    throw usageProblem(`"${word}" is no type of rule; known are ${denyRuleTypes.join(', ')}`);
  return type;
}
