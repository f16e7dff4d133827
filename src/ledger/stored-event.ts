/**
 * Events out of the stored form of `events` (schema/0001): what `event-row.ts` wrote, read again. The ALIAS columns of
 * the table say the same in SQL, for everyone else. Here they are left out: to plan their expressions takes the engine
 * longer than to find and read the rows of a page.
 */
import { mailIdParts } from '../base/id.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, Engagement, MailEvent, MailFacts } from '../events/event.ts';
import { RowReader, readOutcome, readSubmission } from './columns.ts';
import type { Cell } from './engine.ts';
import { addressed, afterSecondSpace, domainOf } from './event-row.ts';
import { eventColumnNames } from './schema/0001-events.ts';

export const storedSelection: readonly string[] = eventColumnNames.map((name) =>
  name === 'at' ? 'toUnixTimestamp64Milli(at)' : name,
);

export interface StoredEvent {
  /** Of the outbox it came from. */
  node: string;
  event: MailEvent;
}

/** The cells of one row of `storedSelection`. */
export function readStoredEvent(cells: readonly Cell[]): StoredEvent {
  const row = new RowReader(cells);
  const node = row.text();
  const [sequence, type, at] = [row.number(), row.take<MailEvent['type']>(), row.number()];
  const { mail, storedToField } = readMail(row);
  const delivery = readDelivery(row, mail, at);
  mail.toField = beside(storedToField, addressed(delivery));
  const status = readStatus(row, { mail, delivery, at });
  return { node, event: { sequence, type, at, mail, delivery, status, engagement: readEngagement(row) } };
}

function readMail(row: RowReader): { mail: MailFacts; storedToField: string } {
  const [tenantId, streamId, mailId] = [row.number(), row.number(), row.number()];
  const [sendingDomain, acceptedAt] = [row.text(), mailIdParts(mailId).at + row.number()];
  const reversePath = row.text();
  const fromField = { address: beside(row.text(), reversePath), name: row.text() };
  const storedToField = row.text();
  const [replyTo, subject, messageIdField] = [row.text(), row.text(), row.text()];
  const contentBytes = row.number();
  const mail: MailFacts = {
    ...{ mailId, tenantId, streamId, sendingDomain, acceptedAt, reversePath, fromField, toField: '' },
    ...{ replyTo, subject, messageIdField, contentBytes },
    bodyBytes: contentBytes - row.number(),
    ...readSubmission(row),
  };
  return { mail, storedToField };
}

function readDelivery(row: RowReader, { acceptedAt }: MailFacts, at: number): DeliveryFacts {
  const [n, forwardPath] = [row.number(), row.text()];
  const domain = beside(row.text(), domainOf(forwardPath));
  const provider = beside(row.text(), domain);
  const [displayName, state] = [row.text(), row.take<DeliveryFacts['state']>()];
  const stateAt = at - row.number();
  const [attempts, deferrals] = [row.number(), row.number()];
  const firstAttemptAt = after(acceptedAt, row.take());
  const lastAttemptAt = after(firstAttemptAt ?? acceptedAt, row.take());
  const beforeState = row.take<number | null>();
  return {
    ...{ n, forwardPath, domain, provider, displayName, state, stateAt, attempts, deferrals },
    ...{ firstAttemptAt, lastAttemptAt },
    deliveredAt: beforeState === null ? null : stateAt - beforeState,
    nextAttemptAt: after(stateAt, row.take()),
    expiresAt: after(acceptedAt, row.take()),
    ...readOutcome(row),
  };
}

function readStatus(
  row: RowReader,
  { mail, delivery, at }: Pick<MailEvent, 'mail' | 'delivery' | 'at'>,
): DeliveryStatus | null {
  const outcome = row.member<DeliveryStatus['outcome']>();
  const stage = row.take<DeliveryStatus['stage']>();
  const [code, storedText] = [row.take<number | null>(), row.text()];
  const value = beside(row.text(), delivery.enhancedStatus);
  const enhancedStatus: DeliveryStatus['enhancedStatus'] = { value, origin: row.take() };
  const reason = row.member<NonNullable<DeliveryStatus['reason']>>();
  const diagnostic = beside(row.text(), delivery.diagnostic);
  const name = beside(row.text(), delivery.remoteMta);
  const address = beside(row.text(), delivery.remoteMtaAddress);
  const port = row.take<number | null>();
  const sendingIp = beside(row.text(), delivery.sendingIp);
  const [version, cipher, verified] = [row.text(), row.text(), row.take<boolean | null>()];
  const [sinceAttempt, duration] = [row.number(), row.number()];
  if (outcome === null) return null;
  const startedAt = (delivery.lastAttemptAt ?? delivery.firstAttemptAt ?? mail.acceptedAt) + sinceAttempt;
  return {
    ...{ outcome, stage, enhancedStatus, reason, diagnostic, sendingIp, startedAt },
    reply: code === null ? null : { code, text: beside(storedText, afterSecondSpace(diagnostic)) },
    remoteMta: port === null ? null : { name, address, port },
    tls: verified === null ? null : { version, cipher, verified },
    durationMs: at - startedAt - duration,
  };
}

export function readEngagement(row: RowReader): Engagement | null {
  const [clientIp, userAgent, device] = [row.text(), row.text(), row.member<Engagement['device']>()];
  const [client, os, isBot] = [row.text(), row.text(), row.take<boolean>()];
  const [country, url] = [row.text(), row.text()];
  return device === null ? null : { clientIp, userAgent, device, client, os, isBot, country, url };
}

/** `=` stands for the other text, and before a text that itself begins so. */
function beside(stored: string, other: string): string {
  if (stored === '=') return other;
  return stored.startsWith('=') ? stored.slice(1) : stored;
}

const after = (time: number, distance: number | null) => (distance === null ? null : time + distance);
