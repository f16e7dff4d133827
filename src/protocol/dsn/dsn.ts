/**
 * Delivery status notifications as others send them (RFC 3464, RFC 6533, with the fields of RFC 3461): from the text
 * of a delivery-status part to one record for each recipient. Pure; nothing is judged here, that is what the relay
 * does with its classification (`relay/receive-report.ts`).
 *
 * Lenient where real reports are broken: groups that are not separated, a group without its Final-Recipient, fields
 * in any order, comments behind the status. `parts.ts` finds the parts, `report-fields.ts` reads fields.
 */
import { limits } from '../../base/limits.ts';
import { bodyOf, fieldsIn, type ReportField } from './report-fields.ts';

export type Action = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

export interface RecipientStatus {
  /** Without its type (`rfc822;`); '' if the report does not say. */
  finalRecipient: string;
  originalRecipient: string;
  /** Where an alias led to; sendmail's own field. */
  actualRecipient: string;
  action: Action | '';
  /** `x.y.z`; '' if there is none. */
  status: string;
  /** What is said behind the status, often in parentheses; '' if nothing is. */
  statusText: string;
  /** `smtp`, `x-postfix`, …; lower case. */
  diagnosticType: string;
  diagnostic: string;
  remoteMta: string;
}

export interface DeliveryStatusReport {
  reportingMta: string;
  originalEnvelopeId: string;
  recipients: RecipientStatus[];
}

const recipientFields = ['final-recipient', 'original-recipient'];

/** Null if the text reports on no recipient. */
export function readDeliveryStatus(text: string): DeliveryStatusReport | null {
  const groups = groupsIn(text);
  const [first = []] = groups;
  const recipients = groups.filter(namesRecipient).slice(0, limits.reportRecipients).map(recipientOf);
  if (recipients.length === 0) return null;
  return {
    reportingMta: withoutType(bodyOf(first, 'reporting-mta')),
    originalEnvelopeId: bodyOf(first, 'original-envelope-id'),
    recipients,
  };
}

/** A recipient, and something about it: a lone Original-Recipient also stands in header sections. */
function namesRecipient(group: readonly ReportField[]): boolean {
  const has = (name: string) => group.some((field) => field.name === name);
  return recipientFields.some(has) && ['action', 'status', 'diagnostic-code'].some(has);
}

/** Blocks between empty lines; a block that tells of two recipients is two. */
function groupsIn(text: string): ReportField[][] {
  const fields = text
    .slice(0, limits.reportTextChars)
    .split(/\n[ \t]{0,20}\n/, limits.reportLines)
    .map((block) => fieldsIn(block));
  return fields.flatMap(separated);
}

function separated(block: ReportField[]): ReportField[][] {
  const groups: ReportField[][] = [[]];
  const seen = new Set<string>();
  for (const field of block) {
    if ([...recipientFields, 'action', 'status'].includes(field.name)) {
      if (seen.has(field.name)) {
        seen.clear();
        groups.push([]);
      }
      seen.add(field.name);
    }
    groups.at(-1)?.push(field);
  }
  return groups;
}

function recipientOf(group: readonly ReportField[]): RecipientStatus {
  const original = addressOf(bodyOf(group, 'original-recipient'));
  const diagnostic = bodyOf(group, 'diagnostic-code');
  const status = bodyOf(group, 'status');
  const type = /^([a-z][\w-]{0,40})[ \t]{0,10};/i.exec(diagnostic);
  return {
    finalRecipient: addressOf(bodyOf(group, 'final-recipient')) || original,
    originalRecipient: original,
    actualRecipient: addressOf(bodyOf(group, 'x-actual-recipient')),
    action: actionOf(bodyOf(group, 'action')),
    status: statusOf(status),
    statusText: status.slice(statusOf(status).length, limits.reportLineChars).trim(),
    diagnosticType: type?.[1]?.toLowerCase() ?? '',
    diagnostic: (type ? diagnostic.slice(type[0].length) : diagnostic).trim(),
    remoteMta: withoutType(bodyOf(group, 'remote-mta')),
  };
}

/**
 * `rfc822; <a@example.net>` and the many ways to get it wrong: the type is optional, `rfc/822` was seen. In an address
 * of type utf-8 a character may be written as `\x{FC}` (RFC 6533 §3).
 */
function addressOf(body: string): string {
  const isUtf8 = /^utf-8[ \t]{0,10};/i.test(body);
  const written = withoutType(body);
  const address = (isUtf8 ? charactersOf(written) : written)
    .replace(/^<(.*)>$/, '$1')
    .trim()
    .slice(0, limits.pathBytes);
  return address.replace(/^@[^\s:,<>]{1,254}(?:,@[^\s:,<>]{1,254}){0,10}:/, '');
}

function charactersOf(written: string): string {
  return written.replace(/\\x\{([0-9A-F]{2,6})\}/gi, (all, hex: string) => {
    const code = Number.parseInt(hex, 16);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : '';
    return /^[!-~\u00a0-\u{10ffff}]$/u.test(character) && character.isWellFormed() ? character : all;
  });
}

function withoutType(body: string): string {
  return body
    .slice(0, limits.classifiedTextChars)
    .replace(/^[a-z][\w/-]{0,40}[ \t]{0,10};/i, '')
    .trim();
}

const actions: Readonly<Record<string, Action>> = {
  failed: 'failed',
  failure: 'failed',
  delayed: 'delayed',
  delivered: 'delivered',
  relayed: 'relayed',
  expanded: 'expanded',
};

function actionOf(body: string): Action | '' {
  const word = /^[a-z]{1,20}/i.exec(body)?.[0].toLowerCase() ?? '';
  return Object.hasOwn(actions, word) ? (actions[word] ?? '') : '';
}

function statusOf(body: string): string {
  return /^[245]\.\d{1,3}\.\d{1,3}(?!\d)/.exec(body)?.[0] ?? '';
}
