import { limits } from '../../base/limits.ts';
import type { LegalHold } from '../../upkeep/upkeep.ts';
import { type Call, type Command, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { holdEntry, holdShape, settingsOf } from '../legal-hold.ts';
import { jsonLine } from '../table.ts';
import { addressOf, idOf } from '../values.ts';

export const ledgerHoldAddCommand: Command = {
  name: 'ledger hold add',
  summary:
    'Put a tenant, an address or a mail under legal hold: nothing of it is removed, erased or anonymised',
  description:
    'The hold lasts until "waybill ledger hold remove". It is about what is remembered; "waybill queue hold" keeps mail ' +
    'from being sent. What was removed before the hold does not come back.',
  options: {
    tenant: { value: 'NAME', meaning: 'The tenant; alone: everything of it.', required: true },
    address: { value: 'ADDRESS', meaning: 'Only mails to this address.' },
    mail: { value: 'ID', meaning: 'Only this mail (`relayid`).' },
    note: { value: 'TEXT', meaning: 'Why, for whoever reads the list.' },
  },
  output: holdShape,
  examples: [
    'waybill ledger hold add --tenant acme --note "case 4711"',
    'waybill ledger hold add --tenant acme --address ann@shop.example',
  ],
  run(call) {
    const subject = subjectOf(call);
    return withInstallation(call, { create: false }, (installation) => {
      const { tenants } = installation;
      const { id: tenantId } = tenantNamed(tenants, call.text('tenant') ?? '');
      const note = (call.text('note') ?? '').slice(0, limits.holdNoteChars);
      const entry = holdEntry(settingsOf(installation).addHold({ tenantId, ...subject, note }), tenants);
      call.terminal.out(call.json ? jsonLine(entry) : `hold ${entry.id}\n`);
      return exitCodes.ok;
    });
  },
};

function subjectOf(call: Call): Pick<LegalHold, 'kind' | 'subject'> {
  const [address, mail] = [call.text('address'), call.text('mail')];
  if (address !== undefined && mail !== undefined)
    throw usageProblem('hold an address or a mail, not both at once');
  if (address !== undefined) {
    return { kind: 'address', subject: addressOf('address', address).address.toLowerCase() };
  }
  return mail === undefined
    ? { kind: 'tenant', subject: '' }
    : { kind: 'mail', subject: String(idOf(mail).mailId) };
}
