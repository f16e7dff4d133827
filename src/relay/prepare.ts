/** Steps 5 to 7 of a mail's way in: read its facts, add the fields it lacks and the trace field. */

import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { rfc5322Date } from '../base/time-text.ts';
import type { MailFacts } from '../events/event.ts';
import { domainOf } from '../protocol/address/address.ts';
import {
  addressesIn,
  authorsIn,
  decodedText,
  messageIdIn,
  type NamedAddress,
} from '../protocol/message/fields.ts';
import { type HeaderSection, readHeaderSection } from '../protocol/message/header-section.ts';
import { isAscii } from '../protocol/smtp/commands.ts';
import { refusal, type Submission, type SubmissionRefusal } from './submission.ts';

export interface PreparedMail {
  ok: true;
  facts: MailFacts;
  /** With the fields that were added. */
  content: Buffer;
  /** Every address in the From field; empty if there is none. */
  authors: string[];
  /** Mailboxes of the To field, for display names. */
  toMailboxes: NamedAddress[];
}

interface Circumstances {
  mailId: number;
  acceptedAt: number;
  hostname: string;
}

/** The field that carries a mail's tags; it may stand several times. */
const tagField = 'x-waybill-tag';
const tagsPerMail = 10;
const tagCharacters = 128;

export function prepare(
  submission: Submission,
  circumstances: Circumstances,
): PreparedMail | SubmissionRefusal {
  const header = readHeaderSection(submission.content);
  if (!header.ok) return refusal(554, '5.6.0', `Message refused: ${header.problem}`);
  // RFC 5322 §3.6: which of two a reader shows, nobody knows.
  if (header.fields.filter((field) => field.name === 'from').length > 1)
    return refusal(554, '5.6.0', 'Message refused: more than one From field');
  const received = header.fields.filter((field) => field.name === 'received').length;
  if (received > limits.receivedFields) {
    return refusal(554, '5.4.6', `Mail loop: more than ${limits.receivedFields} Received fields`);
  }
  const facts = factsOf(submission, header, circumstances);
  return {
    ok: true,
    facts: { ...facts, messageIdField: facts.messageIdField || newMessageId(facts, circumstances) },
    content: completed(submission, header, facts, circumstances),
    authors: authorsIn(header.fields),
    toMailboxes: addressesIn(header.fields, 'to'),
  };
}

function factsOf(
  submission: Submission,
  header: HeaderSection,
  { mailId, acceptedAt }: Circumstances,
): MailFacts {
  const { fields, bodyOffset } = header;
  const fromField = addressesIn(fields, 'from')[0] ?? { address: submission.reversePath, name: '' };
  return {
    mailId,
    tenantId: submission.tenantId,
    streamId: submission.streamId,
    sendingDomain: domainOf(fromField.address),
    acceptedAt,
    reversePath: submission.reversePath,
    fromField,
    toField: decodedText(fields, 'to'),
    replyTo: addressesIn(fields, 'reply-to')[0]?.address ?? '',
    subject: decodedText(fields, 'subject'),
    messageIdField: messageIdIn(fields),
    contentBytes: submission.content.length,
    bodyBytes: submission.content.length - bodyOffset,
    origin: submission.origin,
    transport: submission.transport,
    protocol: submission.protocol,
    authenticated: true,
    tags: tagsIn(header),
    template: '',
    category: '',
  };
}

function tagsIn({ fields }: HeaderSection): string[] {
  const tags = fields
    .filter((field) => field.name === tagField && field.body !== '')
    .map((field) => field.body);
  return [...new Set(tags.map((tag) => tag.slice(0, tagCharacters)))].slice(0, tagsPerMail);
}

/** RFC 6409 §8: a submission server may complete what is missing. */
function completed(
  submission: Submission,
  header: HeaderSection,
  facts: MailFacts,
  circumstances: Circumstances,
): Buffer {
  const has = (name: string) => header.fields.some((field) => field.name === name);
  const added = [
    traceField(submission, circumstances),
    ...(has('date') ? [] : [`Date: ${rfc5322Date(circumstances.acceptedAt)}\r\n`]),
    ...(has('message-id') ? [] : [`Message-ID: <${newMessageId(facts, circumstances)}>\r\n`]),
    ...(has('from')
      ? []
      : [`From: <${submission.reversePath || `postmaster@${circumstances.hostname}`}>\r\n`]),
  ];
  const { content } = submission;
  if (header.separated) return Buffer.concat([Buffer.from(added.join('')), content]);
  const fields = content.subarray(0, header.bytes);
  return Buffer.concat([
    Buffer.from(added.join('')),
    fields,
    Buffer.from('\r\n'),
    content.subarray(header.bodyOffset),
  ]);
}

function newMessageId(facts: MailFacts, { mailId, hostname }: Circumstances): string {
  return `${relayIdOf(mailId)}@${facts.sendingDomain || hostname}`;
}

/**
 * RFC 5321 §4.4. The forward-path is named only when it is the only one: others' addresses are nobody's business; and
 * when it is ASCII, so that the header section does not need SMTPUTF8 because of us.
 */
function traceField(submission: Submission, { mailId, acceptedAt, hostname }: Circumstances): string {
  const { origin, greetingName, protocol, forwardPaths, options } = submission;
  const literal = origin.includes(':') ? `[IPv6:${origin}]` : `[${origin}]`;
  const from = `from ${traceName(greetingName) || literal} (${literal})`;
  const [only = ''] = forwardPaths.length === 1 ? forwardPaths.filter(isAscii) : [];
  const recipient = only === '' ? '' : `\r\n\tfor <${only}>`;
  // RFC 6710
  const priority = typeof options?.priority === 'number' ? `\r\n\tPRIORITY ${options.priority}` : '';
  return `Received: ${from}\r\n\tby ${hostname} (Waybill) with ${protocol} id ${relayIdOf(mailId)}${recipient}${priority};\r\n\t${rfc5322Date(acceptedAt)}\r\n`;
}

/** Only what a host name or an address literal can hold: the client chose this text. */
function traceName(greetingName: string): string {
  return /^[A-Za-z0-9._:[\]-]{1,255}$/.test(greetingName) ? greetingName : '';
}
