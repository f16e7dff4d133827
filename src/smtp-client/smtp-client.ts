/**
 * The sending side of SMTP (RFC 5321 §4): one connection, one conversation per mail, one observation per
 * forward-path. It reports what was said and how far it came; what that means is `relay/classify.ts`.
 *
 * Not here: which host to try (dns, relay), retries, limits per destination (relay).
 */
import type { RemoteMta, Reply, Stage, TlsFacts } from '../events/delivery-status.ts';

/** Why no reply was read. */
export type FailureCause =
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'connection-lost'
  /** The peer said something that is no SMTP reply, or said too much. */
  | 'protocol'
  | 'tls'
  /** The peer does not offer what the mail needs (8BITMIME, SIZE, AUTH, STARTTLS). */
  | 'unsupported';

/** What one forward-path got to hear. Exactly one of `reply` and `cause` is not null. */
export interface Observation {
  stage: Stage;
  reply: Reply | null;
  /** `x.y.z` at the head of the reply text, if the peer sent one; cut from `reply.text`. */
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
   * handshake fails. `required`: STARTTLS and a valid certificate. `implicit`: TLS from the first byte.
   */
  tls: 'none' | 'opportunistic' | 'required' | 'implicit';
  credentials?: { username: string; password: string };
  timeouts: SmtpTimeouts;
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
}

export interface SmtpSession {
  readonly sendingIp: string;
  readonly tls: TlsFacts | null;
  /**
   * One mail transaction. Resolves with one observation per forward-path, in order; never rejects for
   * anything a peer can do. After a lost connection `usable` is false.
   */
  send(mail: OutgoingMail): Promise<Observation[]>;
  readonly usable: boolean;
  /** QUIT, then close; does not wait longer than `commandMs`. */
  quit(): Promise<void>;
}

/** Never rejects for anything a peer can do: a failed connection is an observation. */
export type Connect = (options: ConnectOptions) => Promise<SmtpSession | { failed: Observation; sendingIp: string }>;
