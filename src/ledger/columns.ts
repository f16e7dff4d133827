/** Rows of `deliveries` as facts again: every field comes back exactly as it was appended. */
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
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
    ...readSubmission(row),
  };
}

/** How a mail came, and what its sender said of it. */
export function readSubmission(row: RowReader) {
  return {
    origin: row.text(),
    transport: row.take<MailFacts['transport']>(),
    protocol: row.text(),
    authenticated: row.take<boolean>(),
    tags: row.take<MailFacts['tags']>(),
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
    ...readOutcome(row),
  };
}

/** What the last attempt of a delivery led to. */
export function readOutcome(row: RowReader) {
  return {
    leased: row.take<boolean>(),
    reason: row.member<NonNullable<DeliveryFacts['reason']>>(),
    replyCode: row.take<DeliveryFacts['replyCode']>(),
    enhancedStatus: row.text(),
    diagnostic: row.text(),
    remoteMta: row.text(),
    remoteMtaAddress: row.text(),
    sendingIp: row.text(),
    node: row.text(),
  };
}
