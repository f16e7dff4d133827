/**
 * Keyed return paths (VERP): the reverse-path that a delivery goes out with names it, so that a DSN that comes back
 * is tied to it whatever its content says, and nobody can make one up. The reverse-path on record stays the sender's.
 *
 * And the addresses of our bounce domain that take reports: these, and one mailbox for complaints. Pure.
 */
import { deliveryOfReturnToken, returnTokenOf } from '../base/id.ts';
import type { InstallationKey } from '../base/secret.ts';
import type { ReportedDelivery } from '../events/late-report.ts';
import type { ForwardPathOptions, MailOptions } from '../protocol/smtp/envelope-options.ts';

export interface ReturnPathOptions {
  domain: string;
  /** Local part of the mailbox that mailbox providers send complaints to. */
  complaintMailbox: string;
  key: InstallationKey;
}

export type ReportMailbox = { kind: 'return-path'; delivery: ReportedDelivery } | { kind: 'complaints' };

export interface ReturnPaths {
  of(delivery: ReportedDelivery): string;
  /** `unknown`: at our domain, and nobody's; null: at another domain. */
  mailboxOf(forwardPath: string): ReportMailbox | 'unknown' | null;
  /** The delivery that the return paths in a text name; null: none, or more than one. */
  deliveryIn(text: string): ReportedDelivery | null;
}

/** Local parts of return paths looked at in one text: whatever else is there, a report is about one delivery. */
const tokensLookedAt = 50;

export function createReturnPaths({ domain, complaintMailbox, key }: ReturnPathOptions): ReturnPaths {
  const inText = new RegExp(`\\b([bq][0-9a-f]{46})@${domain.replaceAll('.', '\\.')}(?![\\w.-]*\\w)`, 'gi');
  return {
    of: (delivery) => `${returnTokenOf(key, delivery)}@${domain}`,
    mailboxOf(forwardPath) {
      const at = forwardPath.lastIndexOf('@');
      if (forwardPath.slice(at + 1).toLowerCase() !== domain) return null;
      const localPart = forwardPath.slice(0, at).toLowerCase();
      if (localPart === complaintMailbox) return { kind: 'complaints' };
      const delivery = deliveryOfReturnToken(key, localPart);
      return delivery ? { kind: 'return-path', delivery } : 'unknown';
    },
    deliveryIn(text) {
      const tokens = [...text.matchAll(inText)].map(([, token = '']) => token.toLowerCase());
      const deliveries = [...new Set(tokens)]
        .slice(0, tokensLookedAt)
        .flatMap((token) => deliveryOfReturnToken(key, token) ?? []);
      const [first, ...others] = deliveries;
      return others.length === 0 ? (first ?? null) : null;
    },
  };
}

/**
 * What the next server is asked for when reports come to us: failures only, for we say of a success that we passed the
 * mail on, and of a delay nothing is to be done; and never the whole mail.
 */
export function askedOfNextServer(options: ForwardPathOptions): ForwardPathOptions {
  if (options.notify.length === 0) return options;
  return { ...options, notify: isQuiet(options) ? ['NEVER'] : ['FAILURE'] };
}

export function mailOptionsWithKeyedPath(options: MailOptions): MailOptions {
  return { ...options, ret: 'HDRS' };
}

/** The sender does not want to be told of failures. */
export function isQuiet({ notify }: ForwardPathOptions): boolean {
  return notify.length > 0 && !notify.includes('FAILURE');
}
