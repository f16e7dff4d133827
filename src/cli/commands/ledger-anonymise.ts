import { OptionProblem } from '../../base/option.ts';
import { duration } from '../../config/config.ts';
import type { Anonymised } from '../../upkeep/upkeep.ts';
import { type Call, type Command, exitCodes, usageProblem } from '../command.ts';
import { runJob } from '../ledger-job.ts';
import { anonymisedLine } from '../ledger-summary.ts';
import { makeSure } from '../make-sure.ts';
import { jsonLine } from '../table.ts';

const age = duration(0, 36_500 * 86_400_000);

export const ledgerAnonymiseCommand: Command = {
  name: 'ledger anonymise',
  summary: 'Take all recipients out of mail that is older than some time',
  description:
    'Their addresses become one word, subjects, display names, clients and clicked links go, and addresses in replies as ' +
    'well. Every count stays. Without `--older-than` as the settings say (`ledger.anonymise_after`, `waybill retention ' +
    'set --anonymise`), which the server does every night. Shows what would change, then asks.',
  options: {
    'older-than': { value: 'TIME', meaning: 'Accepted longer ago than that: `30d`, `12h`.' },
    tenant: { value: 'NAME', meaning: 'Only mail of this tenant.' },
    preview: { meaning: 'Only count.' },
    yes: { meaning: 'Do not ask.' },
  },
  output: '{"preview","events","deliveries","groups":[{"before","tenantIds"}]}',
  examples: [
    'waybill ledger anonymise --older-than 30d --preview',
    'waybill ledger anonymise --tenant acme --yes',
  ],
  async run(call) {
    const tenant = call.text('tenant');
    const olderThanMs = ageOf(call);
    const request = {
      kind: 'anonymise',
      ...(tenant === undefined ? {} : { tenant: tenant.toLowerCase() }),
      ...(olderThanMs === undefined ? {} : { olderThanMs }),
    } as const;
    const counted = await runJob<Anonymised>(call, { ...request, preview: true });
    if (call.flag('preview')) return tell(call, 'would change: ', counted);
    await makeSure(call, `anonymise ${counted.events} events and ${counted.deliveries} deliveries`);
    return tell(call, 'anonymised: ', await runJob<Anonymised>(call, { ...request, preview: false }));
  },
};

function ageOf(call: Call): number | undefined {
  const text = call.text('older-than');
  if (text === undefined) return undefined;
  try {
    return age.parse(text);
  } catch (error) {
    if (error instanceof OptionProblem) throw usageProblem(`--older-than: ${error.message}`);
    throw error;
  }
}

function tell({ json, terminal }: Call, what: string, anonymised: Anonymised): number {
  terminal.out(json ? jsonLine(anonymised) : `${what}${anonymisedLine(anonymised)}\n`);
  return exitCodes.ok;
}
