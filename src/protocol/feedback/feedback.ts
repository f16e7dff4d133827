/**
 * Feedback reports in the Abuse Reporting Format (RFC 5965, RFC 6591, RFC 6692): what a feedback-report part says.
 * Pure; what follows from a complaint is decided in `relay/receive-report.ts`.
 */
import { limits } from '../../base/limits.ts';
import { bodiesOf, bodyOf, fieldsIn } from '../dsn/report-fields.ts';

export const feedbackType = 'message/feedback-report';

export interface FeedbackReport {
  /** `abuse`, `fraud`, `virus`, `not-spam`, `auth-failure`, `opt-out`, …; lower case. */
  feedbackType: string;
  userAgent: string;
  sourceIp: string;
  originalMailFrom: string;
  /** The complaining recipients, if the reporter tells them. */
  originalRecipients: string[];
  /** Envelope id of the mail that is complained about (RFC 3461). */
  originalEnvelopeId: string;
  reportedDomains: string[];
  /** How many complaints this report stands for. */
  incidents: number;
}

/** Null if the text is no feedback report: its type is the one field that all have. */
export function readFeedbackReport(text: string): FeedbackReport | null {
  const fields = fieldsIn(text.slice(0, limits.reportTextChars));
  const type = /^[a-z][a-z-]{0,40}/i.exec(bodyOf(fields, 'feedback-type'))?.[0].toLowerCase();
  if (type === undefined) return null;
  const recipients = [...bodiesOf(fields, 'original-rcpt-to'), ...bodiesOf(fields, 'removal-recipient')];
  return {
    feedbackType: type,
    userAgent: bodyOf(fields, 'user-agent'),
    sourceIp: bodyOf(fields, 'source-ip'),
    originalMailFrom: bare(bodyOf(fields, 'original-mail-from')),
    originalRecipients: [...new Set(recipients.map(bare).filter(Boolean))].slice(0, limits.reportRecipients),
    originalEnvelopeId: bodyOf(fields, 'original-envelope-id'),
    reportedDomains: bodiesOf(fields, 'reported-domain').slice(0, limits.reportRecipients),
    incidents: incidentsOf(bodyOf(fields, 'incidents')),
  };
}

function bare(body: string): string {
  const text = body.slice(0, limits.classifiedTextChars);
  return (/<([^<>\s]{1,254})>/.exec(text)?.[1] ?? text.replace(/^rfc822;/i, '').trim()).slice(
    0,
    limits.pathBytes,
  );
}

/** RFC 5965 §3.2: one if it is not said. */
function incidentsOf(body: string): number {
  const count = /^\d{1,9}/.exec(body)?.[0];
  return count === undefined ? 1 : Number(count);
}
