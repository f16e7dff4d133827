/**
 * May this tenant send as this author? The domain of the From field must be a verified sending domain of the tenant
 * or a name below one. A client of a trusted network is vouched for by the operator: it may use any domain but
 * another tenant's.
 */
import type { MailFacts } from '../events/event.ts';
import { domainOf } from '../protocol/address/address.ts';
import type { SendingDomain, Tenants } from '../tenants/tenants.ts';
import type { Submission } from './submission.ts';

export type SenderRight = { ok: true; sendingDomain: string } | { ok: false; problem: string };

export function senderRight(tenants: Tenants, submission: Submission, facts: MailFacts): SenderRight {
  const owners = ownersOf(tenants, facts.sendingDomain);
  const own = owners.find((owner) => owner.tenantId === submission.tenantId);
  if (own && own.verifiedAt !== null) return { ok: true, sendingDomain: own.domain };
  if (!own && owners.length > 0) return refused(facts, 'is a sending domain of another tenant');
  if (submission.trustedNetwork) return { ok: true, sendingDomain: own?.domain ?? '' };
  return refused(facts, own ? 'is not verified yet' : 'is no sending domain of this account');
}

function refused({ sendingDomain }: MailFacts, why: string): SenderRight {
  return {
    ok: false,
    problem: sendingDomain === '' ? 'the From field has no valid domain' : `${sendingDomain} ${why}`,
  };
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
