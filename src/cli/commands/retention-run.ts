import type { Retained } from '../../upkeep/upkeep.ts';
import { type Command, exitCodes } from '../command.ts';
import { runJob } from '../ledger-job.ts';
import { retainedLine } from '../ledger-summary.ts';
import { makeSure } from '../make-sure.ts';
import { jsonLine } from '../table.ts';

export const retentionRunCommand: Command = {
  name: 'retention run',
  summary: 'Remove what is older than it is kept, now',
  description:
    'As the server does every night. Shows what would go, then asks. Works with or without a running server.',
  options: {
    tenant: { value: 'NAME', meaning: 'Only what is kept for this tenant.' },
    preview: { meaning: 'Only count.' },
    yes: { meaning: 'Do not ask.' },
  },
  output:
    '{"preview","removed":{"events","deliveries","counters"},"removals":[{"table","before","tenantIds":[id]}]}; rows of each table',
  examples: ['waybill retention run --preview', 'waybill retention run --tenant acme --yes'],
  async run(call) {
    const tenant = call.text('tenant');
    const request = {
      kind: 'retention',
      ...(tenant === undefined ? {} : { tenant: tenant.toLowerCase() }),
    } as const;
    const counted = await runJob<Retained>(call, { ...request, preview: true });
    const text = (what: string, retained: Retained) =>
      call.json ? jsonLine(retained) : `${what}${retainedLine(retained)}\n`;
    if (call.flag('preview')) {
      call.terminal.out(text('would go: ', counted));
      return exitCodes.ok;
    }
    await makeSure(call, `remove ${retainedLine(counted)}`);
    call.terminal.out(text('removed: ', await runJob<Retained>(call, { ...request, preview: false })));
    return exitCodes.ok;
  },
};
