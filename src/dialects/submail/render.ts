/** `mail/log`: from the rows found to the vendor's body. Pure; every key and type as on the vendor's page. */
import { sendIdOf } from '../../base/id.ts';
import type { InstallationKey } from '../../base/secret.ts';
import type { DeliveryPage, DeliveryRow } from '../../ledger/ledger.ts';
import type { LogQuestion } from './parse.ts';
import { situationOf, type Words } from './words.ts';

export interface LogBody {
  status: 'success';
  start_date: number;
  end_date: number;
  total: number;
  offset: number;
  /** Rows a page holds, not rows returned. */
  results: number;
  data: LogRow[];
}

export interface LogRow {
  appid: string;
  sendID: string;
  to_address: string;
  to_name: string;
  from_address: string;
  from_name: string;
  reply: string;
  subject: string;
  send_at: number;
  sent_at: number;
  status: number;
  bounce: number;
  ip_address: string;
  message: string;
}

export function renderLog(
  question: LogQuestion,
  page: DeliveryPage,
  key: InstallationKey,
  words: Words,
): LogBody {
  return {
    status: 'success',
    start_date: question.startDate,
    end_date: question.endDate,
    total: page.total,
    offset: question.offset,
    results: question.rows,
    data: page.rows.map((row) => renderRow(row, key, words)),
  };
}

function renderRow(row: DeliveryRow, key: InstallationKey, words: Words): LogRow {
  const { mail, delivery } = row;
  const situation = situationOf(row);
  return {
    appid: String(mail.streamId),
    sendID: sendIdOf(key, { mailId: mail.mailId, n: delivery.n }),
    to_address: delivery.forwardPath,
    to_name: delivery.displayName,
    from_address: mail.fromField.address,
    from_name: mail.fromField.name,
    reply: mail.replyTo,
    subject: mail.subject,
    send_at: seconds(mail.acceptedAt),
    sent_at: seconds(handedOverAt(row)),
    status: words.numbers[situation],
    bounce: words.bounces[situation],
    ip_address: mail.origin,
    message: delivery.state === 'delivered' ? '' : delivery.diagnostic,
  };
}

/** When the mail was delivered, or last offered; 0 before that. A first attempt under way offered nothing yet. */
function handedOverAt({ delivery }: DeliveryRow): number {
  const offered = delivery.leased && delivery.attempts <= 1 ? null : delivery.lastAttemptAt;
  return delivery.deliveredAt ?? offered ?? 0;
}

function seconds(epochMs: number): number {
  return Math.floor(epochMs / 1000);
}
