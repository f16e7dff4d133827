/**
 * The vocabulary of the product: what can happen to a mail. One event tells of one forward-path of one
 * mail. The queue writes events to the outbox in the transaction that changes the state (invariant I2);
 * the ledger holds each of them once, in outbox order (I5); every number on every surface can be
 * counted again from them (I11).
 */
import type { DeliveryStatus } from './delivery-status.ts';
import type { Reason } from './reason.ts';

export const eventTypes = [
  /** We answered 250 (or HTTP 2xx) for this forward-path. */
  'accepted',
  /** Refused by policy at submission. */
  'rejected',
  /** Postponed by warm-up or a quota. */
  'held',
  'released',
  /** An attempt began. */
  'attempted',
  'delivered',
  /** A temporary failure; another attempt follows. */
  'deferred',
  /** A permanent failure. */
  'failed',
  'expired',
  /** Not tried: the address is on a suppression list. */
  'suppressed',
  'canceled',
  /** A DSN arrived after `delivered`. */
  'returned',
  'complained',
  'opened',
  'clicked',
  'unsubscribed',
  'stored',
  /** Our DSN was sent to the reverse-path. */
  'notified',
] as const;
export type EventType = (typeof eventTypes)[number];

export const deliveryStates = [
  'queued',
  'held',
  'deferred',
  'delivered',
  'failed',
  'expired',
  'suppressed',
  'rejected',
  'canceled',
] as const;
/** Where a delivery stands. Opens, clicks and complaints are not states: they stand beside it. */
export type DeliveryState = (typeof deliveryStates)[number];

export const openStates: readonly DeliveryState[] = ['queued', 'held', 'deferred'];

/** Facts of a mail, fixed when it was accepted. Text is decoded Unicode. */
export interface MailFacts {
  mailId: number;
  tenantId: number;
  /** Number of the sending identity; 5 digits or more. */
  streamId: number;
  /** Domain of the From field that the tenant owns; '' if none. */
  sendingDomain: string;
  acceptedAt: number;
  /** '' for the null reverse-path `<>`. */
  reversePath: string;
  fromField: { address: string; name: string };
  /** The To field as one decoded text. */
  toField: string;
  /** First address of Reply-To; '' if the field is absent. */
  replyTo: string;
  subject: string;
  /** Without angle brackets. */
  messageIdField: string;
  contentBytes: number;
  bodyBytes: number;
  /** IP address of the submitting client. */
  origin: string;
  transport: 'smtp' | 'smtps' | 'http';
  /** RFC 3848 keyword: `ESMTPSA`, `ESMTPA`, `ESMTP`, `SMTP`, `HTTP`. */
  protocol: string;
  authenticated: boolean;
  tags: string[];
  /** '' or the name of the template it was made from. */
  template: string;
  /** `TXN`, `OTP`, `MKT` or ''. */
  category: string;
}

/** Facts of a delivery as they stand right after the event. */
export interface DeliveryFacts {
  /** Number of the forward-path within the mail, from 1. */
  n: number;
  forwardPath: string;
  /** Domain of the forward-path, lower case, A-labels. */
  domain: string;
  /** Mailbox provider, for example `gmail.com`; the domain when unknown. */
  provider: string;
  /** Display name from the To field if it names this address; ''. */
  displayName: string;
  state: DeliveryState;
  stateAt: number;
  /** Attempts begun so far. */
  attempts: number;
  /** `deferred` events so far. */
  deferrals: number;
  firstAttemptAt: number | null;
  lastAttemptAt: number | null;
  deliveredAt: number | null;
  nextAttemptAt: number | null;
  expiresAt: number | null;
  /** True while an attempt is under way. */
  leased: boolean;
  /** Last verdict: kept through later events that bring none. */
  reason: Reason | null;
  replyCode: number | null;
  enhancedStatus: string;
  /** Last reply with its code, as one line; or our own words; '' before the first attempt. */
  diagnostic: string;
  remoteMta: string;
  remoteMtaAddress: string;
  sendingIp: string;
  /** Name of the relay node. */
  node: string;
}

/** Facts of `opened`, `clicked`, `unsubscribed`, `complained`. */
export interface Engagement {
  clientIp: string;
  userAgent: string;
  device: 'desktop' | 'mobile' | 'tablet' | 'unknown';
  client: string;
  os: string;
  isBot: boolean;
  /** ISO 3166-1 alpha-2, lower case; '' when unknown. */
  country: string;
  url: string;
}

/** What the outbox holds for the ledger. */
export interface MailEvent {
  /** Outbox sequence of the node: gapless, from 1. */
  sequence: number;
  type: EventType;
  at: number;
  mail: MailFacts;
  delivery: DeliveryFacts;
  /** The attempt that caused it: `delivered`, `deferred`, `failed`, `expired`; else null. */
  status: DeliveryStatus | null;
  engagement: Engagement | null;
}
