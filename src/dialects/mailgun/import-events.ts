/**
 * Events as the service hands them out (`GET /v3/{domain}/events`, its webhooks, its logs) in the form that an import
 * reads: pages, arrays, or one object a line. Pure.
 */
import { createHash } from 'node:crypto';
import { limits } from '../../base/limits.ts';
import type { Engagement } from '../../events/event.ts';
import type { Reason } from '../../events/reason.ts';
import type { DeliveryEvent, LogFormat, LoggedFacts, LogRecord, Parsed, Told } from '../../imports/record.ts';
import { addressesIn } from '../../protocol/message/fields.ts';

export const eventExport: LogFormat = { name: 'mailgun', cut: 'json', reader: () => parseEvent };

type Json = Readonly<Record<string, unknown>>;

function parseEvent(text: string): Parsed {
  const read = objectIn(text);
  if (read === null) return 'unparsed';
  // A webhook carries the event in an envelope.
  const event = 'event-data' in read ? asObject(read['event-data']) : read;
  const name = textOf(event['event']);
  const at = timeOf(event);
  if (name === '') return 'unparsed';
  const type = typeOf(name, event);
  if (type === null) return 'ignored';
  const address = clean(textOf(event['recipient']));
  if (at === null || !address.includes('@')) return 'unparsed';
  return recordsOf(event, { at, id: idOf(event), type, address });
}

function objectIn(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** Seconds with a fraction in events, ISO 8601 in logs. */
function timeOf(event: Json): number | null {
  const seconds = event['timestamp'] ?? event['@timestamp'];
  const at = typeof seconds === 'number' ? Math.round(seconds * 1000) : Date.parse(textOf(seconds));
  return Number.isFinite(at) && at > 0 ? at : null;
}

const types: Readonly<Record<string, DeliveryEvent>> = {
  accepted: 'accepted',
  rejected: 'rejected',
  delivered: 'delivered',
  opened: 'opened',
  clicked: 'clicked',
  unsubscribed: 'unsubscribed',
  complained: 'complained',
  stored: 'stored',
};

/** Null for what is told of no mail, such as changes of mailing lists. */
function typeOf(name: string, event: Json): DeliveryEvent | null {
  if (name !== 'failed') return Object.hasOwn(types, name) ? (types[name] ?? null) : null;
  if (asObject(event['flags'])['is-delayed-bounce'] === true) return 'returned';
  if (event['severity'] === 'temporary') return 'deferred';
  const reason = textOf(event['reason']);
  if (reason.startsWith('suppress-')) return 'suppressed';
  return reason === 'old' ? 'expired' : 'failed';
}

/** A mail is known by its Message-ID; where there is none by where it was stored, or the event stands alone. */
function idOf(event: Json): string {
  const headers = asObject(asObject(event['message'])['headers']);
  const key = textOf(asObject(event['storage'])['key']);
  const name = clean(textOf(headers['message-id'])) || key || textOf(event['id']);
  const known = name === '' ? JSON.stringify(event) : name;
  return `mailgun ${known.length <= 200 ? known : createHash('sha256').update(known).digest('base64url')}`;
}

/** Without what an address or an id cannot have. */
function clean(text: string): string {
  return text.replace(/[\x00-\x20\x7f<>]/g, '').slice(0, limits.importAddressChars);
}

function line(text: string): string {
  return text
    .slice(0, limits.importTextChars)
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .trim();
}

interface About {
  at: number;
  id: string;
  type: DeliveryEvent;
  address: string;
}

function recordsOf(event: Json, { at, id, type, address }: About): LogRecord[] {
  const mail: LogRecord = {
    kind: 'mail',
    at,
    id,
    begins: false,
    accepted: type !== 'rejected',
    facts: factsOf(event),
  };
  const engagement = engagementOf(event, type);
  return [
    mail,
    {
      ...{ kind: 'delivery', at, id, type, to: { address }, told: toldBy(event, type) },
      ...(engagement === null ? {} : { engagement }),
    },
  ];
}

function factsOf(event: Json): LoggedFacts {
  const message = asObject(event['message']);
  const headers = asObject(message['headers']);
  const [from] = addressesIn([{ name: 'from', body: textOf(headers['from']).slice(0, 1000) }], 'from');
  const flags = asObject(event['flags']);
  const sender = clean(textOf(asObject(event['envelope'])['sender']));
  const size = Number(message['size']);
  const method = textOf(event['method']);
  const tags = Array.isArray(event['tags'])
    ? event['tags'].map((tag) => line(textOf(tag))).slice(0, 100)
    : [];
  return {
    ...(sender === '' ? {} : { reversePath: sender }),
    ...(from === undefined ? {} : { fromField: { address: clean(from.address), name: line(from.name) } }),
    ...told('toField', line(textOf(headers['to']))),
    ...told('subject', line(textOf(headers['subject']))),
    ...told('messageIdField', clean(textOf(headers['message-id']))),
    ...told('origin', textOf(event['originating-ip'])),
    ...(Number.isSafeInteger(size) && size > 0 ? { contentBytes: size } : {}),
    ...(flags['is-authenticated'] === true ? { authenticated: true } : {}),
    ...(tags.length === 0 ? {} : { tags }),
    ...told('template', line(textOf(asObject(event['template'])['name']))),
    ...(/^http$/i.test(method) ? { transport: 'http' as const, protocol: 'HTTP' } : {}),
  };
}

/** Some events know less of the mail than others: what they do not tell is not taken back. */
function told<Name extends string>(name: Name, text: string): Partial<Record<Name, string>> {
  return text === '' ? {} : ({ [name]: text } as Record<Name, string>);
}

const reasons: Readonly<Record<string, Reason>> = {
  bounce: 'bounce',
  hardfail: 'bounce',
  espblock: 'espblock',
  blacklisted: 'espblock',
  greylisted: 'greylisted',
  generic: 'generic',
  old: 'old',
  'suppress-bounce': 'suppress-bounce',
  'suppress-complaint': 'suppress-complaint',
  'suppress-unsubscribe': 'suppress-unsubscribe',
};

function toldBy(event: Json, type: DeliveryEvent): Told {
  const status = asObject(event['delivery-status']);
  const code = Number(status['code']);
  const words = line(
    [status['message'], status['description'], asObject(event['reject'])['reason']]
      .map(textOf)
      .find((text) => text !== '') ?? '',
  );
  // Numbers from 600 are the service's own, for what no server said.
  const spoken = code >= 200 && code < 600 && !words.startsWith(String(code));
  const seconds = Number(status['session-seconds']);
  const host = line(textOf(status['mx-host']));
  const reason = textOf(event['reason']);
  return {
    text: spoken ? `${code} ${words}`.trim() : words,
    status: textOf(status['enhanced-code']),
    ...(type === 'delivered' ? { stage: 'end-of-data' as const } : {}),
    ...(Object.hasOwn(reasons, reason) ? { reason: reasons[reason] ?? 'generic' } : {}),
    remoteMta: host === '' ? null : { name: host, address: '', port: 25 },
    durationMs: Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) : 0,
  };
}

const devices: readonly Engagement['device'][] = ['desktop', 'mobile', 'tablet', 'unknown'];

function engagementOf(event: Json, type: DeliveryEvent): Engagement | null {
  if (type !== 'opened' && type !== 'clicked' && type !== 'unsubscribed' && type !== 'complained')
    return null;
  const client = asObject(event['client-info']);
  const country = textOf(asObject(event['geolocation'])['country']).toLowerCase();
  const device = devices.find((known) => known === textOf(client['device-type']));
  return {
    clientIp: line(textOf(event['ip'])),
    userAgent: line(textOf(client['user-agent'])),
    device: device ?? 'unknown',
    client: line(textOf(client['client-name'])),
    os: line(textOf(client['client-os'])),
    isBot: textOf(client['bot']) !== '' || textOf(client['client-type']) === 'robot',
    country: /^[a-z]{2}$/.test(country) ? country : '',
    url: line(textOf(event['url'])),
  };
}
