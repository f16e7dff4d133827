import { limits } from '../../base/limits.ts';
import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { addressesOf, domainOption, kindOf, tenantOption } from '../suppression.ts';
import { jsonLine } from '../table.ts';

export const suppressionRemoveCommand: Command = {
  name: 'suppression remove',
  summary: 'Take addresses off the suppression lists',
  operands: {
    text: 'ADDRESS...',
    meaning: 'Mail addresses, without regard to case.',
    min: 1,
    max: limits.commandOperands,
  },
  options: {
    tenant: tenantOption,
    kind: { value: 'KIND', meaning: 'Only off this list: `bounce`, `complaint` or `unsubscribe`.' },
    domain: { value: 'DOMAIN', meaning: 'Only entries for this sending domain.' },
  },
  output: '{"removed":{"address":count}}; with an address that stood nowhere the exit code is 1',
  examples: [
    'waybill suppression remove ann@shop.example --tenant acme',
    'waybill suppression remove ann@shop.example --tenant acme --kind bounce',
  ],
  run: (call) => {
    const addresses = addressesOf(call);
    const [kind, domain] = [kindOf(call), domainOption(call)];
    const only = { ...(kind === undefined ? {} : { kind }), ...(domain === undefined ? {} : { domain }) };
    return withInstallation(call, { create: false }, ({ store, tenants }) => {
      const tenantId = tenantNamed(tenants, call.text('tenant') ?? '').id;
      const removed = store.transaction(() =>
        addresses.map((address) => [address, tenants.unsuppress({ tenantId, address, ...only })] as const),
      );
      const lines = removed.map(
        ([address, count]) => `${address}  ${count === 0 ? 'was on no such list' : 'removed'}\n`,
      );
      call.terminal.out(call.json ? jsonLine({ removed: Object.fromEntries(removed) }) : lines.join(''));
      return removed.every(([, count]) => count > 0) ? exitCodes.ok : exitCodes.failed;
    });
  },
};
