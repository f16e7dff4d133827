import type { DkimAlgorithm } from '../../protocol/dkim/record.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import {
  domainOperand,
  generateDkimKeyPairs,
  keyShape,
  ownedDomain,
  shownKey,
  tenantOption,
  zoneText,
} from '../dkim.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const dkimCreateCommand: Command = {
  name: 'dkim create',
  summary: 'Make keys for a sending domain, and print the DNS records to publish',
  description:
    'A key of each algorithm, pending: nothing is signed with them before "waybill dkim rotate". Private keys are kept ' +
    'sealed and never printed.',
  operands: domainOperand,
  options: {
    algorithm: {
      value: 'NAME',
      meaning: 'Make a key of this algorithm only: `rsa` (2048 bits) or `ed25519`.',
    },
    tenant: tenantOption,
  },
  output: `{"domain","tenant","keys":[…]} with ${keyShape}`,
  examples: ['waybill dkim create acme.com', 'waybill dkim create acme.com --algorithm rsa --json'],
  run: (call) =>
    withInstallation(call, { create: false }, async ({ tenants }) => {
      const algorithms = algorithmsOf(call);
      const { domain, tenantId, tenant } = ownedDomain(call, tenants);
      const made = tenants.addDkimKeys({ tenantId, domain }, await generateDkimKeyPairs(algorithms));
      if (!made.ok) throw new CommandProblem(made.problem);
      const keys = made.value;
      call.terminal.out(call.json ? jsonLine({ domain, tenant, keys: keys.map(shownKey) }) : zoneText(keys));
      call.terminal.err(
        `waybill: once these are in the DNS, "waybill dkim rotate ${domain}" signs with them\n`,
      );
      return exitCodes.ok;
    }),
};

const algorithms: Readonly<Record<string, DkimAlgorithm>> = { rsa: 'rsa-sha256', ed25519: 'ed25519-sha256' };

function algorithmsOf(call: Call): DkimAlgorithm[] | undefined {
  const word = call.text('algorithm')?.toLowerCase();
  if (word === undefined) return undefined;
  const algorithm = Object.hasOwn(algorithms, word) ? algorithms[word] : undefined;
  if (algorithm === undefined) throw usageProblem('--algorithm: expected rsa or ed25519');
  return [algorithm];
}
