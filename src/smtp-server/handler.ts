/**
 * What the SMTP server needs from the rest of the product. The server speaks the protocol and keeps its
 * bounds; whether a principal, a path or a mail is welcome is said here. Every answer is a value.
 */
import type { EpochMs } from '../base/clock.ts';
import type { Reply } from '../events/delivery-status.ts';
import type { ForwardPathOptions, MailOptions } from '../protocol/smtp/envelope-options.ts';

/** Who submits: the result of AUTH, or of a trusted network. */
export interface Principal {
  tenantId: number;
  streamId: number;
  /** Name for the log. */
  name: string;
  /** Known by its network instead of by a credential. */
  trustedNetwork: boolean;
}

export interface ClientFacts {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
  /** Argument of HELO or EHLO. */
  greetingName: string;
  secure: boolean;
  tls: { version: string; cipher: string } | null;
}

/** A refusal: the reply to send, with its enhanced status, and the private reason for the log. */
export interface Refusal {
  refused: Reply & { enhancedStatus: string };
  privateReason: string;
}

export interface MailParameters {
  /** SIZE= of RFC 1870; null if not given. */
  declaredBytes: number | null;
  body: '7BIT' | '8BITMIME';
  /** HOLDFOR= and HOLDUNTIL= of RFC 4865; null: the mail is not to be held. */
  holdUntil: EpochMs | null;
  /** What goes with the mail to the next server. */
  options: MailOptions;
}

/** What is known of a mail when its forward-paths are told. */
export interface OpenedMail {
  reversePath: string;
  client: ClientFacts;
  protocol: string;
}

export interface SessionSubmission {
  principal: Principal;
  client: ClientFacts;
  /** RFC 3848: `ESMTPSA`, `ESMTPA`, `ESMTPS`, `ESMTP`, `SMTP`; RFC 6531 §4.3: `UTF8SMTPSA` and so on. */
  protocol: string;
  /** `smtps`: TLS from the first byte. With STARTTLS it stays `smtp`. */
  transport: 'smtp' | 'smtps';
  /** '' for `<>`. */
  reversePath: string;
  /** Each mailbox once, in the order given. */
  forwardPaths: string[];
  /** By forward-path, of those that were given with any. */
  forwardPathOptions: ReadonlyMap<string, ForwardPathOptions>;
  options: MailOptions;
  holdUntil: EpochMs | null;
  /** As received, dot-stuffing removed, every line ended by CRLF. */
  content: Buffer;
}

/** Another server hands in reports about mail we sent, without authentication and from anywhere. */
export interface ReportDoor {
  /** `welcome`: takes reports. A refusal: is at the domain for reports and takes nothing. Null: any other address. */
  mailboxOf(forwardPath: string): 'welcome' | Refusal | null;
  /** Resolves when the report is on disk (I1). */
  receive(report: SessionReport): Promise<{ accepted: string } | Refusal>;
  bounds: { contentBytes: number; mailboxes: number };
}

export interface SessionReport {
  client: ClientFacts;
  forwardPaths: string[];
  content: Buffer;
}

export type Authentication = { principal: Principal } | Refusal;

export interface SmtpHandler {
  /** AUTH PLAIN or LOGIN. A refusal with a 5xx code counts as a failed login. */
  authenticate(username: string, password: string, client: ClientFacts): Authentication;
  /** The principal of a client that needs no AUTH; null: AUTH is required. */
  trusted(remoteAddress: string): Authentication | null;
  checkReversePath(principal: Principal, reversePath: string, parameters: MailParameters): Refusal | null;
  /** `count`: this one included, how many forward-paths the mail would have. */
  checkForwardPath(
    principal: Principal,
    forwardPath: string,
    count: number,
    mail: OpenedMail,
  ): Refusal | null;
  /** Resolves when content and queue rows are on disk (I1), with the text after `250 2.0.0 `. */
  submit(submission: SessionSubmission): Promise<{ accepted: string } | Refusal>;
  /** Null or absent: reports are not taken, and nobody unknown gets beyond MAIL. */
  reports?: ReportDoor | null;
}
