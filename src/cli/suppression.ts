/** What the commands of `waybill suppression` have in common. */
import { parseDomain } from '../protocol/address/domain.ts';
import {
  type Suppression,
  type SuppressionKind,
  suppressionKinds,
  type Tenants,
} from '../tenants/tenants.ts';
import { type Call, type CommandOption, usageProblem } from './command.ts';
import { addressOf } from './values.ts';

export const tenantOption: CommandOption = { value: 'NAME', meaning: 'Whose list.', required: true };

export const suppressionShape =
  '{"tenant","address","kind","domain","createdAt","expiresAt","detail"}; "domain" is "" for every sending domain of the tenant, "expiresAt" null for one that stays';

export function kindOf(call: Call): SuppressionKind | undefined {
  const word = call.text('kind')?.toLowerCase();
  if (word === undefined) return undefined;
  const kind = suppressionKinds.find((known) => known === word);
  if (kind === undefined) throw usageProblem(`--kind: expected ${suppressionKinds.join(', ')}`);
  return kind;
}

export function domainOption(call: Call): string | undefined {
  const text = call.text('domain');
  if (text === undefined) return undefined;
  const parsed = parseDomain(text);
  if (!parsed.ok) throw usageProblem(`--domain: "${text}" is no domain name: ${parsed.problem}`);
  return parsed.domain;
}

/** The operands, each a mail address. */
export function addressesOf(call: Call): string[] {
  return call.operands.map((text) => addressOf('address', text).address);
}

export function shownEntry({ tenantId, ...entry }: Suppression, tenants: Tenants) {
  return { tenant: tenants.tenant(tenantId)?.name ?? String(tenantId), ...entry };
}
