/**
 * Reads what comes back: delivery status notifications (RFC 3464), bounces in free form, feedback reports (RFC 5965).
 * Pure. For each recipient it says what became of the mail, why (by the one classification of the relay), and whether
 * the address is to be suppressed. Replies of people's programs (RFC 3834) are no reports.
 *
 * Only what says that an address can never take mail is hard: policy blocks, full mailboxes and closed accounts say
 * nothing of the kind. Nothing here trusts the report: that it belongs to a delivery of ours is shown by the
 * address it came to.
 */
import { limits } from '../base/limits.ts';
import type { Reason } from '../events/reason.ts';
import { domainOf } from '../protocol/address/address.ts';
import { type Action, type RecipientStatus, readDeliveryStatus } from '../protocol/dsn/dsn.ts';
import { isReturned, type Parts, readParts } from '../protocol/dsn/parts.ts';
import { bodyOf } from '../protocol/dsn/report-fields.ts';
import { feedbackType, readFeedbackReport } from '../protocol/feedback/feedback.ts';
import { addressesIn, decodedText } from '../protocol/message/fields.ts';
import { automaticSubjects, bounceSenders, bounceSubjects, bounceWords } from './report-formats.ts';
import { type NotifiedRecipient, notificationIn } from './report-notification.ts';
import {
  heldBy,
  replyIn,
  returnedField,
  stageIn,
  type ToldRecipient,
  toldRecipients,
  wordsOf,
} from './report-text.ts';
import { judge, wordRule } from './report-verdict.ts';

export interface Report {
  kind: 'dsn' | 'feedback' | 'none';
  recipients: ReportedRecipient[];
}

export interface ReportedRecipient {
  finalRecipient: string;
  originalRecipient: string | null;
  /** Of a feedback report: its feedback type. */
  action: Action | string;
  /** RFC 3463; null if nothing tells it. */
  status: string | null;
  /** 5: given up for good; 4: not (yet); null: delivered, or no bounce at all. */
  class: 4 | 5 | null;
  /** Mail to this address can never arrive. */
  hard: boolean;
  reason: Reason | null;
  suppress: boolean;
}

const nothing: Report = { kind: 'none', recipients: [] };

export function readReport(content: Buffer): Report {
  const parts = readParts(content);
  const feedback = readFeedback(parts);
  if (feedback !== null) return { kind: 'feedback', recipients: feedback };
  const words = wordsOf(parts);
  const notified = notificationIn(words);
  if (notified !== null) return ofNotification(notified, parts);
  const statuses = statusesIn(parts);
  if (statuses.length > 0) {
    const told = toldRecipients(words, []);
    return { kind: 'dsn', recipients: statuses.map((status) => ofStatus(status, { words, told, parts })) };
  }
  if (isDisposition(parts) || !isBounce(parts, words)) return nothing;
  const recipients = freeForm(parts, words);
  return recipients.length === 0 ? nothing : { kind: 'dsn', recipients };
}

/** What a person's program did with the mail, which had arrived (RFC 8098). */
function isDisposition({ parts }: Parts): boolean {
  return parts.some(({ type }) => /^message\/(?:global-)?disposition-notification$/.test(type));
}

function ofNotification(notified: readonly NotifiedRecipient[], parts: Parts): Report {
  const complained = notified.filter(({ action }) => action === 'complained').map(({ address }) => address);
  if (complained.length > 0) return { kind: 'feedback', recipients: complaints('abuse', complained, parts) };
  const recipients = notified.flatMap(({ address, action, status, diagnostic }) =>
    action === 'complained'
      ? []
      : [
          {
            finalRecipient: address,
            originalRecipient: null,
            ...judge({
              text: diagnostic,
              reply: replyIn(diagnostic),
              stage: stageIn(diagnostic),
              status,
              action,
              domain: domainOf(address),
            }),
          },
        ],
  );
  return recipients.length === 0 ? nothing : { kind: 'dsn', recipients };
}

function statusesIn({ parts }: Parts): RecipientStatus[] {
  const open = parts.filter((part) => !isReturned(part));
  return open
    .flatMap(({ text }) => readDeliveryStatus(text)?.recipients ?? [])
    .slice(0, limits.reportRecipients);
}

interface Context {
  words: string;
  told: readonly ToldRecipient[];
  parts: Parts;
}

/** A recipient of a delivery-status part; where the part is terse, the words for people often say more. */
function ofStatus(status: RecipientStatus, context: Context): ReportedRecipient {
  const told = context.told.find(({ address }) =>
    same(address, status.finalRecipient, status.originalRecipient),
  );
  const alone = context.told.length <= 1 ? context.words : '';
  const inWords = told?.text || alone;
  const fromField = replyIn(status.diagnostic);
  const silent = fromField.code === 0 && fromField.status === '' && status.diagnosticType !== 'smtp';
  const text = silent ? `${status.diagnostic}\n${status.statusText}\n${inWords}` : status.diagnostic;
  const findings = judge({
    text,
    reply: silent && status.diagnostic === '' ? replyIn(inWords) : replyIn(text),
    stage: stageIn(inWords === '' ? context.words : inWords),
    status: status.status,
    action: status.action || 'failed',
    domain: domainOf(status.finalRecipient),
  });
  const failed = addressOr(status, returnedRecipients(context.parts));
  return { ...failed, ...findings };
}

/** A pipe or a host name stands there now and then; then X-Failed-Recipients or the original tells the address. */
function addressOr(
  { finalRecipient, originalRecipient, actualRecipient }: RecipientStatus,
  known: readonly string[],
): Pick<ReportedRecipient, 'finalRecipient' | 'originalRecipient'> {
  const original = originalRecipient === '' ? null : originalRecipient;
  if (isAddress(finalRecipient)) return { finalRecipient, originalRecipient: original };
  const [only, ...others] = known;
  const fallback = [originalRecipient, actualRecipient].find(isAddress);
  return {
    finalRecipient: fallback ?? (others.length === 0 ? only : undefined) ?? finalRecipient,
    originalRecipient: original,
  };
}

function isAddress(text: string): boolean {
  return text.lastIndexOf('@') > 0 && !/[\s|]/.test(text.replace(/^"[^"]{0,64}"/, ''));
}

function same(address: string, ...others: readonly string[]): boolean {
  return others.some((other) => other.toLowerCase() === address.toLowerCase());
}

/** Recipients that the header section of the bounce or of the returned message names. */
function returnedRecipients(parts: Parts): string[] {
  const failed = mailboxes(parts.fields, 'x-failed-recipients');
  if (failed.length > 0) return failed;
  return mailboxes([{ name: 'to', body: returnedField(parts, 'to') }], 'to');
}

/** A header field, decoded, of bounded length. */
function shown(fields: Parts['fields'], name: string): string {
  const body = bodyOf(fields, name).slice(0, limits.reportLineChars);
  return decodedText([{ name, body }], name);
}

function mailboxes(fields: Parts['fields'], name: string): string[] {
  const body = bodyOf(fields, name).slice(0, limits.reportAddressChars);
  return addressesIn([{ name, body }], name)
    .map(({ address }) => address)
    .filter(isAddress)
    .slice(0, limits.reportRecipients);
}

/**
 * A report says so in more than one way: sender, null return path, subject, words. The mail of a person who quotes
 * a bounce has one of them at most.
 */
function isBounce({ fields, type }: Parts, words: string): boolean {
  const field = (name: string) => shown(fields, name).toLowerCase();
  if (fields.some(({ name }) => name === 'x-failed-recipients')) return true;
  const subject = field('subject');
  if (heldBy(automaticSubjects, subject)) return false;
  const lines = words.toLowerCase().split('\n', 200);
  const signs = [
    heldBy(bounceSenders, field('from')),
    fields.some(({ name, body }) => name === 'return-path' && /^(?:<>|<?mailer-daemon\b.*|)$/i.test(body)),
    heldBy(bounceSubjects, subject),
    lines.some((line) => heldBy(bounceWords, line)),
    type === 'multipart/report',
  ];
  return signs.filter(Boolean).length >= 2;
}

function freeForm(parts: Parts, words: string): ReportedRecipient[] {
  const reporters = [...mailboxes(parts.fields, 'from'), ...mailboxes(parts.fields, 'to')];
  const failed = returnedRecipients(parts);
  const notThese = reporters.map((one) => one.toLowerCase()).filter((one) => !failed.includes(one));
  const others = toldRecipients(words, notThese);
  // A mail to oneself comes back to the one it could not reach.
  const told = others.length > 0 ? others : toldRecipients(words, []);
  const named =
    told.length > 0 ? told : failed.slice(0, fewRecipients).map((address) => ({ address, text: '' }));
  const delayed = /\bdelay/i.test(shown(parts.fields, 'subject'));
  return named.map(({ address, text }) => ofWords(address, said(text, words, told.length), delayed));
}

/** A returned message to many does not tell who of them is meant. */
const fewRecipients = 1;

/** What is said of one recipient; where that is nothing and there is no other, all that is said. */
function said(text: string, words: string, recipients: number): string {
  if (recipients > 1) return text;
  const { code, status } = replyIn(text);
  const tells = code !== 0 || status !== '' || wordRule(text, null) !== undefined;
  return tells ? text : `${text}\n${words}`;
}

function ofWords(address: string, text: string, delayed: boolean): ReportedRecipient {
  const findings = judge({
    text,
    reply: replyIn(text),
    stage: stageIn(text),
    status: '',
    action: delayed ? 'delayed' : 'failed',
    domain: domainOf(address),
  });
  return { finalRecipient: address, originalRecipient: null, ...findings };
}

/** What a complaint is about; `not-spam` takes one back. */
const feedbackReasons: Readonly<Record<string, Reason>> = {
  abuse: 'suppress-complaint',
  fraud: 'suppress-complaint',
  'opt-out': 'suppress-unsubscribe',
  'opt-out-list': 'suppress-unsubscribe',
};

function readFeedback(parts: Parts): ReportedRecipient[] | null {
  const part = parts.parts.find(({ type }) => type === feedbackType);
  const report = part ? readFeedbackReport(part.text) : null;
  if (report !== null) return complaints(report.feedbackType, report.originalRecipients, parts);
  const reporter = returnedField(parts, 'x-hmxmroriginalrecipient');
  const subject = shown(parts.fields, 'subject');
  if (reporter === '' || !/^complaint about message from/i.test(subject)) return null;
  return complaints('abuse', [reporter], parts);
}

/** Many reporters black the recipient out; the To field of the returned message may still tell it. */
function complaints(type: string, told: readonly string[], parts: Parts): ReportedRecipient[] {
  const returned = returnedRecipients(parts);
  const recipients = told.length > 0 ? told : returned.length === 1 ? returned : [''];
  const reason = Object.hasOwn(feedbackReasons, type) ? (feedbackReasons[type] ?? null) : null;
  return recipients.map((finalRecipient) => ({
    finalRecipient,
    originalRecipient: null,
    action: type,
    status: null,
    class: null,
    hard: false,
    reason,
    suppress: reason !== null && finalRecipient !== '',
  }));
}
