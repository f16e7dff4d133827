/**
 * What the closed lists of `src/events` mean, for the reference page. The types make this complete: a new
 * event type, state, reason or stage does not compile until its line stands here.
 */
import type { Stage } from '../../src/events/delivery-status.ts';
import type { DeliveryState, EventType } from '../../src/events/event.ts';
import type { Reason } from '../../src/events/reason.ts';

export const eventMeanings: Readonly<Record<EventType, string>> = {
  accepted: 'Waybill answered 250 (or HTTP 2xx): mail and queue entry are on disk.',
  rejected: 'Refused by policy at submission.',
  held: 'Postponed: by a quota of the tenant, by the sender until a time, or by an operator.',
  released: 'No longer held.',
  attempted: 'An attempt began.',
  delivered: 'The server of the recipient took the mail.',
  deferred: 'A temporary failure; another attempt follows.',
  failed: 'A permanent failure.',
  expired: 'The retry schedule is used up.',
  suppressed: 'Not tried: the address is on a suppression list.',
  canceled: 'An operator or the tenant took it out of the queue.',
  returned: 'A DSN arrived after `delivered`.',
  complained: 'The recipient reported the mail as unwanted.',
  opened: 'The recipient, or a program for it, loaded the tracking image.',
  clicked: 'The recipient, or a program for it, followed a tracked link.',
  unsubscribed: 'The recipient asked for no more mail.',
  stored: 'The content was kept for later retrieval.',
  notified: 'The DSN of Waybill was sent to the reverse-path.',
};

export const stateMeanings: Readonly<Record<DeliveryState, string>> = {
  queued: 'Waits for its first attempt, or is under way.',
  held: 'Waits to be released.',
  deferred: 'Waits for another attempt after a temporary failure.',
  delivered: 'Ended: taken by the server of the recipient.',
  failed: 'Ended: permanent failure.',
  expired: 'Ended: the retry schedule was used up.',
  suppressed: 'Ended without an attempt: the address is on a suppression list.',
  rejected: 'Never entered the queue: refused by policy at submission.',
  canceled: 'Ended: taken out of the queue.',
};

export const reasonMeanings: Readonly<Record<Reason, string>> = {
  bounce: 'Refused for the recipient or the content: the address does not exist or will not take it.',
  espblock: 'Refused by reputation or policy of the provider; says nothing about the address.',
  greylisted: 'Asked to come back later.',
  generic: 'Refused in words that fit no other reason.',
  old: 'The retry schedule is used up.',
  'no-mx': 'The domain has neither an MX host nor an address.',
  'null-mx': 'The domain says that it takes no mail (RFC 7505).',
  connect: 'No server of the domain could be reached, or the connection was lost.',
  tls: 'No connection as secure as required.',
  dns: 'The name service gave no answer.',
  'mailbox-full': 'The mailbox of the recipient is full.',
  'rate-limited': 'Too much mail: for the taste of the server, or for the quota of the tenant.',
  'suppress-bounce': 'On the suppression list after a permanent failure.',
  'suppress-complaint': 'On the suppression list after a complaint.',
  'suppress-unsubscribe': 'On the suppression list after an unsubscription.',
  'deny-rule': 'A rule of the tenant denies this address.',
  'sender-domain': "The sender's domain is not a verified sending domain of the tenant.",
  template: 'The template could not be filled.',
  credit: 'The quota of the tenant is used up.',
  canceled: 'An operator or the tenant took it out of the queue.',
  internal: 'A fault of Waybill itself.',
};

export const stageMeanings: Readonly<Record<Stage, string>> = {
  dns: 'Looking for the servers of the domain.',
  connect: 'Opening the connection.',
  greeting: 'Waiting for the greeting.',
  ehlo: 'EHLO or HELO.',
  tls: 'STARTTLS and the handshake.',
  auth: 'Logging in at the next hop.',
  mail: 'MAIL FROM.',
  rcpt: 'RCPT TO.',
  data: 'DATA or BDAT, before the content was sent.',
  'end-of-data': 'After the whole content was sent.',
};
