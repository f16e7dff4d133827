/** From the ledger's rows to the bodies of replies. Pure. */
import type { EpochMs } from '../../base/clock.ts';
import { relayIdOf } from '../../base/id.ts';
import { isoTime } from '../../base/time-text.ts';
import type { DeliveryPage, DeliveryRow, MailTotals, TopRow } from '../../ledger/ledger.ts';
import type { Settings } from './options.ts';
import type { LogQuestion } from './parse.ts';
import { interfaceOfTransport, sendingZone, type TimeWindow, userOfOrder } from './words.ts';

export interface LogEntry {
  _id: number;
  id: string;
  from: string;
  to: string;
  subject: string;
  messageId: string | null;
  created: string;
  time: number;
  user: string;
  transtype: string;
  origin: string;
  interface: string;
  sendingZone: string;
  bodySize: number;
  seq: number;
  delivered: 0 | 1;
  code: number | null;
  response: string | null;
  recipient: string;
  domain: string;
  locked: 0 | 1;
  lockTime: string | null;
  assigned: string | null;
  queued: string;
  mxHostname: string | null;
}

export interface Log {
  total: number;
  skip: number;
  limit: number;
  emails: LogEntry[];
}

export interface Stats {
  time: TimeWindow;
  usage: number;
  currency: string;
  cost: number;
  received: number;
  sent: number;
  volume: Record<'to' | 'from' | 'ip', Record<string, number>>;
}

export function renderLog({ total, rows }: DeliveryPage, { page }: LogQuestion, zone: string): Log {
  return {
    total,
    skip: page.offset,
    limit: page.limit,
    emails: rows.map((row) => renderEntry(row, zone)),
  };
}

/** One recipient of one mail, with what its last attempt brought. */
export function renderEntry({ mail, delivery }: DeliveryRow, zone: string): LogEntry {
  return {
    _id: mail.mailId,
    id: relayIdOf(mail.mailId),
    from: mail.reversePath,
    to: delivery.forwardPath,
    subject: mail.subject,
    messageId: mail.messageIdField === '' ? null : `<${mail.messageIdField}>`,
    created: localTime(mail.acceptedAt, zone),
    time: Math.floor(mail.acceptedAt / 1000),
    user: userOfOrder(mail.streamId),
    transtype: mail.protocol,
    origin: mail.origin,
    interface: interfaceOfTransport[mail.transport],
    sendingZone,
    bodySize: mail.bodyBytes,
    seq: delivery.n,
    delivered: delivery.state === 'delivered' ? 1 : 0,
    code: delivery.replyCode,
    response: nullIfEmpty(delivery.diagnostic),
    recipient: delivery.forwardPath,
    domain: delivery.domain,
    locked: delivery.leased ? 1 : 0,
    lockTime: delivery.lastAttemptAt === null ? null : String(delivery.lastAttemptAt),
    assigned: nullIfEmpty(delivery.node),
    queued: isoTime(mail.acceptedAt),
    mxHostname: nullIfEmpty(delivery.remoteMta),
  };
}

export interface Counted {
  time: TimeWindow;
  /** Mails accepted in the billing cycle. */
  usage: number;
  totals: MailTotals;
  volume: Record<keyof Stats['volume'], readonly TopRow[]>;
}

export function renderStats({ time, usage, totals, volume }: Counted, settings: Settings): Stats {
  return {
    time,
    usage,
    currency: settings.currency,
    cost: costOf(usage, settings),
    received: totals.accepted,
    sent: totals.delivered,
    volume: { to: countsByKey(volume.to), from: countsByKey(volume.from), ip: countsByKey(volume.ip) },
  };
}

/** The charge by use is rounded up to a whole cent. */
export function costOf(usage: number, { basePrice, pricePerThousand }: Settings): number {
  // Binary fractions make 30 cents a hair more than 30: cut the hair before rounding up.
  const cents = Math.ceil(Number(((usage * pricePerThousand) / 10).toFixed(6)));
  return Number((basePrice + cents / 100).toFixed(2));
}

/** Without a prototype: an address may be called `__proto__`. */
function countsByKey(rows: readonly TopRow[]): Record<string, number> {
  const counts: Record<string, number> = Object.create(null);
  for (const { key, count } of rows) counts[key] = count;
  return counts;
}

/** `YYYY-MM-DD HH:MM:SS`, without a zone as the vendor writes it. */
function localTime(at: EpochMs, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString({ fractionalSecondDigits: 0 })
    .replace('T', ' ');
}

function nullIfEmpty(text: string): string | null {
  return text === '' ? null : text;
}
