/**
 * Steps 3 and 9 of a mail's way in: what the tenant's own limits, deny rules and suppression lists say. Read at each
 * mail, so that a change takes effect at once. Quotas are counted where the mail is written (`submit.ts`), in one
 * transaction with it.
 */
import { isoTime } from '../base/time-text.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { Reason } from '../events/reason.ts';
import type { CountedQuota, Tenants } from '../tenants/tenants.ts';
import { refusal, type Submission, type SubmissionRefusal } from './submission.ts';

export type Admission =
  | {
      ok: true;
      /** Why a forward-path is not tried; null for one that is welcome. */
      endOf(forwardPath: string): Ending | null;
    }
  /** `recorded`: the refusal is told to the ledger under this reason. */
  | (SubmissionRefusal & { recorded: Reason | null });

export interface Ending {
  state: Extract<DeliveryFacts['state'], 'suppressed' | 'rejected'>;
  reason: Reason;
  diagnostic: string;
}

/** `facts.sendingDomain` is the one that the tenant has the right to. */
export function admit(tenants: Tenants, submission: Submission, facts: MailFacts): Admission {
  const { tenantId } = facts;
  const rules = tenants.rulesOf(tenantId);
  const tooMuch =
    bytesRefusal(rules.bytesPerMail, submission.content.length) ??
    countRefusal(rules.recipientsPerMail, submission.forwardPaths.length);
  if (tooMuch) return { ...tooMuch, recorded: null };

  const denied = (forwardPath: string) =>
    rules.hasDenyRules && tenants.denyRuleForDestination(tenantId, forwardPath) !== null;
  const senders = [facts.reversePath, facts.fromField.address];
  const deniesSender = rules.hasDenyRules && tenants.denyRuleForSenders(tenantId, senders) !== null;
  if (deniesSender)
    return { ...refusal(550, '5.7.1', 'Sender refused by a rule of this account'), recorded: 'deny-rule' };
  if (submission.forwardPaths.every(denied)) return { ...destinationRefusal(), recorded: 'deny-rule' };

  return {
    ok: true,
    endOf(forwardPath) {
      if (denied(forwardPath)) return deniedEnd;
      if (!rules.hasSuppressions) return null;
      const entry = tenants.suppressionOf(tenantId, forwardPath, facts.sendingDomain);
      return entry ? { ...suppressedEnd, reason: `suppress-${entry.kind}` } : null;
    },
  };
}

const deniedEnd: Ending = {
  state: 'rejected',
  reason: 'deny-rule',
  diagnostic: 'not taken: a rule of the account denies this destination',
};

const suppressedEnd = {
  state: 'suppressed',
  diagnostic: 'not tried: the address is on the suppression list',
} as const;

export function destinationRefusal(): SubmissionRefusal {
  return refusal(550, '5.7.1', 'Recipient refused by a rule of this account');
}

export function bytesRefusal(most: number | null, bytes: number): SubmissionRefusal | null {
  if (most === null || bytes <= most) return null;
  return refusal(552, '5.3.4', `Content is larger than the ${most} bytes of this account`);
}

/** The same mail again has as many: that does not pass with time. */
function countRefusal(most: number | null, count: number): SubmissionRefusal | null {
  if (most === null || count <= most) return null;
  return refusal(550, '5.5.3', `More recipients than the ${most} a mail of this account may have`);
}

/** For the client to come again. */
export function quotaRefusal(quota: CountedQuota): SubmissionRefusal {
  const text = `${quotaText(quota)}, try again after ${isoTime(quota.end)}`;
  return refusal(452, '4.7.1', `The ${text}`);
}

/** What the ledger and the queue say of a delivery that waits for its quota. */
export function heldByQuota(facts: DeliveryFacts, quota: CountedQuota): DeliveryFacts {
  return {
    ...facts,
    state: 'held',
    reason: 'rate-limited',
    nextAttemptAt: null,
    leased: false,
    attempts: 0,
    firstAttemptAt: null,
    lastAttemptAt: null,
    diagnostic: `held: the ${quotaText(quota)}`,
  };
}

function quotaText({ most, period }: CountedQuota): string {
  return `quota of ${most} recipients per ${period} is used up`;
}
