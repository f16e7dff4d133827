/**
 * Our own notifications to the sender (RFC 3461 §4 to §6): whether one is due after deliveries changed, what it says,
 * and how it is sent. Pure; `protocol/dsn/compose.ts` makes the bytes, and whoever settles puts it into the queue in
 * the same transaction.
 *
 * Never about a mail with a null reverse-path, so that no notification answers another. Never about what an operator
 * or the tenant canceled, held or refused: they know. About suppressed addresses only if the client asked for failures
 * by name: the list is the tenant's own, and the ledger tells of each. `docs/dsn.md` has all rules in a table.
 */
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, EventType, MailFacts } from '../events/event.ts';
import { isAscii } from '../protocol/address/domain.ts';
import { composeDsn, type DsnRecipient, type DsnReport, headerSectionOf } from '../protocol/dsn/compose.ts';
import type { Action } from '../protocol/dsn/dsn.ts';
import { isEnhancedStatus } from '../protocol/smtp/enhanced-status.ts';
import {
  decodeXtext,
  type ForwardPathOptions,
  type MailOptions,
  noForwardPathOptions,
  noMailOptions,
} from '../protocol/smtp/envelope-options.ts';
import { rehearsalMta } from './rehearsal.ts';

export interface NoticePolicy {
  /** Which reverse-paths are written to: those under a verified sending domain of the tenant, or all. */
  to: 'own' | 'any';
  /** How long a mail may be deferred before its sender is warned, once. */
  warnAfterMs: number;
  /** Warn also those who did not say what they want to be told of. */
  warnUnasked: boolean;
  /** Contents up to this size are returned whole to those who asked for it; `limits.dsnContentBytes` holds as well. */
  returnedContentBytes: number;
}

export const defaultNoticePolicy: NoticePolicy = {
  to: 'own',
  warnAfterMs: 4 * 60 * 60_000,
  warnUnasked: true,
  returnedContentBytes: limits.dsnContentBytes,
};

/** A delivery and the decision about it. */
export interface DecidedDelivery {
  type: EventType;
  before: DeliveryFacts;
  /** After the decision. */
  facts: DeliveryFacts;
  /** Of the attempt, if there was one. */
  status: DeliveryStatus | null;
  /** Null: the client asked for nothing. */
  options: ForwardPathOptions | null;
  /** The server that took the mail offers DSN: it was told what the sender wants, and reports in our place. */
  remoteNotifies: boolean;
}

export interface NoticeQuestion {
  mail: MailFacts;
  /** Null: the client asked for nothing. */
  options: MailOptions | null;
  /** Of this mail; those who share a notice. */
  decided: readonly DecidedDelivery[];
  now: number;
  policy: NoticePolicy;
}

/** One notification that is due; `writeNotice` makes the mail of it. */
export interface Notice {
  /** Numbers of the deliveries it tells of: each gets a `notified` event. */
  numbers: number[];
  report: Omit<DsnReport, 'reportingMta' | 'messageId' | 'returned'>;
  /** Bytes up to which the content is returned whole; 0: only its header section. */
  returnedContentBytes: number;
  requireTls: boolean;
}

/** Null: nobody is to be told of anything. */
export function noticeFor({ mail, options, decided, now, policy }: NoticeQuestion): Notice | null {
  if (mail.reversePath === '') return null;
  const told = decided.flatMap((delivery) => {
    const action = actionFor(delivery, mail, { now, policy });
    return action === null ? [] : [{ n: delivery.facts.n, recipient: recipientOf(delivery, action) }];
  });
  if (told.length === 0) return null;
  const { ret, envid, requireTls } = options ?? noMailOptions;
  const recipients = told.map(({ recipient }) => recipient);
  return {
    numbers: told.map(({ n }) => n),
    report: {
      arrivalAt: mail.acceptedAt,
      now,
      envelopeId: envid === '' ? null : decodeXtext(envid),
      to: mail.reversePath,
      recipients,
      inReplyTo: mail.messageIdField,
    },
    returnedContentBytes: mayReturnContent(recipients, ret, requireTls) ? policy.returnedContentBytes : 0,
    requireTls,
  };
}

/** RFC 3461 §4.3: the whole only with a failure. RFC 8689 §5: never of a mail that requires TLS. */
function mayReturnContent(
  recipients: readonly DsnRecipient[],
  ret: MailOptions['ret'],
  requireTls: boolean,
): boolean {
  return ret === 'FULL' && !requireTls && recipients.some(({ action }) => action === 'failed');
}

/** What the sender is told of this delivery; null: nothing. */
function actionFor(
  delivery: DecidedDelivery,
  mail: MailFacts,
  { now, policy }: Pick<NoticeQuestion, 'now' | 'policy'>,
): Action | null {
  const { type, status, remoteNotifies } = delivery;
  const { notify } = delivery.options ?? noForwardPathOptions;
  const unasked = notify.length === 0;
  switch (type) {
    case 'failed':
    case 'expired':
    case 'returned':
      return unasked || notify.includes('FAILURE') ? 'failed' : null;
    case 'suppressed':
      return notify.includes('FAILURE') ? 'failed' : null;
    case 'deferred': {
      const wanted = unasked ? policy.warnUnasked : notify.includes('DELAY');
      return wanted && isWarningDue(delivery, mail.acceptedAt + policy.warnAfterMs, now) ? 'delayed' : null;
    }
    case 'delivered':
      if (!notify.includes('SUCCESS') || remoteNotifies) return null;
      return status?.remoteMta?.name === rehearsalMta.name ? 'delivered' : 'relayed';
    default:
      return null;
  }
}

/**
 * The first deferral at or after the moment: the verdict before it fell earlier. So nothing has to be remembered, and
 * there is at most one warning. What waited for its first attempt, held for example, counts as well.
 */
function isWarningDue({ before }: DecidedDelivery, warnAt: number, now: number): boolean {
  return now >= warnAt && (before.deferrals === 0 || before.stateAt < warnAt);
}

function recipientOf({ facts, status, options, type }: DecidedDelivery, action: Action): DsnRecipient {
  const { orcpt } = options ?? noForwardPathOptions;
  const text = status?.diagnostic ?? facts.diagnostic;
  return {
    finalRecipient: facts.forwardPath,
    originalRecipient: orcpt === '' ? null : originalRecipientOf(orcpt),
    action,
    status:
      type === 'suppressed' ? '5.7.1' : fitting(status?.enhancedStatus.value ?? facts.enhancedStatus, action),
    diagnostic: text === '' ? null : { type: status?.reply ? 'smtp' : 'x-waybill', text },
    remoteMta: status?.remoteMta?.name ?? null,
    lastAttemptAt: facts.lastAttemptAt,
    willRetryUntil: action === 'delayed' ? facts.expiresAt : null,
  };
}

/** Classes that may stand with an action (RFC 3464 §2.3.4); the first where the server said another. */
const classesOf: Readonly<Record<Action, string>> = {
  // What expired failed with the temporary status of its last attempt.
  failed: '54',
  delayed: '4',
  delivered: '2',
  relayed: '2',
  expanded: '2',
};

function fitting(status: string, action: Action): string {
  const classes = classesOf[action];
  if (!isEnhancedStatus(status)) return `${classes.charAt(0)}.0.0`;
  return classes.includes(status.charAt(0)) ? status : `${classes.charAt(0)}${status.slice(1)}`;
}

/** `type;address` as it stood in RCPT; both spellings of RFC 6533 are decoded. */
function originalRecipientOf(orcpt: string): DsnRecipient['originalRecipient'] {
  const semicolon = orcpt.indexOf(';');
  const encoded = orcpt.slice(semicolon + 1);
  const address = isAscii(encoded) ? decodeXtext(encoded) : encoded;
  const type = orcpt.slice(0, semicolon);
  return { type, address: type.toLowerCase() === 'utf-8' ? decodeUtf8Address(address) : address };
}

function decodeUtf8Address(address: string): string {
  return address.replace(/\\x\{([0-9A-F]{2,6})\}/g, (embedded, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x10ffff ? embedded : String.fromCodePoint(code);
  });
}

/** The notification as a mail of ours. */
export interface NoticeMail {
  reversePath: '';
  forwardPath: string;
  content: Buffer;
  options: MailOptions;
  forwardPathOptions: ForwardPathOptions;
}

export interface NoticeMaterial {
  /** Of the mail that is reported on. */
  content: Buffer;
  hostname: string;
  /** For the notification, without angle brackets. */
  messageId: string;
}

export function writeNotice(notice: Notice, { content, hostname, messageId }: NoticeMaterial): NoticeMail {
  const { report, returnedContentBytes, requireTls } = notice;
  const returned =
    content.length <= returnedContentBytes ? { content } : { headers: headerSectionOf(content) };
  return {
    reversePath: '',
    forwardPath: report.to,
    content: composeDsn({ ...report, reportingMta: hostname, messageId, returned }),
    options: { ...noMailOptions, smtpUtf8: !isAscii(report.to), requireTls },
    // RFC 3461 §6.1: about a notification nobody is notified.
    forwardPathOptions: { notify: ['NEVER'], orcpt: '' },
  };
}
