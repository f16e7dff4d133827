/**
 * Events as rows and rows as facts again. Every field comes back exactly as it was appended; this file is
 * the only one that knows which column holds which field.
 *
 * Writing never fails: a row the engine refuses would stop the outbox for ever, so numbers that are not
 * whole are rounded, and lone surrogates (which no text decoded from mail has) become U+FFFD.
 */
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, Engagement, MailEvent, MailFacts } from '../events/event.ts';
import type { Cell } from './engine.ts';

/** Columns of `events` in the order in which `eventCells` writes them. */
export const eventColumnNames = [
  ...['outbox_node', 'sequence', 'type', 'at'],
  ...['tenant_id', 'stream_id', 'mail_id', 'sending_domain', 'accepted_at', 'reverse_path', 'from_address'],
  ...[
    'from_name',
    'to_field',
    'reply_to',
    'subject',
    'message_id_field',
    'content_bytes',
    'body_bytes',
    'origin',
  ],
  ...['transport', 'protocol', 'authenticated', 'tags', 'template', 'category'],
  ...[
    'n',
    'forward_path',
    'domain',
    'provider',
    'display_name',
    'state',
    'state_at',
    'attempts',
    'deferrals',
  ],
  ...[
    'first_attempt_at',
    'last_attempt_at',
    'delivered_at',
    'next_attempt_at',
    'expires_at',
    'leased',
    'reason',
  ],
  ...[
    'reply_code',
    'enhanced_status',
    'diagnostic',
    'remote_mta',
    'remote_mta_address',
    'sending_ip',
    'node',
  ],
  ...['status_outcome', 'status_stage', 'status_reply_code', 'status_reply_text', 'status_enhanced_status'],
  ...['status_enhanced_origin', 'status_reason', 'status_diagnostic', 'status_remote_mta'],
  ...['status_remote_mta_address', 'status_remote_mta_port', 'status_sending_ip', 'status_tls_version'],
  ...['status_tls_cipher', 'status_tls_verified', 'status_started_at', 'status_duration_ms'],
  ...['client_ip', 'user_agent', 'device', 'client', 'os', 'is_bot', 'country', 'url'],
] as const;

/** A batch as JSONCompactEachRow. Times are whole milliseconds, which is what DateTime64(3) counts. */
export function encodeRows(node: string, events: readonly MailEvent[]): Buffer {
  const lines = events.map((event) => wellFormedLine(JSON.stringify(eventCells(node, event))));
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** `JSON.stringify` writes lone surrogates as escapes, so a line without this escape has none. */
function wellFormedLine(line: string): string {
  if (!/\\ud[89a-f]/.test(line)) return line;
  return JSON.stringify(
    JSON.parse(line, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value)),
  );
}

function eventCells(node: string, event: MailEvent): unknown[] {
  return [
    ...[node, whole(event.sequence), event.type, whole(event.at)],
    ...mailCells(event.mail),
    ...deliveryCells(event.delivery),
    ...statusCells(event.status),
    ...engagementCells(event.engagement),
  ];
}

function mailCells(mail: MailFacts): unknown[] {
  return [
    ...[
      whole(mail.tenantId),
      whole(mail.streamId),
      whole(mail.mailId),
      mail.sendingDomain,
      whole(mail.acceptedAt),
    ],
    ...[
      mail.reversePath,
      mail.fromField.address,
      mail.fromField.name,
      mail.toField,
      mail.replyTo,
      mail.subject,
    ],
    ...[mail.messageIdField, whole(mail.contentBytes), whole(mail.bodyBytes), mail.origin, mail.transport],
    ...[mail.protocol, mail.authenticated, mail.tags, mail.template, mail.category],
  ];
}

function deliveryCells(delivery: DeliveryFacts): unknown[] {
  return [
    ...[whole(delivery.n), delivery.forwardPath, delivery.domain, delivery.provider, delivery.displayName],
    ...[delivery.state, whole(delivery.stateAt), whole(delivery.attempts), whole(delivery.deferrals)],
    ...[wholeOrNull(delivery.firstAttemptAt), wholeOrNull(delivery.lastAttemptAt)],
    ...[
      wholeOrNull(delivery.deliveredAt),
      wholeOrNull(delivery.nextAttemptAt),
      wholeOrNull(delivery.expiresAt),
    ],
    ...[delivery.leased, delivery.reason ?? '', smallOrNull(delivery.replyCode), delivery.enhancedStatus],
    ...[
      delivery.diagnostic,
      delivery.remoteMta,
      delivery.remoteMtaAddress,
      delivery.sendingIp,
      delivery.node,
    ],
  ];
}

const noStatus = ['', '', null, '', '', '', '', '', '', '', null, '', '', '', null, 0, 0];

function statusCells(status: DeliveryStatus | null): unknown[] {
  if (status === null) return noStatus;
  const { reply, remoteMta, tls, enhancedStatus } = status;
  return [
    ...[status.outcome, status.stage, smallOrNull(reply?.code ?? null), reply?.text ?? ''],
    ...[enhancedStatus.value, enhancedStatus.origin, status.reason ?? '', status.diagnostic],
    ...[
      remoteMta?.name ?? '',
      remoteMta?.address ?? '',
      smallOrNull(remoteMta?.port ?? null),
      status.sendingIp,
    ],
    ...[tls?.version ?? '', tls?.cipher ?? '', tls?.verified ?? null],
    ...[whole(status.startedAt), whole(status.durationMs)],
  ];
}

const noEngagement = ['', '', '', '', '', false, '', ''];

function engagementCells(engagement: Engagement | null): unknown[] {
  if (engagement === null) return noEngagement;
  const { clientIp, userAgent, device, client, os, isBot, country, url } = engagement;
  return [clientIp, userAgent, device, client, os, isBot, country, url];
}

/** 9,999,999,999,999 ms is in the year 2286: within DateTime64, and within 2^53. */
const largest = Number.MAX_SAFE_INTEGER;

function whole(value: number): number {
  return Number.isFinite(value) ? Math.min(largest, Math.max(0, Math.round(value))) : 0;
}

function wholeOrNull(value: number | null): number | null {
  return value === null ? null : whole(value);
}

/** Reply codes and ports: UInt16. */
function smallOrNull(value: number | null): number | null {
  return value === null ? null : Math.min(65_535, whole(value));
}

/* ---- back from rows ---- */

const ms = (column: string) => `toUnixTimestamp64Milli(${column})`;

export const mailSelection = [
  ...[
    'tenant_id',
    'stream_id',
    'mail_id',
    'sending_domain',
    ms('accepted_at'),
    'reverse_path',
    'from_address',
  ],
  ...[
    'from_name',
    'to_field',
    'reply_to',
    'subject',
    'message_id_field',
    'content_bytes',
    'body_bytes',
    'origin',
  ],
  ...['transport', 'protocol', 'authenticated', 'tags', 'template', 'category'],
];

export const deliverySelection = [
  ...[
    'n',
    'forward_path',
    'domain',
    'provider',
    'display_name',
    'state',
    ms('state_at'),
    'attempts',
    'deferrals',
  ],
  ...[
    ms('first_attempt_at'),
    ms('last_attempt_at'),
    ms('delivered_at'),
    ms('next_attempt_at'),
    ms('expires_at'),
  ],
  ...['leased', 'reason', 'reply_code', 'enhanced_status', 'diagnostic', 'remote_mta', 'remote_mta_address'],
  ...['sending_ip', 'node'],
];

const statusSelection = [
  ...['status_outcome', 'status_stage', 'status_reply_code', 'status_reply_text', 'status_enhanced_status'],
  ...['status_enhanced_origin', 'status_reason', 'status_diagnostic', 'status_remote_mta'],
  ...['status_remote_mta_address', 'status_remote_mta_port', 'status_sending_ip', 'status_tls_version'],
  ...['status_tls_cipher', 'status_tls_verified', ms('status_started_at'), 'status_duration_ms'],
];

const engagementSelection = ['client_ip', 'user_agent', 'device', 'client', 'os', 'is_bot', 'country', 'url'];

export const eventSelection = [
  ...['outbox_node', 'sequence', 'type', ms('at')],
  ...mailSelection,
  ...deliverySelection,
  ...statusSelection,
  ...engagementSelection,
];

/** The cells of one row, taken in the order of a selection above. */
export class RowReader {
  readonly #cells: readonly Cell[];
  #next = 0;

  constructor(cells: readonly Cell[]) {
    this.#cells = cells;
  }

  /** The columns' types promise what a cell holds; `T` repeats that promise. */
  take<T>(): T {
    const cell = this.#cells[this.#next];
    this.#next += 1;
    return cell as T;
  }

  text(): string {
    return this.take<string>();
  }

  number(): number {
    return this.take<number>();
  }

  /** '' stands for none. */
  member<T extends string>(): T | null {
    return this.take<T | ''>() || null;
  }
}

// The readers below rely on the members of an object literal being evaluated in the order they stand in.

export function readMail(row: RowReader): MailFacts {
  const tenantId = row.number();
  const streamId = row.number();
  return {
    mailId: row.number(),
    tenantId,
    streamId,
    sendingDomain: row.text(),
    acceptedAt: row.number(),
    reversePath: row.text(),
    fromField: { address: row.text(), name: row.text() },
    toField: row.text(),
    replyTo: row.text(),
    subject: row.text(),
    messageIdField: row.text(),
    contentBytes: row.number(),
    bodyBytes: row.number(),
    origin: row.text(),
    transport: row.take(),
    protocol: row.text(),
    authenticated: row.take(),
    tags: row.take(),
    template: row.text(),
    category: row.text(),
  };
}

export function readDelivery(row: RowReader): DeliveryFacts {
  return {
    n: row.number(),
    forwardPath: row.text(),
    domain: row.text(),
    provider: row.text(),
    displayName: row.text(),
    state: row.take(),
    stateAt: row.number(),
    attempts: row.number(),
    deferrals: row.number(),
    firstAttemptAt: row.take(),
    lastAttemptAt: row.take(),
    deliveredAt: row.take(),
    nextAttemptAt: row.take(),
    expiresAt: row.take(),
    leased: row.take(),
    reason: row.member(),
    replyCode: row.take(),
    enhancedStatus: row.text(),
    diagnostic: row.text(),
    remoteMta: row.text(),
    remoteMtaAddress: row.text(),
    sendingIp: row.text(),
    node: row.text(),
  };
}

function readStatus(row: RowReader): DeliveryStatus | null {
  const outcome = row.member<DeliveryStatus['outcome']>();
  const stage = row.take<DeliveryStatus['stage']>();
  const [code, text] = [row.take<number | null>(), row.text()];
  const enhancedStatus: DeliveryStatus['enhancedStatus'] = { value: row.text(), origin: row.take() };
  const reason = row.member<NonNullable<DeliveryStatus['reason']>>();
  const diagnostic = row.text();
  const [name, address, port] = [row.text(), row.text(), row.take<number | null>()];
  const sendingIp = row.text();
  const [version, cipher, verified] = [row.text(), row.text(), row.take<boolean | null>()];
  const [startedAt, durationMs] = [row.number(), row.number()];
  if (outcome === null) return null;
  const reply = code === null ? null : { code, text };
  const remoteMta = port === null ? null : { name, address, port };
  const tls = verified === null ? null : { version, cipher, verified };
  return {
    ...{ outcome, stage, reply, enhancedStatus, reason, diagnostic, remoteMta, sendingIp, tls },
    ...{ startedAt, durationMs },
  };
}

function readEngagement(row: RowReader): Engagement | null {
  const [clientIp, userAgent, device] = [row.text(), row.text(), row.member<Engagement['device']>()];
  const [client, os, isBot] = [row.text(), row.text(), row.take<boolean>()];
  const [country, url] = [row.text(), row.text()];
  return device === null ? null : { clientIp, userAgent, device, client, os, isBot, country, url };
}

export function readEvent(cells: readonly Cell[]): { node: string; event: MailEvent } {
  const row = new RowReader(cells);
  const node = row.text();
  const event: MailEvent = {
    sequence: row.number(),
    type: row.take(),
    at: row.number(),
    mail: readMail(row),
    delivery: readDelivery(row),
    status: readStatus(row),
    engagement: readEngagement(row),
  };
  return { node, event };
}
