/**
 * The sending side of SMTP (RFC 5321 §4): one connection, one conversation per mail, one observation per
 * forward-path. It reports what was said and how far it came; what that means is `relay/classify.ts`.
 *
 * Extensions used when offered: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), STARTTLS (3207),
 * AUTH PLAIN and LOGIN (4954), DSN (3461), MT-PRIORITY (6710), LIMITS (9422), and REQUIRETLS (8689) for mail that asks
 * for it. Content is sent as it is, for it may be signed: 8-bit
 * content for a server without 8BITMIME is not converted but reported as `unsupported` with 5.6.3, as RFC 6152
 * §3 has it; lines longer than 998 octets are not folded.
 *
 * A connection lost after the content was sent leaves it open whether the mail was taken (RFC 5321 §4.5.4.1):
 * the observation says `end-of-data`, `connection-lost`, and a retry may deliver the mail twice (invariant I4).
 *
 * A peer can neither make a call here throw nor make it wait or grow without bound (invariant I7).
 *
 * Not here: which host to try (dns, relay), retries, limits per destination (relay).
 */
import type { RemoteMta, Reply, Stage, TlsFacts } from '../events/delivery-status.ts';
import type { ForwardPathOptions, MailOptions } from '../protocol/smtp/envelope-options.ts';
import type { ServerLimits } from '../protocol/smtp/extensions.ts';
import type { DaneCheck } from './dane.ts';

/** Why no reply was read. */
export type FailureCause =
  | 'refused'
  | 'unreachable'
  /** The local address that was asked for cannot be bound: no fault of the peer. */
  | 'own-address'
  | 'timeout'
  | 'connection-lost'
  /** The peer said something that is no SMTP reply, or said too much. */
  | 'protocol'
  | 'tls'
  /**
   * The peer does not offer what the mail needs (8BITMIME, SIZE, AUTH, STARTTLS, SMTPUTF8), or SMTP has no way
   * to say it: a path with a space, an angle bracket or a control.
   */
  | 'unsupported'
  // No server was found to talk to; said by the look-up (`dns`), in the same shape.
  /** The domain says that it takes no mail (RFC 7505). */
  | 'null-mx'
  /** The domain, or every host that could take its mail, does not exist. */
  | 'no-mx'
  /** The look-up failed: temporary, unless `enhancedStatus` says otherwise. */
  | 'dns';

/** What one forward-path got to hear. Exactly one of `reply` and `cause` is not null. */
export interface Observation {
  stage: Stage;
  reply: Reply | null;
  /**
   * `x.y.z` at the head of the reply text, if the peer sent one; cut from `reply.text`. With a `cause`: the
   * status that fits it, if one fits better than others.
   */
  enhancedStatus: string | null;
  cause: FailureCause | null;
  /** One line for people when there is no reply; else ''. */
  text: string;
}

export interface ConnectOptions {
  target: RemoteMta;
  /** Local address to bind; undefined: the system chooses. */
  localAddress?: string;
  /** Name we give in EHLO. */
  greetingName: string;
  /**
   * `opportunistic`: STARTTLS if offered, any certificate, plain text again on a new connection if the
   * handshake fails. `encrypted`: STARTTLS, any certificate. `required`: STARTTLS and a valid certificate.
   * `implicit`: TLS from the first byte and a valid certificate (RFC 8314).
   */
  tls: 'none' | 'opportunistic' | 'encrypted' | 'required' | 'implicit';
  /** The certificate must be the one that these records speak of, beside what `tls` asks for; not with `opportunistic`. */
  dane?: DaneCheck;
  /**
   * For mail with REQUIRETLS (RFC 8689 §4.2), with `tls` `required` or `implicit`: a server without STARTTLS, a valid
   * certificate or REQUIRETLS is not spoken to, which is permanent.
   */
  requireTls?: boolean;
  /** PEM certificates trusted beside those of the system. Keep one array: it is read once. */
  trustedCertificates?: readonly string[];
  /** Never sent without TLS, unless `tls` is `none`. */
  credentials?: { username: string; password: string };
  timeouts: SmtpTimeouts;
  /** Mails over one session, and forward-paths of one mail, beside what the server says (RFC 9422). */
  mailsPerSession?: number;
  pathsPerMail?: number;
}

/** RFC 5321 §4.5.3.2, in milliseconds. */
export interface SmtpTimeouts {
  connectMs: number;
  greetingMs: number;
  commandMs: number;
  dataBlockMs: number;
  endOfDataMs: number;
}

export const defaultTimeouts: SmtpTimeouts = {
  connectMs: 30_000,
  greetingMs: 300_000,
  commandMs: 300_000,
  dataBlockMs: 180_000,
  endOfDataMs: 600_000,
};

export interface OutgoingMail {
  /** '' for `<>`. */
  reversePath: string;
  forwardPaths: readonly string[];
  /** Whole content, lines ended by CRLF; dot-stuffing is done here. */
  content: Buffer;
  /** Absent: nothing is asked for. */
  options?: MailOptions;
  /** Of the forward-paths, in their order. */
  forwardPathOptions?: readonly ForwardPathOptions[];
}

export interface SmtpSession {
  readonly sendingIp: string;
  readonly tls: TlsFacts | null;
  /** What is missing to TLS with the right server, in words: no STARTTLS, a failed handshake, a certificate. Or ''. */
  readonly tlsShortfall: string;
  /**
   * One mail transaction; may be called again when it has ended. Resolves with one observation per
   * forward-path, in order; never rejects for anything a peer can do. After a lost connection, or a reply of
   * 421, `usable` is false.
   */
  send(mail: OutgoingMail): Promise<Observation[]>;
  /** May be given another mail: the connection lives and MAILMAX is not reached. */
  readonly usable: boolean;
  /** The server offers DSN (RFC 3461): it was told what the sender wants to be told of. */
  readonly offersDsn: boolean;
  /** What one mail may have; whoever sends heeds it. */
  readonly limits: ServerLimits;
  /** QUIT, then close; waits for the answer, but not longer than `commandMs` or `limits.smtpQuitMs`. */
  quit(): Promise<void>;
}

/** Never rejects for anything a peer can do: a failed connection is an observation. */
export type Connect = (options: ConnectOptions) => Promise<SmtpSession | FailedConnection>;

export interface FailedConnection {
  failed: Observation;
  sendingIp: string;
  /** Of the handshake, if it came to that. */
  tls: TlsFacts | null;
}

export { connect } from './connect.ts';
export { type DaneCheck, type TlsaRecord, usableTlsa } from './dane.ts';
export { createSessionPool, type Sent, type SessionPool } from './pool.ts';
