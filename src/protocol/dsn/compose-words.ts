/** The part of a DSN that people read: what happened, to whom, what the server said, what to do. Pure. */
import { limits } from '../../base/limits.ts';
import { rfc5322Date } from '../../base/time-text.ts';
import type { DsnRecipient, DsnReport } from './compose.ts';
import { oneLine, plainAddress, wrap } from './compose-text.ts';
import type { Action } from './dsn.ts';

/** Worst first. */
const order: readonly Action[] = ['failed', 'delayed', 'expanded', 'relayed', 'delivered'];

const subjects: Readonly<Record<Action, string>> = {
  failed: 'Your mail could not be delivered',
  delayed: 'Your mail is delayed',
  expanded: 'Your mail was passed on',
  relayed: 'Your mail was passed on',
  delivered: 'Your mail was delivered',
};

/** By the worst that is reported. */
export function subjectOf(recipients: readonly DsnRecipient[]): string {
  const worst = order.find((action) => recipients.some((recipient) => recipient.action === action));
  return subjects[worst ?? 'delivered'];
}

export interface WordsQuestion extends Pick<DsnReport, 'reportingMta' | 'arrivalAt' | 'recipients'> {
  returns: 'content' | 'headers';
  /** Of what a server said about one recipient. */
  diagnosticChars: number;
}

/** Lines ended by CRLF. */
export function wordsOf(question: WordsQuestion): string {
  const { reportingMta, recipients, returns } = question;
  let room: number = limits.dsnRecipientsInWords;
  const lines = [`This is the mail server ${reportingMta}.`, ''];
  for (const action of order) {
    const reported = recipients.filter((recipient) => recipient.action === action);
    if (reported.length === 0) continue;
    const named = reported.slice(0, room);
    room -= named.length;
    lines.push(...wrap(openingOf(action, reported.length, question.arrivalAt), ''), '');
    for (const recipient of named) lines.push(...aboutRecipient(recipient, question.diagnosticChars), '');
    const unnamed = reported.length - named.length;
    if (unnamed > 0) lines.push(...wrap(`... and ${unnamed} more, whom the report below names.`, '  '), '');
  }
  const what = returns === 'content' ? 'your mail' : 'the header section of your mail';
  lines.push(...wrap(`Below follow a report for programs and ${what}.`, ''));
  return `${lines.join('\r\n')}\r\n`;
}

function openingOf(action: Action, count: number, arrivalAt: number): string {
  const whom = count === 1 ? 'this recipient' : `these ${count} recipients`;
  const mail = `Your mail of ${rfc5322Date(arrivalAt)}`;
  switch (action) {
    case 'failed':
      return `${mail} could not be delivered to ${whom}, and will not be tried again:`;
    case 'delayed':
      return `${mail} has not been delivered yet to ${whom}. This is only a warning: the mail is tried again, and you need not send it once more.`;
    case 'expanded':
      return `${mail} was passed on to the members of a list. Nothing more will be reported about ${whom}:`;
    case 'relayed':
      return `${mail} was passed on for ${whom}. The next server does not report deliveries, so this may be the last you hear of it:`;
    default:
      return `${mail} was delivered to ${whom}, as you asked to be told:`;
  }
}

function aboutRecipient(recipient: DsnRecipient, diagnosticChars: number): string[] {
  const { finalRecipient, originalRecipient, action, willRetryUntil } = recipient;
  const original = originalRecipient && plainAddress(originalRecipient.address);
  const lines = [`  <${plainAddress(finalRecipient)}>`];
  if (original && original.toLowerCase() !== finalRecipient.toLowerCase())
    lines.push(`    (addressed as <${original}>)`);
  lines.push(...said(recipient, diagnosticChars));
  if (action === 'delayed' && willRetryUntil !== null)
    lines.push(...wrap(`It will be tried until ${rfc5322Date(willRetryUntil)}.`, '    '));
  if (action === 'failed') lines.push(...wrap(`What you can do: ${adviceFor(recipient.status)}`, '    '));
  return lines;
}

function said({ diagnostic, remoteMta }: DsnRecipient, diagnosticChars: number): string[] {
  const text = oneLine(diagnostic?.text ?? '', diagnosticChars);
  if (diagnostic === null || text === '') return [];
  if (diagnostic.type !== 'smtp') return wrap(`Reason: ${text}`, '    ');
  return [
    `    ${remoteMta ? oneLine(remoteMta, limits.domainBytes) : 'The server'} said:`,
    ...wrap(text, '      '),
  ];
}

const address = 'check the address for typing errors; it may not exist any more.';
const domain = 'check the part of the address behind the "@": mail for it finds no server.';

/** The first that fits (RFC 3463, RFC 7505). */
const advice: readonly [status: RegExp, words: string][] = [
  [/^5\.1\.(?:1|3|6)$/, address],
  [/^5\.(?:1\.2|1\.10|4\.4)$/, domain],
  [/^[45]\.2\.2$/, 'the mailbox is full. Send it again later, or reach the recipient in another way.'],
  [
    /^5\.(?:2\.3|3\.4)$/,
    'the mail is too large. Send it in smaller parts, or share its files in another way.',
  ],
  [/^[45]\.7\./, 'the server refuses the mail by its own rules. Show this report to who runs your mail.'],
  [/^4\./, 'the server could not take the mail for too long. Send it again later.'],
];

function adviceFor(status: string): string {
  const found = advice.find(([pattern]) => pattern.test(status));
  return found?.[1] ?? 'if the reason is not clear, show this report to who runs your mail.';
}
