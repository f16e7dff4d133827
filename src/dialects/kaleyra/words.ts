/**
 * The vendor's eight status words and the texts that go with them. The conditions of a word are used to
 * find rows and to name them, so a row is always found under the word it shows. No two words share a row.
 */
import type { Reason } from '../../events/reason.ts';
import type { DeliveryRow, StatusCondition } from '../../ledger/ledger.ts';
import { statusHolds } from '../../ledger/status-condition.ts';

/** In order of precedence. */
export const statusWords = [
  'BLOCKED',
  'FAILED',
  'SUPPRESSED',
  'BOUNCE',
  'OPEN',
  'DELIVERED',
  'DEFERRED',
  'ACCEPTED',
] as const;
export type StatusWord = (typeof statusWords)[number];

/** The one refusal that the vendor calls blocked, and counts. */
export const blockingReason: Reason = 'sender-domain';

/** Failures of ours say nothing about the address: FAILED, not BOUNCE. */
const ownFailures: readonly Reason[] = ['internal', 'credit'];

const conditions: Readonly<Record<StatusWord, readonly StatusCondition[]>> = {
  BLOCKED: [{ states: ['rejected'], reasons: [blockingReason] }],
  FAILED: [
    { states: ['rejected'], exceptReasons: [blockingReason] },
    { states: ['failed'], reasons: ownFailures },
    { states: ['canceled'] },
  ],
  SUPPRESSED: [{ states: ['suppressed'] }],
  BOUNCE: [{ states: ['failed'], exceptReasons: ownFailures }, { states: ['expired'] }],
  OPEN: [{ states: ['delivered'], engaged: true }],
  DELIVERED: [{ states: ['delivered'], engaged: false }],
  DEFERRED: [{ states: ['deferred'] }],
  ACCEPTED: [{ states: ['queued', 'held'] }],
};

/** Null for text that is no status word. Letter case is ignored. */
export function conditionsOf(text: string): readonly StatusCondition[] | null {
  const wanted = text.toUpperCase();
  const word = statusWords.find((known) => known === wanted);
  return word ? conditions[word] : null;
}

export function wordOf(row: DeliveryRow): StatusWord {
  const found = statusWords.find((word) => conditions[word].some((condition) => statusHolds(condition, row)));
  return found ?? 'ACCEPTED';
}

/** Mail that has arrived: it has a time of delivery and is charged. */
export const deliveredWords: ReadonlySet<StatusWord> = new Set(['DELIVERED', 'OPEN']);

/** Under these words the remote server's code and text are shown. */
export const answeredWords: ReadonlySet<StatusWord> = new Set(['BOUNCE', 'DEFERRED']);

/**
 * Field `description`. ACCEPTED, FAILED, BOUNCE and BLOCKED to the letter as the vendor's page shows them,
 * the four blanks and the two kinds of apostrophe included; the others are ours.
 */
const descriptions: Readonly<Record<StatusWord, string>> = {
  BLOCKED: 'Message has not been delivered because sender domain is not whitelisted',
  FAILED:
    'Message has not been processed because maybe due to internal server error or due to insufficient balance.',
  SUPPRESSED: 'Message has not been sent because the recipient is on the suppression list.',
  BOUNCE:
    "Message has not been delivered maybe because of wrong email address or the recipient's    inbox is full or a connection timeout from the sender’s domain.",
  OPEN: 'Message is opened by the recipient.',
  DELIVERED: 'Message is delivered.',
  DEFERRED: 'Message is not delivered yet and will be tried again.',
  ACCEPTED: 'Message is accepted.',
};

/** Where a reason has a text of its own; also to the letter. */
const reasonDescriptions: Partial<Record<Reason, string>> = {
  template: 'Message has not been delivered because template is not approved or deleted',
};

export function descriptionOf(word: StatusWord, reason: Reason | null): string {
  const ofReason = word === 'FAILED' && reason !== null ? reasonDescriptions[reason] : undefined;
  return ofReason ?? descriptions[word];
}

/** Field `error_message` where no remote server said anything. `invalid sender domain` is the vendor's. */
const shortTexts: Partial<Record<Reason, string>> = {
  'sender-domain': 'invalid sender domain',
  'deny-rule': 'refused by a rule',
  template: 'template is not approved or deleted',
  credit: 'insufficient balance',
  internal: 'internal server error',
  canceled: 'canceled',
  'suppress-bounce': 'address bounced before',
  'suppress-complaint': 'recipient complained before',
  'suppress-unsubscribe': 'recipient unsubscribed',
};

const wordsWithShortText: ReadonlySet<StatusWord> = new Set(['BLOCKED', 'FAILED', 'SUPPRESSED']);

export function shortTextOf(word: StatusWord, reason: Reason | null): string {
  if (!wordsWithShortText.has(word) || reason === null) return '';
  return shortTexts[reason] ?? '';
}
