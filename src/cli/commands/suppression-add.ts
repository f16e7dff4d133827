import { limits } from '../../base/limits.ts';
import { type Command, exitCodes } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { addressesOf, domainOption, kindOf, tenantOption } from '../suppression.ts';
import { jsonLine } from '../table.ts';
import { countOf } from '../values.ts';

const dayMs = 86_400_000;

export const suppressionAddCommand: Command = {
  name: 'suppression add',
  summary: 'Put addresses on a suppression list',
  description:
    'Mail to them is accepted and ends as suppressed, without an attempt. An entry that is there already is only made to ' +
    'last longer.',
  operands: {
    text: 'ADDRESS...',
    meaning: 'Mail addresses, without regard to case.',
    min: 1,
    max: limits.commandOperands,
  },
  options: {
    tenant: tenantOption,
    kind: {
      value: 'KIND',
      meaning: 'The list: `bounce`, `complaint` or `unsubscribe`; `unsubscribe` if not given.',
    },
    domain: { value: 'DOMAIN', meaning: 'Only for mail from this sending domain.' },
    days: { value: 'N', meaning: 'Until so many days from now, 1 to 3650; for good if not given.' },
    note: { value: 'TEXT', meaning: 'Why, for whoever reads the list.' },
  },
  output:
    '{"added":["address"],"never":["address"]}; "never": the allow list forbids it, and the exit code is 1',
  examples: [
    'waybill suppression add ann@shop.example --tenant acme',
    'waybill suppression add ann@shop.example --tenant acme --kind complaint --days 365 --note "asked by phone"',
  ],
  run: (call) => {
    const addresses = addressesOf(call);
    const entry = { kind: kindOf(call) ?? 'unsubscribe', domain: domainOption(call) ?? '' } as const;
    const lasts = call.text('days') === undefined ? null : countOf(call, 'days', { standard: 1, max: 3650 });
    return withInstallation(call, { create: false }, ({ store, tenants, clock }) => {
      const tenantId = tenantNamed(tenants, call.text('tenant') ?? '').id;
      const createdAt = clock.now();
      const expiresAt = lasts === null ? null : createdAt + lasts * dayMs;
      const detail = call.text('note') ?? '';
      const done = store.transaction(() =>
        addresses.map((address) => ({
          address,
          added: tenants.suppress({ tenantId, address, createdAt, expiresAt, detail, ...entry }),
        })),
      );
      const added = done.filter((one) => one.added).map(({ address }) => address);
      const never = done.filter((one) => !one.added).map(({ address }) => address);
      const lines = done.map(
        (one) =>
          `${one.address}  ${one.added ? `on the list "${entry.kind}"` : 'never suppressed: on the allow list'}\n`,
      );
      call.terminal.out(call.json ? jsonLine({ added, never }) : lines.join(''));
      return never.length === 0 ? exitCodes.ok : exitCodes.failed;
    });
  },
};
