/**
 * May this tenant send as this author? The domain of the From field must be a verified sending domain of the tenant
 * or a name below one. A client of a trusted network is vouched for by the operator: it may use any domain but
 * another tenant's.
 */
import type { MailFacts } from '../events/event.ts';
import type { SendingDomain, Tenants } from '../tenants/tenants.ts';
import type { Submission } from './submission.ts';

export type SenderRight = { ok: true; sendingDomain: string } | { ok: false; problem: string };

export function senderRight(tenants: Tenants, submission: Submission, facts: MailFacts): SenderRight {
  const owner = ownerOf(tenants, facts.sendingDomain);
  if (owner && owner.tenantId !== submission.tenantId) {
    return { ok: false, problem: `${facts.sendingDomain} is a sending domain of another tenant` };
  }
  if (owner?.verifiedAt !== null && owner !== null) return { ok: true, sendingDomain: owner.domain };
  if (submission.trustedNetwork) return { ok: true, sendingDomain: owner?.domain ?? '' };
  const why = owner ? 'is not verified yet' : 'is no sending domain of this account';
  return { ok: false, problem: `${facts.sendingDomain || 'the empty domain'} ${why}` };
}

/** The sending domain that is the name itself or the nearest above it. */
function ownerOf(tenants: Tenants, domain: string): SendingDomain | null {
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const owner = tenants.sendingDomain(name);
    if (owner) return owner;
  }
  return null;
}
