/**
 * What a client can be told before it sends the content: at MAIL and RCPT. `admission.ts` and the transaction that
 * writes the mail decide; these checks spare a client the way, so they may go by rules read a moment ago.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { CountedQuota, TenantRules, Tenants } from '../tenants/tenants.ts';
import { bytesRefusal, destinationRefusal, quotaRefusal } from './admission.ts';
import { refusal, type SubmissionRefusal } from './submission.ts';

export interface EarlyChecks {
  checkSize(tenantId: number, declaredBytes: number | null): SubmissionRefusal | null;
  /** `count`: this one included, how many the mail would have. `denied`: a rule forbids it for good. */
  checkForwardPath(
    tenantId: number,
    forwardPath: string,
    count: number,
  ): (SubmissionRefusal & { denied: boolean }) | null;
}

interface Known {
  rules: TenantRules;
  refusing: CountedQuota[];
  readAt: number;
}

export function createEarlyChecks(tenants: Tenants, clock: Clock): EarlyChecks {
  const known = new Map<number, Known>();
  const rulesOf = (tenantId: number): Known => {
    const now = clock.now();
    const last = known.get(tenantId);
    if (last && now >= last.readAt && now - last.readAt < limits.tenantRulesCacheMs) return last;
    if (known.size >= limits.tenantRulesInMemory) known.clear();
    const rules = tenants.rulesOf(tenantId);
    const refuses = Object.values(rules.quotas).some(({ whenFull }) => whenFull === 'refuse');
    const refusing = refuses
      ? tenants.quotasOf(tenantId).filter(({ whenFull }) => whenFull === 'refuse')
      : [];
    const read = { rules, refusing, readAt: now };
    known.set(tenantId, read);
    return read;
  };
  return {
    checkSize: (tenantId, declaredBytes) =>
      declaredBytes === null ? null : bytesRefusal(rulesOf(tenantId).rules.bytesPerMail, declaredBytes),
    checkForwardPath(tenantId, forwardPath, count) {
      const { rules, refusing } = rulesOf(tenantId);
      if (rules.hasDenyRules && tenants.denyRuleForDestination(tenantId, forwardPath)) {
        return { ...destinationRefusal(), denied: true };
      }
      const temporary = manyRefusal(rules.recipientsPerMail, count) ?? fullRefusal(refusing, count);
      return temporary && { ...temporary, denied: false };
    },
  };
}

/** RFC 5321 §4.5.3.1.10: the client sends to the others in another transaction. */
function manyRefusal(most: number | null, count: number): SubmissionRefusal | null {
  if (most === null || count <= most) return null;
  return refusal(452, '4.5.3', `No more than ${most} recipients in one mail of this account`);
}

function fullRefusal(refusing: readonly CountedQuota[], count: number): SubmissionRefusal | null {
  const full = refusing.find(({ most, used }) => used + count > most);
  return full ? quotaRefusal(full) : null;
}
