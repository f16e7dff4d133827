/** From the rows found to the vendor's bodies. Pure; every key and type as on the vendor's page. */
import { uuidOf } from '../../base/id.ts';
import type { InstallationKey } from '../../base/secret.ts';
import type { CountRow, DeliveryPage, DeliveryRow } from '../../ledger/ledger.ts';
import type { LogsQuestion } from './parse.ts';
import {
  answeredWords,
  blockingReason,
  deliveredWords,
  descriptionOf,
  type StatusWord,
  shortTextOf,
  wordOf,
} from './words.ts';

/** What all bodies of one account share. */
export interface Rendering {
  key: InstallationKey;
  zone: string;
  sid: string;
  /** Price of a delivered mail. */
  price: number;
}

export interface MessageStats {
  message_id: string;
  from_mail: string;
  request_datetime: string;
  recipients: {
    delivery_datetime: string;
    to: string;
    status: StatusWord;
    error_code: string;
    error_message: string;
  }[];
}

export interface DayStats {
  date: string;
  stats: { metrics: Metrics }[];
}

export interface Metrics {
  blocks: number;
  deferred: number;
  delivered: number;
  opens: number;
  accepted: number;
}

export interface LogRow {
  message_id: string;
  company_id: string;
  status: StatusWord;
  description: string;
  from_mail: string;
  to_mail: string;
  template_name: string;
  submitted_at: string;
  delivered_at: string;
  sale_price: number;
  source: string;
  source_type: string;
  user_details: Record<string, never>;
  email_body: string;
  service_id: string;
  route: string;
  /** Left out when the mail was sent without one. */
  type?: string;
}

type Success<T> = { data: T[]; error: Record<string, never> };

/** One record per address. */
export function renderMessage(rows: readonly DeliveryRow[], rendering: Rendering): Success<MessageStats> {
  return { data: rows.map((row) => messageStats(row, rendering)), error: {} };
}

function messageStats(row: DeliveryRow, { key, zone }: Rendering): MessageStats {
  const { mail, delivery } = row;
  const status = wordOf(row);
  const answered = answeredWords.has(status);
  return {
    message_id: messageIdOf(row, key),
    from_mail: mail.fromField.address,
    request_datetime: localTime(mail.acceptedAt, zone),
    recipients: [
      {
        delivery_datetime: endedAt(row, status, zone),
        to: delivery.forwardPath,
        status,
        error_code: answered && delivery.replyCode !== null ? String(delivery.replyCode) : '',
        error_message: answered ? delivery.diagnostic : shortTextOf(status, delivery.reason),
      },
    ],
  };
}

export function renderLogs(
  page: DeliveryPage,
  question: Pick<LogsQuestion, 'page' | 'limit'>,
  rendering: Rendering,
): Success<LogRow> & { total: number; limit: string; offset: string; page: string } {
  return {
    data: page.rows.map((row) => logRow(row, rendering)),
    error: {},
    total: page.total,
    limit: String(question.limit),
    offset: '',
    page: String(question.page ?? 0),
  };
}

function logRow(row: DeliveryRow, { key, zone, sid, price }: Rendering): LogRow {
  const { mail, delivery } = row;
  const status = wordOf(row);
  const source = mail.transport === 'http' ? 'API' : 'SMTP';
  return {
    message_id: messageIdOf(row, key),
    company_id: sid,
    status,
    description: descriptionOf(status, delivery.reason),
    from_mail: mail.fromField.address,
    to_mail: delivery.forwardPath,
    template_name: mail.template,
    submitted_at: localTime(mail.acceptedAt, zone),
    delivered_at: endedAt(row, status, zone),
    sale_price: deliveredWords.has(status) ? price : 0,
    source,
    source_type: source,
    user_details: {},
    email_body: '',
    service_id: '',
    route: '',
    ...(mail.category !== '' && { type: mail.category }),
  };
}

/** All days with something to count, ascending. */
export function dayStats(rows: readonly CountRow[], zone: string): DayStats[] {
  const days = new Map<number, Metrics>();
  for (const row of rows) {
    const metrics = days.get(row.bucketAt) ?? { blocks: 0, deferred: 0, delivered: 0, opens: 0, accepted: 0 };
    const metric = metricOf(row);
    if (metric) metrics[metric] += row.count;
    days.set(row.bucketAt, metrics);
  }
  return [...days]
    .filter(([, metrics]) => Object.values(metrics).some((count) => count > 0))
    .sort(([a], [b]) => a - b)
    .map(([startsAt, metrics]) => ({ date: localTime(startsAt, zone).slice(0, 10), stats: [{ metrics }] }));
}

export function renderStats(
  days: readonly DayStats[],
  page: { offset: number; limit: number },
): Success<DayStats> {
  return { data: days.slice(page.offset, page.offset + page.limit), error: {} };
}

/** Under which metric a cell counts; null: under none. */
function metricOf({ type, reason, first }: CountRow): keyof Metrics | null {
  switch (type) {
    case 'accepted':
      return 'accepted';
    case 'delivered':
      return 'delivered';
    case 'opened':
      return 'opens';
    case 'deferred':
      return first ? 'deferred' : null;
    case 'rejected':
      return reason === blockingReason ? 'blocks' : null;
    default:
      return null;
  }
}

function messageIdOf({ mail, delivery }: DeliveryRow, key: InstallationKey): string {
  return `${uuidOf(key, mail.mailId)}:${delivery.n}`;
}

/** Time of delivery, of the bounce for BOUNCE, else ''. */
function endedAt({ delivery }: DeliveryRow, status: StatusWord, zone: string): string {
  const at =
    status === 'BOUNCE' ? delivery.stateAt : deliveredWords.has(status) ? delivery.deliveredAt : null;
  return at === null ? '' : localTime(at, zone);
}

function localTime(epochMs: number, zone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDateTime();
  return local.toString({ smallestUnit: 'second', roundingMode: 'floor' }).replace('T', ' ');
}
