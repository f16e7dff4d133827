/**
 * Ids. A `mailId` is one integer below 2^53 (41 bits of milliseconds since 2024-01-01, 5 bits of node, 7 of
 * sequence): exact in JSON, sorted by time. Every other id of a mail or delivery is a pure, reversible
 * function of it, so that no table of ids exists. Those that must not be guessed carry a keyed tag.
 */
import { assert } from './assert.ts';
import type { Clock, EpochMs } from './clock.ts';
import { type InstallationKey, sameSecret } from './secret.ts';

/** 2024-01-01T00:00:00Z. */
export const mailIdEpoch: EpochMs = 1_704_067_200_000;
/** Mails that another system handled and whose log was imported have a node of their own. */
export const importNode = 31;
/** Highest number a relay node can have. */
export const maxNode = importNode - 1;
const sequences = 128;
const nodes = importNode + 1;
const perMillisecond = sequences * nodes;
const maxMilliseconds = 2 ** 41;

interface MailIdParts {
  at: EpochMs;
  node: number;
  sequence: number;
}

export function composeMailId({ at, node, sequence }: MailIdParts): number {
  assert(at >= mailIdEpoch && at < mailIdEpoch + maxMilliseconds, 'a mail id lies between 2024 and 2093');
  return (at - mailIdEpoch) * perMillisecond + node * sequences + sequence;
}

export function mailIdParts(mailId: number): MailIdParts {
  const milliseconds = Math.floor(mailId / perMillisecond);
  const low = mailId - milliseconds * perMillisecond; // a remainder of such large numbers takes long
  return {
    at: milliseconds + mailIdEpoch,
    node: Math.floor(low / sequences),
    sequence: low % sequences,
  };
}

/**
 * No event of the mail is older than that. Nothing happens to a mail before it is accepted, so the id tells; an
 * imported mail may be older than its id can say.
 */
export function nothingBefore(mailId: number): EpochMs {
  const { at, node } = mailIdParts(mailId);
  return node === importNode ? 0 : at;
}

const importSpread = 1_000;
/** No id tells a later time than so long after the acceptance, but for mails imported from before there were ids. */
export const idMayBeLaterMs = 2 * importSpread;
/** All of the time before ids begin is told within their first day. */
const ancientMs = 86_400_000;
/** From here on ids are in the order of the times they tell, whatever was imported. */
export const idsTellTimesFrom: EpochMs = mailIdEpoch + ancientMs;

/**
 * A mail id for an imported mail: not before its acceptance, and spread by `hash` over the second that follows, since
 * many logs tell whole seconds. Which of them is free the caller knows: `attempt` counts from 0.
 */
export function importedMailId(acceptedAt: EpochMs, hash: number, attempt: number): number {
  const place = (hash % (importSpread * sequences)) + attempt;
  const at = importableAt(acceptedAt) + Math.floor(place / sequences);
  return composeMailId({ at, node: importNode, sequence: place % sequences });
}

function importableAt(acceptedAt: EpochMs): EpochMs {
  if (acceptedAt >= mailIdEpoch) return Math.floor(acceptedAt);
  return mailIdEpoch + Math.floor((Math.max(0, acceptedAt) / mailIdEpoch) * ancientMs);
}

/** Smallest mail id of that millisecond: ranges of time become ranges of ids. */
export function firstMailIdAt(at: EpochMs): number {
  return Math.max(0, Math.min(Math.ceil(at) - mailIdEpoch, maxMilliseconds)) * perMillisecond;
}

/**
 * Ids rise strictly, also when the clock stands still or goes back: then the last millisecond is counted on.
 * `last` is the highest id given out before a restart (0 if none).
 */
export function createMailIds(clock: Clock, node: number, last: number): () => number {
  let { at, sequence } = last > 0 ? mailIdParts(last) : { at: mailIdEpoch, sequence: -1 };
  return () => {
    const now = clock.now();
    if (now > at) {
      at = now;
      sequence = 0;
    } else if (sequence < sequences - 1) {
      sequence += 1;
    } else {
      at += 1;
      sequence = 0;
    }
    return composeMailId({ at, node, sequence });
  };
}

/** 18 hex digits: 11 of milliseconds since 1970, 3 of sequence, 4 of node. */
export function relayIdOf(mailId: number): string {
  const { at, node, sequence } = mailIdParts(mailId);
  return hex(at, 11) + hex(sequence, 3) + hex(node, 4);
}

/** Null for text that no mail of any installation can have. */
export function mailIdOfRelayId(relayId: string): number | null {
  if (!/^[0-9a-f]{18}$/i.test(relayId)) return null;
  const at = Number.parseInt(relayId.slice(0, 11), 16);
  const sequence = Number.parseInt(relayId.slice(11, 14), 16);
  const node = Number.parseInt(relayId.slice(14), 16);
  const valid =
    at >= mailIdEpoch && at < mailIdEpoch + maxMilliseconds && sequence < sequences && node < nodes;
  return valid ? composeMailId({ at, node, sequence }) : null;
}

/** A UUID of version 8 (RFC 9562 §5.8): 53 bits of mail id, then 69 bits of keyed tag. */
export function uuidOf(key: InstallationKey, mailId: number): string {
  const id = hex(mailId, 14);
  const tag = key.tag('uuid', Buffer.from(id), 9).toString('hex');
  // 14 digits of id: 12 before the version digit, 2 after it; then the variant digit and the tag.
  const text = `${id.slice(0, 12)}8${id.slice(12)}${tag[0]}${variantDigit(tag[1])}${tag.slice(2, 17)}`;
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}

/** Null unless this installation made the UUID. */
export function mailIdOfUuid(key: InstallationKey, uuid: string): number | null {
  const text = uuid.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(text)) return null;
  const mailId = Number.parseInt(text.slice(0, 12) + text.slice(13, 15), 16);
  return Number.isSafeInteger(mailId) && uuidOf(key, mailId) === uuid.toLowerCase() ? mailId : null;
}

export interface DeliveryId {
  mailId: number;
  n: number;
}

/** 32 hex digits: 14 of mail id, 4 of the forward-path's number, 14 of keyed tag. */
export function sendIdOf(key: InstallationKey, { mailId, n }: DeliveryId): string {
  const id = hex(mailId, 14) + hex(n, 4);
  return id + key.tag('send', Buffer.from(id), 7).toString('hex');
}

/** Null unless this installation made the id. */
export function deliveryOfSendId(key: InstallationKey, sendId: string): DeliveryId | null {
  const text = sendId.toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(text)) return null;
  const id = { mailId: Number.parseInt(text.slice(0, 14), 16), n: Number.parseInt(text.slice(14, 18), 16) };
  return Number.isSafeInteger(id.mailId) && sendIdOf(key, id) === text ? id : null;
}

export interface ReturnToken extends DeliveryId {
  tenantId: number;
  quiet: boolean;
}

/**
 * 47 characters, whatever their case: `b`, or `q` for a sender who wants no notification of failures, 14 hex digits of
 * mail id, 4 of the forward-path's number, 8 of the tenant, 20 of keyed tag.
 */
export function returnTokenOf(key: InstallationKey, { tenantId, mailId, n, quiet }: ReturnToken): string {
  const id = `${quiet ? 'q' : 'b'}${hex(mailId, 14)}${hex(n, 4)}${hex(tenantId, 8)}`;
  return id + key.tag('return-path', Buffer.from(id), 10).toString('hex');
}

/** Null unless this installation made the token. */
export function deliveryOfReturnToken(key: InstallationKey, token: string): ReturnToken | null {
  const text = token.toLowerCase();
  const [, kind, mailId = '', n = '', tenantId = ''] =
    /^([bq])([0-9a-f]{14})([0-9a-f]{4})([0-9a-f]{8})[0-9a-f]{20}$/.exec(text) ?? [];
  if (kind === undefined) return null;
  const numbers = [mailId, n, tenantId].map((digits) => Number.parseInt(digits, 16));
  const id = { mailId: numbers[0] ?? 0, n: numbers[1] ?? 0, tenantId: numbers[2] ?? 0, quiet: kind === 'q' };
  return Number.isSafeInteger(id.mailId) && sameSecret(returnTokenOf(key, id), text) ? id : null;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function variantDigit(tagDigit: string | undefined): string {
  return ((Number.parseInt(tagDigit ?? '0', 16) & 0x3) | 0x8).toString(16);
}
