/**
 * What one attempt taught us about one forward-path: one record from the socket to the reports.
 * Filled once, where the reply is read; nothing is derived again later from text.
 */
import type { Reason } from './reason.ts';

export const stages = [
  'dns',
  'connect',
  'greeting',
  'ehlo',
  'tls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'end-of-data',
] as const;
/** How far the conversation had come when the verdict fell. */
export type Stage = (typeof stages)[number];

/** RFC 5321 §4.2. `text` is what the peer said, without code and enhanced status; lines joined by LF. */
export interface Reply {
  code: number;
  text: string;
}

/** RFC 3463, `class.subject.detail`. */
export interface EnhancedStatus {
  value: string;
  /** `received` from the peer, or `assigned` by us because the peer gave none. */
  origin: 'received' | 'assigned';
}

export interface TlsFacts {
  /** For example `TLSv1.3`. */
  version: string;
  cipher: string;
  /** The certificate chain was valid for the name we meant to reach. */
  verified: boolean;
}

/** What the connection had to be like, and what it lacked all the same. */
export interface TlsPolicyFacts {
  /**
   * `opportunistic`: TLS if it can be had. `encrypted`: TLS with whoever answers. `required`: a certificate valid for
   * the host. `dane`, `mta-sts`: what the domain publishes (RFC 7672, RFC 8461). `implicit`: as `required`, from the
   * first byte.
   */
  inForce:
    | 'none'
    | 'opportunistic'
    | 'encrypted'
    | 'required'
    | 'implicit'
    | 'dane'
    | 'mta-sts'
    | 'dane+mta-sts';
  /** Why there was no TLS with an authenticated server, or none at all; '' if there was. */
  shortfall: string;
}

export interface RemoteMta {
  /** Host name of the MX or the next hop; the rehearsal destination has one as well. */
  name: string;
  /** IP address connected to; '' when no connection was made. */
  address: string;
  port: number;
}

export interface DeliveryStatus {
  outcome: 'delivered' | 'deferred' | 'failed';
  stage: Stage;
  /** Null when no reply was read: DNS, connect, timeout, lost connection. */
  reply: Reply | null;
  enhancedStatus: EnhancedStatus;
  /** Null for a delivered mail. */
  reason: Reason | null;
  /** One line for people: the reply as received, or our own words when there was none. */
  diagnostic: string;
  remoteMta: RemoteMta | null;
  /** Local address the attempt was made from; '' when no connection was made. */
  sendingIp: string;
  tls: TlsFacts | null;
  /** Absent where no host was about to be connected to. Not kept by the ledger. */
  tlsPolicy?: TlsPolicyFacts;
  /** The server offers DSN (RFC 3461), so it reports what the sender wants to be told of. Not kept by the ledger. */
  dsnOffered?: true;
  startedAt: number;
  durationMs: number;
}
