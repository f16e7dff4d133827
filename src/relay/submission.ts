/** What comes in, whatever door it came through. SMTP and every HTTP API build the same `Submission`. */
import type { Reply } from '../events/delivery-status.ts';
import type { ForwardPathOptions, MailOptions } from '../protocol/smtp/envelope-options.ts';

export interface Submission {
  tenantId: number;
  streamId: number;
  /** The client stands in a trusted network instead of having shown a credential. */
  trustedNetwork: boolean;
  /** IP address of the client. */
  origin: string;
  /** What the client called itself; '' over HTTP. */
  greetingName: string;
  transport: 'smtp' | 'smtps' | 'http';
  /** RFC 3848 keyword. */
  protocol: string;
  /** '' for `<>`. */
  reversePath: string;
  forwardPaths: readonly string[];
  /** Lines ended by CRLF. */
  content: Buffer;
  /** What the client asked for beyond the paths. Absent: nothing. `smtpUtf8`: that it may be needed. */
  options?: MailOptions;
  /** By forward-path. */
  forwardPathOptions?: ReadonlyMap<string, ForwardPathOptions>;
  /** The deliveries are held until then. */
  holdUntil?: number | null;
}

export interface SubmissionRefusal {
  ok: false;
  reply: Reply & { enhancedStatus: string };
  /** For the log, not for the client. */
  privateReason: string;
}

export type SubmissionResult = { ok: true; mailId: number } | SubmissionRefusal;

export function refusal(
  code: number,
  enhancedStatus: string,
  text: string,
  privateReason = text,
): SubmissionRefusal {
  return { ok: false, reply: { code, text, enhancedStatus }, privateReason };
}
