/**
 * Our own delivery status notifications, as bytes: multipart/report (RFC 6522) with words for people, a report for
 * programs (RFC 3464), and what is returned of the mail. Pure. Whether one is due is `relay/notify-sender.ts`; that
 * it has a null reverse-path is for whoever sends it.
 *
 * International once an address is not ASCII: then the types of RFC 6533 and UTF-8 in 8 bits. Else everything is
 * 7-bit, but for a whole mail that is 8-bit itself; a mail inside a mail may not be encoded (RFC 2046 §5.2.1).
 *
 * Every text comes from others (a server's words, addresses): none of it can end a line, a part or the report.
 */
import { isAscii as isAsciiBytes, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { rfc5322Date } from '../../base/time-text.ts';
import { isAscii } from '../address/domain.ts';
import { isEnhancedStatus } from '../smtp/enhanced-status.ts';
import {
  asciiText,
  foldedField,
  oneLine,
  plainAddress,
  quotedPrintable,
  utf8Address,
} from './compose-text.ts';
import { subjectOf, wordsOf } from './compose-words.ts';
import type { Action } from './dsn.ts';

export interface DsnRecipient {
  /** The address that was tried. */
  finalRecipient: string;
  /** From ORCPT, decoded; null: there was none, and then the field must not stand there (RFC 3461 §6.3). */
  originalRecipient: { type: string; address: string } | null;
  action: Action;
  /** `x.y.z`. */
  status: string;
  /** `smtp`: the reply of a server. `x-waybill`: our own words, when there was none. */
  diagnostic: { type: 'smtp' | 'x-waybill'; text: string } | null;
  /** Host name of the server that said so. */
  remoteMta: string | null;
  lastAttemptAt: number | null;
  /** Of a delayed mail. */
  willRetryUntil: number | null;
}

export interface DsnReport {
  /** Our host name. */
  reportingMta: string;
  /** When we took the mail. */
  arrivalAt: number;
  now: number;
  /** From ENVID, decoded. */
  envelopeId: string | null;
  /** The reverse-path of the mail. */
  to: string;
  recipients: readonly DsnRecipient[];
  /** `content`: header section and body, from which the header section is taken if the whole cannot be returned. */
  returned: { headers: Buffer } | { content: Buffer };
  /** Of the DSN itself, without angle brackets. */
  messageId: string;
  /** Message-ID field of the mail, without angle brackets; ''. */
  inReplyTo: string;
}

interface Part {
  fields: string[];
  body: Buffer;
  eightBit: boolean;
}

/** Lines ended by CRLF. */
export function composeDsn(report: DsnReport): Buffer {
  assert(report.recipients.length > 0, 'a DSN reports on a recipient');
  const international = isInternational(report.recipients);
  const returned = returnedPart(report.returned, international);
  const parts = [wordsPart(report, returned.returns), statusPart(report, international), returned.part];
  const boundary = boundaryFor(parts);
  const eightBit = parts.some((part) => part.eightBit);
  const head = [...headerFields(report), contentType(boundary, international), ...transferField(eightBit)];
  return Buffer.concat([
    Buffer.from(`${head.join('')}\r\nThis is a report in MIME format.\r\n`),
    ...parts.flatMap(({ fields, body }) => [
      Buffer.from(`\r\n--${boundary}\r\n${fields.join('')}\r\n`),
      body,
    ]),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

function isInternational(recipients: readonly DsnRecipient[]): boolean {
  return recipients.some(
    ({ finalRecipient, originalRecipient }) =>
      !isAscii(finalRecipient) || !isAscii(originalRecipient?.address ?? ''),
  );
}

function headerFields({ reportingMta, now, to, recipients, messageId, inReplyTo }: DsnReport): string[] {
  const answered = /^[!-;=?-~]{3,900}$/.test(inReplyTo) ? [`In-Reply-To: <${inReplyTo}>\r\n`] : [];
  return [
    `Date: ${rfc5322Date(now)}\r\n`,
    `From: Mail Delivery System <MAILER-DAEMON@${reportingMta}>\r\n`,
    `To: <${plainAddress(to)}>\r\n`,
    `Subject: ${subjectOf(recipients)}\r\n`,
    `Message-ID: <${messageId}>\r\n`,
    ...answered,
    // RFC 3834 §5: no program answers this.
    'Auto-Submitted: auto-replied\r\n',
    'MIME-Version: 1.0\r\n',
  ];
}

function contentType(boundary: string, international: boolean): string {
  const type = international ? 'global-delivery-status' : 'delivery-status';
  return `Content-Type: multipart/report; report-type=${type};\r\n boundary="${boundary}"\r\n`;
}

function transferField(eightBit: boolean): string[] {
  return eightBit ? ['Content-Transfer-Encoding: 8bit\r\n'] : [];
}

/** The fewer recipients, the more is quoted of what was said about each. */
function diagnosticChars(recipients: readonly DsnRecipient[]): number {
  const share = Math.floor(limits.dsnDiagnosticsChars / recipients.length);
  return Math.min(limits.dsnDiagnosticChars, share);
}

function wordsPart(report: DsnReport, returns: 'content' | 'headers'): Part {
  const { recipients } = report;
  const words = wordsOf({ ...report, returns, diagnosticChars: diagnosticChars(recipients) });
  const description = 'Content-Description: Notification\r\n';
  return isAscii(words)
    ? textPart(['Content-Type: text/plain; charset=us-ascii\r\n', description], Buffer.from(words))
    : quotedPart(['Content-Type: text/plain; charset=utf-8\r\n', description], Buffer.from(words));
}

function statusPart(report: DsnReport, international: boolean): Part {
  const { reportingMta, envelopeId, arrivalAt, recipients } = report;
  const chars = diagnosticChars(recipients);
  const groups = [
    [
      ...(envelopeId === null ? [] : [`Original-Envelope-Id: ${fieldText(envelopeId, international)}\r\n`]),
      `Reporting-MTA: dns; ${reportingMta}\r\n`,
      `Arrival-Date: ${rfc5322Date(arrivalAt)}\r\n`,
    ],
    ...recipients.map((recipient) => recipientFields(recipient, chars, international)),
  ];
  const body = Buffer.from(groups.map((fields) => fields.join('')).join('\r\n'));
  const type = international ? 'message/global-delivery-status' : 'message/delivery-status';
  return {
    fields: [
      `Content-Type: ${type}\r\n`,
      'Content-Description: Delivery report\r\n',
      ...transferField(!isAsciiBytes(body)),
    ],
    body,
    eightBit: !isAsciiBytes(body),
  };
}

function recipientFields(recipient: DsnRecipient, chars: number, international: boolean): string[] {
  const { finalRecipient, originalRecipient, action, diagnostic, remoteMta } = recipient;
  const { lastAttemptAt, willRetryUntil } = recipient;
  const said = fieldText(oneLine(diagnostic?.text ?? '', chars), international);
  return [
    ...(originalRecipient === null
      ? []
      : [`Original-Recipient: ${typedAddress(originalRecipient.type, originalRecipient.address)}\r\n`]),
    `Final-Recipient: ${typedAddress('rfc822', finalRecipient)}\r\n`,
    `Action: ${action}\r\n`,
    `Status: ${isEnhancedStatus(recipient.status) ? recipient.status : unknownStatus[action]}\r\n`,
    ...(remoteMta ? [`Remote-MTA: dns; ${asciiText(oneLine(remoteMta, limits.domainBytes))}\r\n`] : []),
    ...(diagnostic === null || said === ''
      ? []
      : [foldedField('Diagnostic-Code', `${diagnostic.type}; ${said}`)]),
    ...(lastAttemptAt === null ? [] : [`Last-Attempt-Date: ${rfc5322Date(lastAttemptAt)}\r\n`]),
    ...(action !== 'delayed' || willRetryUntil === null
      ? []
      : [`Will-Retry-Until: ${rfc5322Date(willRetryUntil)}\r\n`]),
  ];
}

const unknownStatus: Readonly<Record<Action, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
};

function typedAddress(type: string, address: string): string {
  if (!isAscii(address)) return `utf-8; ${utf8Address(address)}`;
  return `${asciiText(type)}; ${plainAddress(address)}`;
}

function fieldText(text: string, international: boolean): string {
  const line = oneLine(text, limits.reportLineChars);
  return international ? line : asciiText(line);
}

interface Returned {
  part: Part;
  returns: 'content' | 'headers';
}

function returnedPart(returned: DsnReport['returned'], international: boolean): Returned {
  if ('headers' in returned)
    return { part: headersPart(returned.headers, international), returns: 'headers' };
  const { content } = returned;
  const headers = headerSectionOf(content);
  if (content.length > limits.dsnContentBytes || !isTransportable(content))
    return { part: headersPart(headers, international), returns: 'headers' };
  const eightBit = !isAsciiBytes(content);
  const global = international && !isAsciiBytes(headers) && isUtf8(headers);
  const fields = [
    `Content-Type: ${global ? 'message/global' : 'message/rfc822'}\r\n`,
    'Content-Description: Undelivered mail\r\n',
    ...transferField(eightBit),
  ];
  return { part: { fields, body: content, eightBit }, returns: 'content' };
}

function headersPart(headers: Buffer, international: boolean): Part {
  const body = cleanHeaders(headers);
  const description = 'Content-Description: Header section of the mail\r\n';
  if (isAsciiBytes(body)) return textPart(['Content-Type: text/rfc822-headers\r\n', description], body);
  if (international && isUtf8(body)) {
    const fields = ['Content-Type: message/global-headers\r\n', description, ...transferField(true)];
    return { fields, body, eightBit: true };
  }
  // RFC 1428 §3 has the name for bytes of which nobody said what they mean.
  const charset = isUtf8(body) ? 'utf-8' : 'unknown-8bit';
  return quotedPart([`Content-Type: text/rfc822-headers; charset=${charset}\r\n`, description], body);
}

function textPart(fields: string[], body: Buffer): Part {
  return { fields, body, eightBit: false };
}

function quotedPart(fields: string[], body: Buffer): Part {
  return {
    fields: [...fields, 'Content-Transfer-Encoding: quoted-printable\r\n'],
    body: Buffer.from(quotedPrintable(body), 'latin1'),
    eightBit: false,
  };
}

/** With the line end of its last field. */
export function headerSectionOf(content: Buffer): Buffer {
  if (content.subarray(0, 2).toString('latin1') === '\r\n') return content.subarray(0, 0);
  const end = content.indexOf('\r\n\r\n', 0, 'latin1');
  return end === -1 ? content : content.subarray(0, end + 2);
}

/** Octets of a line without its CRLF (RFC 5322 §2.1.1). */
const lineOctets = limits.textLineBytes - 2;

/** Only what fits 8-bit MIME may be returned as it is: no NUL, no bare CR or LF, no endless line (RFC 2045 §2.8). */
function isTransportable(content: Buffer): boolean {
  const text = content.toString('latin1');
  return !/\0|\r(?!\n)|(?<!\r)\n/.test(text) && text.split('\r\n').every((line) => line.length <= lineOctets);
}

/** Whole fields from the top, as many as may be returned; lines as a mail may have them. */
function cleanHeaders(headers: Buffer): Buffer {
  const lines = headers
    .subarray(0, limits.dsnHeaderBytes)
    .toString('latin1')
    .replaceAll('\0', '')
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.slice(0, lineOctets));
  if (headers.length > limits.dsnHeaderBytes) dropLastField(lines);
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/** The last one may have been cut. */
function dropLastField(lines: string[]): void {
  let line = lines.pop();
  while (line !== undefined && /^[ \t]/.test(line)) line = lines.pop();
}

/**
 * A hash of the parts: who wrote into them would have to know it before they are written, so it stands in none.
 * `=_` stands in neither quoted-printable nor base64 (RFC 2045 §6.7).
 */
function boundaryFor(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const { body } of parts) hash.update(body);
  return `=_${hash.digest('hex').slice(0, 40)}`;
}
