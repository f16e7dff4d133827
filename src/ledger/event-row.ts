/**
 * Events in the stored form of `events` (schema/0001), as RowBinary: the columns in the order of `storedColumns`.
 * `stored-event.ts` is the other way.
 * Equal events always give equal bytes, and the table gives them back:
 * `SELECT <eventColumnNames> FROM events … ORDER BY sequence FORMAT RowBinary`.
 *
 * Writing never fails: a row the engine refuses would stop the outbox for ever, so numbers that are not whole are
 * rounded, and lone surrogates (which no text decoded from mail has) become U+FFFD.
 */
import { mailIdParts } from '../base/id.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, Engagement, MailEvent, MailFacts } from '../events/event.ts';
import { RowBinaryWriter } from './row-binary.ts';

export function encodeRows(node: string, events: readonly MailEvent[]): Buffer {
  const writer = new RowBinaryWriter();
  for (const event of events) writeEvent(writer, node, event);
  return writer.finish();
}

function writeEvent(w: RowBinaryWriter, node: string, event: MailEvent): void {
  w.text(node);
  w.int64(whole(event.sequence));
  w.text(event.type);
  w.int64(whole(event.at));
  writeMail(w, event.mail, event.delivery);
  writeDelivery(w, event);
  if (event.status === null) writeNoStatus(w);
  else writeStatus(w, event, event.status);
  writeEngagement(w, event.engagement);
}

function writeMail(w: RowBinaryWriter, mail: MailFacts, delivery: DeliveryFacts): void {
  w.int64(whole(mail.tenantId));
  w.int64(whole(mail.streamId));
  w.int64(whole(mail.mailId));
  w.text(mail.sendingDomain);
  w.int64(whole(mail.acceptedAt) - mailIdParts(whole(mail.mailId)).at);
  w.text(mail.reversePath);
  textBeside(w, mail.fromField.address, mail.reversePath);
  w.text(mail.fromField.name);
  textBeside(w, mail.toField, addressed(delivery));
  w.text(mail.replyTo);
  w.text(mail.subject);
  w.text(mail.messageIdField);
  w.int64(whole(mail.contentBytes));
  w.int64(whole(mail.contentBytes) - whole(mail.bodyBytes));
  w.text(mail.origin);
  w.text(mail.transport);
  w.text(mail.protocol);
  w.bool(mail.authenticated);
  w.length(mail.tags.length);
  for (const tag of mail.tags) w.text(tag);
  w.text(mail.template);
  w.text(mail.category);
}

export function addressed({ displayName, forwardPath }: DeliveryFacts): string {
  return displayName === '' ? forwardPath : `${displayName} <${forwardPath}>`;
}

function writeDelivery(w: RowBinaryWriter, { at, mail, delivery }: MailEvent): void {
  w.uint32(whole(delivery.n));
  w.text(delivery.forwardPath);
  textBeside(w, delivery.domain, domainOf(delivery.forwardPath));
  textBeside(w, delivery.provider, delivery.domain);
  w.text(delivery.displayName);
  w.text(delivery.state);
  w.int64(whole(at) - whole(delivery.stateAt));
  w.uint32(whole(delivery.attempts));
  w.uint32(whole(delivery.deferrals));
  const accepted = whole(mail.acceptedAt);
  const state = whole(delivery.stateAt);
  timeBeside(w, delivery.firstAttemptAt, accepted);
  timeBeside(w, delivery.lastAttemptAt, firstAttempt(mail, delivery));
  w.nullableInt64(delivery.deliveredAt === null ? null : state - whole(delivery.deliveredAt));
  timeBeside(w, delivery.nextAttemptAt, state);
  timeBeside(w, delivery.expiresAt, accepted);
  w.bool(delivery.leased);
  w.text(delivery.reason ?? '');
  w.nullableUint16(smallOrNull(delivery.replyCode));
  w.text(delivery.enhancedStatus);
  w.text(delivery.diagnostic);
  w.text(delivery.remoteMta);
  w.text(delivery.remoteMtaAddress);
  w.text(delivery.sendingIp);
  w.text(delivery.node);
}

function firstAttempt(mail: MailFacts, delivery: DeliveryFacts): number {
  return whole(delivery.firstAttemptAt ?? mail.acceptedAt);
}

function writeStatus(w: RowBinaryWriter, { at, mail, delivery }: MailEvent, status: DeliveryStatus): void {
  const { reply, remoteMta, tls, enhancedStatus } = status;
  w.text(status.outcome);
  w.text(status.stage);
  w.nullableUint16(smallOrNull(reply?.code ?? null));
  textBeside(w, reply?.text ?? '', afterSecondSpace(status.diagnostic));
  textBeside(w, enhancedStatus.value, delivery.enhancedStatus);
  w.text(enhancedStatus.origin);
  w.text(status.reason ?? '');
  textBeside(w, status.diagnostic, delivery.diagnostic);
  textBeside(w, remoteMta?.name ?? '', delivery.remoteMta);
  textBeside(w, remoteMta?.address ?? '', delivery.remoteMtaAddress);
  w.nullableUint16(smallOrNull(remoteMta?.port ?? null));
  textBeside(w, status.sendingIp, delivery.sendingIp);
  w.text(tls?.version ?? '');
  w.text(tls?.cipher ?? '');
  w.nullableBool(tls?.verified ?? null);
  const startedAt = whole(status.startedAt);
  w.int64(startedAt - whole(delivery.lastAttemptAt ?? firstAttempt(mail, delivery)));
  w.int64(whole(at) - startedAt - whole(status.durationMs));
}

/** Of an address; what has no @ stands for itself. */
export function domainOf(forwardPath: string): string {
  return forwardPath.slice(forwardPath.lastIndexOf('@') + 1);
}

/** A reply without its code and enhanced status. */
export function afterSecondSpace(line: string): string {
  return line.slice(line.indexOf(' ', line.indexOf(' ') + 1) + 1);
}

function writeNoStatus(w: RowBinaryWriter): void {
  w.text('');
  w.text('');
  w.nullableUint16(null);
  for (let texts = 0; texts < 7; texts += 1) w.text('');
  w.nullableUint16(null);
  for (let texts = 0; texts < 3; texts += 1) w.text('');
  w.nullableBool(null);
  w.int64(0);
  w.int64(0);
}

function writeEngagement(w: RowBinaryWriter, engagement: Engagement | null): void {
  w.text(engagement?.clientIp ?? '');
  w.text(engagement?.userAgent ?? '');
  w.text(engagement?.device ?? '');
  w.text(engagement?.client ?? '');
  w.text(engagement?.os ?? '');
  w.bool(engagement?.isBot ?? false);
  w.text(engagement?.country ?? '');
  w.text(engagement?.url ?? '');
}

/** `=` stands for the other text, and before a text that itself begins so. */
function textBeside(w: RowBinaryWriter, value: string, other: string): void {
  if (value === other) w.text('=');
  else w.text(value.startsWith('=') ? `=${value}` : value);
}

function timeBeside(w: RowBinaryWriter, value: number | null, other: number): void {
  w.nullableInt64(value === null ? null : whole(value) - other);
}

/** 9,999,999,999,999 ms is in the year 2286: within DateTime64, and within 2^53. */
const largest = Number.MAX_SAFE_INTEGER;

function whole(value: number): number {
  return Number.isFinite(value) ? Math.min(largest, Math.max(0, Math.round(value))) : 0;
}

/** Reply codes and ports: UInt16. */
function smallOrNull(value: number | null): number | null {
  return value === null ? null : Math.min(65_535, whole(value));
}
