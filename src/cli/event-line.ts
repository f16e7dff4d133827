/** One event as one line for people. */
import type { EventEntry } from '../console-api/console-api.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import { printable, shownTime } from './table.ts';

/** `2026-11-22 10:00:00Z  deferred  19ab…:1  a@x → b@y  greylisted  450 4.7.1 try later  TLSv1.3, verified` */
export function renderEvent({
  at,
  type,
  deliveryId,
  mail,
  delivery,
  status,
  engagement,
}: EventEntry): string {
  const words = [
    shownTime(at),
    type.padEnd(longestType),
    deliveryId,
    `${mail.fromField.address} → ${delivery.forwardPath}`,
    ...(engagement ? [engagement.url || engagement.client] : []),
    ...(status || ended.has(type) ? [delivery.reason ?? '', status?.diagnostic || delivery.diagnostic] : []),
    ...(status?.tls ? [tlsWords(status.tls)] : []),
  ];
  return `${printable(words.filter((word) => word !== '').join('  '))}\n`;
}

function tlsWords({ version, verified }: TlsFacts): string {
  return `${version}, ${verified ? 'verified' : 'not verified'}`;
}

const longestType = 'unsubscribed'.length;

/** Verdicts without an attempt of their own. */
const ended: ReadonlySet<string> = new Set(['rejected', 'suppressed', 'canceled', 'expired']);
