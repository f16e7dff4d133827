/** One event as an entry of the event log, pure. What an entry of a name holds follows the service's samples. */
import type { InstallationKey } from '../../base/secret.ts';
import type { DeliveryFacts, MailEvent, MailFacts } from '../../events/event.ts';
import {
  clientTypes,
  type EventWords,
  eventWords,
  failureCodes,
  failureDescriptions,
  reasonWord,
} from './words.ts';

/** Null for an event that does not stand in the log. */
export function renderEvent(key: InstallationKey, event: MailEvent): object | null {
  const words = eventWords[event.type];
  if (words === undefined) return null;
  return { ...renderHead(key, event, words), ...renderBody(event, words) };
}

function renderHead(key: InstallationKey, event: MailEvent, { event: name, logLevel }: EventWords): object {
  const { mail, delivery } = event;
  return {
    event: name,
    id: eventIdOf(key, event),
    timestamp: event.at / 1000,
    'log-level': logLevel,
    recipient: delivery.forwardPath,
    'recipient-domain': delivery.domain,
    'recipient-provider': delivery.provider,
    tags: mail.tags,
    campaigns: [],
    'user-variables': {},
  };
}

/** 22 characters, as the service's ids have; the same at each look. */
function eventIdOf(key: InstallationKey, { delivery, sequence }: MailEvent): string {
  return key.tag('event', Buffer.from(`${delivery.node}:${sequence}`), 16).toString('base64url');
}

function renderBody(event: MailEvent, words: EventWords): object {
  const { mail, delivery } = event;
  switch (words.event) {
    case 'accepted':
      return {
        method: methodOf(mail),
        'originating-ip': mail.origin,
        envelope: envelopeOf(event),
        flags: flagsOf(mail),
        message: messageOf(event),
      };
    case 'delivered':
      return {
        envelope: envelopeOf(event),
        flags: flagsOf(mail),
        'delivery-status': deliveredStatus(event),
        message: messageOf(event),
      };
    case 'failed':
      return renderFailure(event, words);
    case 'rejected':
      return {
        reject: { reason: delivery.diagnostic, description: '' },
        flags: { 'is-test-mode': false },
        message: messageOf(event),
      };
    case 'complained':
    case 'stored':
      return { flags: { 'is-test-mode': false }, message: messageOf(event) };
    default:
      return {
        ...renderEngagement(event),
        message: { headers: { 'message-id': mail.messageIdField } },
      };
  }
}

function renderFailure(event: MailEvent, { severity }: EventWords): object {
  const { mail, delivery } = event;
  return {
    severity,
    reason: reasonWord(event.type, delivery.reason),
    envelope: envelopeOf(event),
    flags: { ...flagsOf(mail), 'is-delayed-bounce': event.type === 'returned' },
    'delivery-status': failedStatus(event),
    message: messageOf(event),
  };
}

function methodOf({ transport }: MailFacts): string {
  return transport === 'http' ? 'http' : 'smtp';
}

function envelopeOf({ mail, delivery }: MailEvent): object {
  return {
    sender: mail.reversePath,
    transport: 'smtp',
    targets: delivery.forwardPath,
    ...(delivery.sendingIp === '' ? {} : { 'sending-ip': delivery.sendingIp }),
  };
}

function flagsOf({ authenticated }: MailFacts): object {
  return {
    'is-routed': false,
    'is-authenticated': authenticated,
    'is-system-test': false,
    'is-test-mode': false,
  };
}

function messageOf({ mail, delivery }: MailEvent): object {
  const { name, address } = mail.fromField;
  return {
    headers: {
      to: mail.toField,
      'message-id': mail.messageIdField,
      from: name === '' ? address : `${name} <${address}>`,
      subject: mail.subject,
    },
    attachments: [],
    recipients: [delivery.forwardPath],
    size: mail.contentBytes,
  };
}

function deliveredStatus(event: MailEvent): object {
  return {
    ...attemptStatus(event),
    code: event.delivery.replyCode ?? 250,
    message: replyText(event),
    description: '',
  };
}

function failedStatus(event: MailEvent): object {
  const { delivery, type } = event;
  const reason = type === 'expired' ? 'old' : (delivery.reason ?? 'generic');
  const own = failureDescriptions[reason];
  const described =
    own === undefined ? { message: replyText(event), description: '' } : { message: '', description: own };
  return {
    ...attemptStatus(event),
    code: failureCode(event, reason),
    ...(type === 'expired' && delivery.replyCode !== null ? { 'last-code': delivery.replyCode } : {}),
    ...described,
    ...(type === 'deferred' && delivery.nextAttemptAt !== null
      ? { 'retry-seconds': seconds(delivery.nextAttemptAt - event.at) }
      : {}),
  };
}

/** The reply's code; a number of the service's own where there was no reply, or where it is not the cause. */
function failureCode({ delivery, type }: MailEvent, reason: keyof typeof failureCodes): number {
  if (type === 'expired') return failureCodes.old ?? 0;
  return delivery.replyCode ?? failureCodes[reason] ?? 0;
}

/** What the attempt itself taught; without one only its number. */
function attemptStatus({ status, delivery, mail }: MailEvent): object {
  return {
    'attempt-no': Math.max(1, delivery.attempts),
    'session-seconds': seconds(status?.durationMs ?? 0),
    ...(delivery.enhancedStatus === '' ? {} : { 'enhanced-code': delivery.enhancedStatus }),
    ...(delivery.firstAttemptAt === null
      ? {}
      : { 'first-delivery-attempt-seconds': seconds(delivery.firstAttemptAt - mail.acceptedAt) }),
    ...(status === null ? {} : remoteFacts(delivery, status.tls)),
  };
}

function remoteFacts({ remoteMta }: DeliveryFacts, tls: { verified: boolean } | null): object {
  return {
    ...(remoteMta === '' ? {} : { 'mx-host': remoteMta }),
    tls: tls !== null,
    'certificate-verified': tls?.verified ?? false,
    utf8: true,
  };
}

/** What the other side said, without its code; our own words where it said nothing. */
function replyText({ status, delivery }: MailEvent): string {
  return status?.reply?.text ?? delivery.diagnostic;
}

function renderEngagement({ type, engagement }: MailEvent): object {
  if (engagement === null) return {};
  const { clientIp, userAgent, device, client, os, isBot, country, url } = engagement;
  return {
    ip: clientIp,
    geolocation: {
      country: country === '' ? 'Unknown' : country.toUpperCase(),
      region: 'Unknown',
      city: 'Unknown',
    },
    'client-info': {
      'client-type': isBot ? 'robot' : clientTypes[device],
      'client-os': os === '' ? 'unknown' : os,
      'device-type': device,
      'client-name': client === '' ? 'unknown' : client,
      'user-agent': userAgent,
      bot: isBot ? 'generic' : '',
    },
    ...(type === 'clicked' ? { url } : {}),
  };
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
