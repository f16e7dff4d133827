/** What the commands of `waybill dkim` have in common. Only the public side of keys is ever printed. */
import { systemClock } from '../base/clock.ts';
import { parseDomain } from '../protocol/address/domain.ts';
import { dkimAlgorithms, dkimRecord, zoneLine } from '../protocol/dkim/record.ts';
import { type DkimKey, type DkimKeyPair, generateDkimKeyPair, type Tenants } from '../tenants/tenants.ts';
import { type Call, type CommandOption, CommandProblem, usageProblem } from './command.ts';
import { tenantNamed } from './installation.ts';
import { shownTime } from './table.ts';
import { countOf } from './values.ts';

export const domainOperand = { text: 'DOMAIN', meaning: 'A sending domain.', min: 1, max: 1 };

export const tenantOption: CommandOption = {
  value: 'NAME',
  meaning: 'Whose; needed where several tenants have the domain, as they can have a reserved name.',
};

export const publishDaysOption: CommandOption = {
  value: 'N',
  meaning: 'How long the records of retired keys are to stay in the DNS, 1 to 365 days; 7 if not given.',
};

const dayMs = 86_400_000;

export function publishMsOf(call: Call): number {
  return countOf(call, 'publish-days', { standard: 7, max: 365 }) * dayMs;
}

export interface OwnedDomain {
  domain: string;
  tenantId: number;
  /** Its name. */
  tenant: string;
}

/** The sending domain that the operand names, and whose it is. */
export function ownedDomain(call: Call, tenants: Tenants): OwnedDomain {
  const parsed = parseDomain(call.operands[0] ?? '');
  if (!parsed.ok) throw usageProblem(`"${call.operands[0]}" is no domain name: ${parsed.problem}`);
  const { domain } = parsed;
  const wanted = call.text('tenant');
  const owners = tenants.sendingDomainOwners(domain).map(({ tenantId }) => ({
    domain,
    tenantId,
    tenant: tenants.tenant(tenantId)?.name ?? '',
  }));
  const fitting =
    wanted === undefined
      ? owners
      : owners.filter(({ tenantId }) => tenantId === tenantNamed(tenants, wanted).id);
  const [only, ...others] = fitting;
  if (!only) {
    throw new CommandProblem(
      `${domain} is no sending domain${wanted === undefined ? '' : ` of ${wanted}`}; "waybill tenant list" shows them`,
    );
  }
  if (others.length > 0) {
    const names = fitting.map(({ tenant }) => tenant).join(', ');
    throw usageProblem(`several tenants have ${domain}: name one with --tenant (${names})`);
  }
  return only;
}

export function generateDkimKeyPairs(algorithms = dkimAlgorithms.toReversed()): Promise<DkimKeyPair[]> {
  return Promise.all(algorithms.map(generateDkimKeyPair));
}

/** As JSON shows a key. */
export function shownKey(key: DkimKey) {
  const { selector, algorithm, state, createdAt, activatedAt, retiredAt, publishUntil } = key;
  const { name, text } = dkimRecord(key);
  return {
    ...{ selector, algorithm, state, createdAt, activatedAt, retiredAt, publishUntil },
    record: { name, type: 'TXT', text },
  };
}

export const keyShape =
  '{"selector","algorithm","state","createdAt","activatedAt","retiredAt","publishUntil","record":{"name","type","text"}}';

/** Lines to paste into a zone file. */
export function zoneText(keys: readonly DkimKey[]): string {
  return keys.map((key) => `; ${key.algorithm}, ${stateText(key)}\n${zoneLine(dkimRecord(key))}\n`).join('');
}

export function stateText({ state, createdAt, activatedAt, retiredAt, publishUntil }: DkimKey): string {
  switch (state) {
    case 'pending':
      return `pending since ${shownTime(createdAt)}`;
    case 'active':
      return `active since ${shownTime(activatedAt)}`;
    case 'retired': {
      const keep = publishUntil === null ? '' : `, to be published until ${shownTime(publishUntil)}`;
      return `retired at ${shownTime(retiredAt)}${keep}`;
    }
  }
}

/** Its record belongs into the DNS now. */
export function isToBePublished({ state, publishUntil }: DkimKey): boolean {
  return state !== 'retired' || (publishUntil !== null && publishUntil > systemClock.now());
}
