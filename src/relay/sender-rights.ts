/**
 * May this tenant send as this author? Each author in the From field, and the reverse-path unless it is null, must be
 * under a verified sending domain of the tenant. A client of a trusted network is vouched for by the operator: it may use any domain but
 * another tenant's.
 */
import { domainOf } from '../protocol/address/address.ts';
import type { SendingDomain, Tenants } from '../tenants/tenants.ts';
import type { PreparedMail } from './prepare.ts';
import type { Submission } from './submission.ts';

export type SenderRight = { ok: true; sendingDomain: string } | { ok: false; problem: string };

export function senderRight(
  tenants: Tenants,
  submission: Submission,
  { facts, authors }: Pick<PreparedMail, 'facts' | 'authors'>,
): SenderRight {
  const right = rightTo(facts.sendingDomain, tenants, submission);
  const reversePaths = submission.reversePath === '' ? [] : [submission.reversePath];
  const wrong = [...authors, ...reversePaths]
    .map((address) => rightTo(domainOf(address), tenants, submission))
    .find((one) => !one.ok);
  return right.ok ? (wrong ?? right) : right;
}

function rightTo(domain: string, tenants: Tenants, submission: Submission): SenderRight {
  const owners = ownersOf(tenants, domain);
  const own = owners.find((owner) => owner.tenantId === submission.tenantId);
  if (own && own.verifiedAt !== null) return { ok: true, sendingDomain: own.domain };
  if (!own && owners.length > 0) return refused(domain, 'is a sending domain of another tenant');
  if (submission.trustedNetwork) return { ok: true, sendingDomain: own?.domain ?? '' };
  return refused(domain, own ? 'is not verified yet' : 'is no sending domain of this account');
}

function refused(domain: string, why: string): SenderRight {
  const problem =
    domain === '' ? 'the From field or the reverse-path has no valid domain' : `${domain} ${why}`;
  return { ok: false, problem };
}

/** The verified sending domain of the tenant that an address is under; '' if it is under none. */
export function ownDomainOf(tenants: Tenants, tenantId: number, address: string): string {
  const owners = ownersOf(tenants, domainOf(address));
  return owners.find((owner) => owner.tenantId === tenantId && owner.verifiedAt !== null)?.domain ?? '';
}

/** Owners of the sending domain that is the name itself or the nearest above it. */
export function ownersOf(tenants: Tenants, domain: string): SendingDomain[] {
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const owners = tenants.sendingDomainOwners(name);
    if (owners.length > 0) return owners;
  }
  return [];
}
