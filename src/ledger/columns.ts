/**
 * Rows as facts again: every field comes back exactly as it was appended (`event-row.ts` is the other way). The names
 * are those of the facts, in `events` as in `deliveries`.
 */
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, Engagement, MailEvent, MailFacts } from '../events/event.ts';
import type { Cell } from './engine.ts';

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
