/** `to=<a@b>, orig_to=<c@d>, relay=host[address]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (words)`. */
import type { RemoteMta } from '../../events/delivery-status.ts';
import type { LogRecord, Told } from '../record.ts';
import { type Entry, idOn } from './entry.ts';
import { addressOf, lineOf, Reader } from './words.ts';

interface Fields {
  to: string;
  relay: string;
  delayMs: number;
  /** Of the last attempt: connecting and transmitting. */
  attemptMs: number;
  dsn: string;
  status: string;
  words: string;
}

/** Null if it is no such line after all. */
export function deliveryOf(entry: Entry, text: string): LogRecord[] | null {
  const fields = fieldsOf(text);
  if (fields === null) return null;
  const { at, id, host } = entry;
  const { status, words } = fields;
  if (status.startsWith('deliverable') || status.startsWith('undeliverable'))
    return [{ kind: 'probe', at, id }];
  const type = types[status];
  if (type === undefined) return null;
  const next = status === 'sent' ? nextIdIn(words) : undefined;
  return [
    {
      kind: 'delivery',
      at,
      id,
      type,
      to: { address: fields.to },
      told: toldBy(fields),
      acceptedAt: at - fields.delayMs,
      ...(next === undefined ? {} : { nextId: idOn(host, next) }),
      ...(next !== undefined && words.startsWith('forwarded as ') ? { forwarded: true } : {}),
    },
  ];
}

const types: Readonly<Record<string, 'delivered' | 'deferred' | 'failed' | 'expired'>> = {
  sent: 'delivered',
  deferred: 'deferred',
  bounced: 'failed',
  expired: 'expired',
  // With `soft_bounce` a refusal is not final.
  SOFTBOUNCE: 'deferred',
};

function fieldsOf(text: string): Fields | null {
  const reader = new Reader(text);
  const to = pathAfter(reader, 'to=');
  if (to === null) return null;
  pathAfter(reader, 'orig_to=');
  if (!reader.skip('relay=')) return null;
  const relay = reader.until(', ');
  const middle = reader.until('status=');
  if (relay === null || middle === null) return null;
  const status = /^[\w-]{1,40}/.exec(reader.rest)?.[0];
  if (status === undefined) return null;
  return {
    to: addressOf(to),
    relay,
    delayMs: milliseconds(/\bdelay=([\d.]{1,12})/.exec(middle)?.[1]),
    attemptMs: attemptTime(/\bdelays=([\d./]{1,60})/.exec(middle)?.[1]),
    dsn: /\bdsn=(\d\.\d{1,3}\.\d{1,3})/.exec(middle)?.[1] ?? '',
    status,
    words: reader.rest.slice(status.length).replace(/^ \(/, '').replace(/\)$/, ''),
  };
}

/** `name=<…>, `; old ones log what is no mailbox without brackets. Null, and nothing read, if it is not there. */
function pathAfter(reader: Reader, name: string): string | null {
  if (!reader.skip(name)) return null;
  return reader.skip('<') ? reader.until('>, ') : reader.until(', ');
}

function milliseconds(seconds: string | undefined): number {
  const value = Number(seconds ?? 0);
  return Number.isFinite(value) ? Math.round(value * 1000) : 0;
}

/** Before the queue manager, in it, connecting, transmitting. */
function attemptTime(delays: string | undefined): number {
  const [, , connecting, transmitting] = (delays ?? '').split('/');
  return milliseconds(connecting) + milliseconds(transmitting);
}

function toldBy({ relay, dsn, words, attemptMs }: Fields): Told {
  const text = lineOf(words);
  return { text, status: dsn, remoteMta: remoteMtaOf(relay), durationMs: attemptMs };
}

/** `host[address]:port`, `host[private/dovecot-lmtp]`, `local`, `none`. */
function remoteMtaOf(relay: string): RemoteMta | null {
  if (relay === 'none') return null;
  const match = /^([^[\s]{1,253})\[([^\]]{1,253})\](?::(\d{1,5}))?/.exec(relay);
  if (match === null) return { name: lineOf(relay).slice(0, 253), address: '', port: 0 };
  const [, name = '', place = '', port = '0'] = match;
  return { name, address: /^[0-9a-fA-F.:]+$/.test(place) ? place : '', port: Number(port) };
}

/** The last program that took it says under which id: `250 2.0.0 from MTA(…): 250 2.0.0 Ok: queued as 4DEF`. */
function nextIdIn(words: string): string | undefined {
  return /(?:queued as|forwarded as) ([0-9A-Za-z]{5,24})\b[^ ]{0,3}$/.exec(words)?.[1];
}
