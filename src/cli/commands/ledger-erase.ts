import type { Erased } from '../../upkeep/upkeep.ts';
import { type Call, type Command, CommandProblem, exitCodes } from '../command.ts';
import { runJob } from '../ledger-job.ts';
import { erasedLine } from '../ledger-summary.ts';
import { makeSure } from '../make-sure.ts';
import { jsonLine } from '../table.ts';
import { addressOf } from '../values.ts';

export const ledgerEraseCommand: Command = {
  name: 'ledger erase',
  summary: 'Take an address out of everything that is kept',
  description:
    'The events stay and every count with them; the address is replaced by a keyed hash wherever it stands: recipient, ' +
    'sender, To field, subject, replies, return addresses, tags. Suppressions hold on under the hash. Mail that is still ' +
    'queued and names the address has to leave first, and what is under legal hold is not touched. Shows what would ' +
    'change, then asks.',
  operands: { text: 'ADDRESS', meaning: 'The address, without regard to case.', min: 1, max: 1 },
  options: {
    tenant: { value: 'NAME', meaning: 'Only what is kept for this tenant.' },
    preview: { meaning: 'Only count.' },
    yes: { meaning: 'Do not ask.' },
  },
  output: '{"preview","events","deliveries","suppressions","queued":[id],"heldTenants":[id],"heldMails"}',
  examples: [
    'waybill ledger erase ann@shop.example --preview',
    'waybill ledger erase ann@shop.example --tenant acme --yes',
  ],
  async run(call) {
    const { address } = addressOf('address', call.operands[0] ?? '');
    const tenant = call.text('tenant');
    const request = {
      kind: 'erase',
      address,
      ...(tenant === undefined ? {} : { tenant: tenant.toLowerCase() }),
    } as const;
    const counted = await runJob<Erased>(call, { ...request, preview: true });
    refuseQueued(counted);
    if (call.flag('preview')) return tell(call, 'would change: ', counted);
    await makeSure(
      call,
      `erase ${address} from ${counted.events} events and ${counted.deliveries} deliveries`,
    );
    const erased = await runJob<Erased>(call, { ...request, preview: false });
    refuseQueued(erased);
    return tell(call, 'erased from ', erased);
  },
};

function refuseQueued({ queued }: Erased): void {
  if (queued.length === 0) return;
  throw new CommandProblem(
    `mails that name the address are still queued: ${queued.join(', ')}; wait, or "waybill queue cancel" them`,
  );
}

function tell({ json, terminal }: Call, what: string, erased: Erased): number {
  const held =
    erased.heldTenants.length + erased.heldMails === 0 ? '' : '; what is under legal hold is not touched';
  terminal.out(json ? jsonLine(erased) : `${what}${erasedLine(erased)}${held}\n`);
  return exitCodes.ok;
}
