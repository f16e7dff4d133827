/** From the query of a request to the question asked, or to what is wrong with it. Pure. */
import { isIP, SocketAddress } from 'node:net';
import { z } from 'zod';
import type { EpochMs } from '../../base/clock.ts';
import { mailIdOfRelayId, relayIdOf } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import { unmapped } from '../../base/network.ts';
import { type Fields, lastValue } from '../../http/query.ts';
import type { DeliveryFilter, Page } from '../../ledger/ledger.ts';
import { parseAddress } from '../../protocol/address/address.ts';
import { badParameter, type Refusal } from './errors.ts';
import { strtotime } from './strtotime.ts';
import { statesOfDelivered, type TimeWindow, timeWindows } from './words.ts';

const defaultLimit = 100;

/** A client that has nothing to filter by sends an empty value. */
function absentIfEmpty(sent: unknown): unknown {
  return sent === '' ? undefined : sent;
}

function wholeNumber(sent: unknown): unknown {
  return typeof sent === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(sent) ? Number(sent) : absentIfEmpty(sent);
}

function zeroOrOne(sent: unknown): unknown {
  return sent === '0' || sent === '1' ? Number(sent) : absentIfEmpty(sent);
}

const integer = z.int('must be a whole number');
const text = z.preprocess(absentIfEmpty, z.string().optional());
const address = z.preprocess(
  absentIfEmpty,
  z
    .string()
    .trim()
    .refine((value) => parseAddress(value).ok, 'must be an email address')
    .optional(),
);
const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, `must be ${words.join(' or ')}`);
}

export const logParameters = z.object({
  id: z
    .preprocess(wholeNumber, integer.optional())
    .describe('Number of a mail order; without it, the first active one.'),
  origin: z
    .preprocess(
      absentIfEmpty,
      z
        .string()
        .trim()
        .refine((value) => isIP(value) > 0, 'must be an IPv4 or IPv6 address')
        .transform(canonicalIp)
        .optional(),
    )
    .describe('IP address the message was submitted from.'),
  mx: z
    .preprocess(absentIfEmpty, z.string().trim().regex(hostName, 'must be a host name').optional())
    .describe('Name of the server the last attempt was made to, `mxHostname` of an entry.'),
  from: address.describe('Envelope sender (MAIL FROM), exactly. `var_from` is understood as well.'),
  to: address.describe('Envelope recipient (RCPT TO), exactly.'),
  subject: text.describe('The whole Subject, exactly.'),
  mailid: z
    .preprocess(
      absentIfEmpty,
      z.string().min(18, 'must have 18 or 19 characters').max(19, 'must have 18 or 19 characters').optional(),
    )
    .describe('`id` of an entry, exactly.'),
  messageId: text.describe(
    'Part of the Message-ID field, in any letter case. `message_id` is understood as well.',
  ),
  replyto: address.describe('First address of Reply-To, exactly; only messages that have one.'),
  headerfrom: address.describe('Address of the From field, exactly.'),
  delivered: z
    .preprocess(zeroOrOne, z.literal([0, 1], 'must be 0 or 1').optional())
    .describe('`1`: delivered to the destination; `0`: everything else.'),
  skip: z
    .preprocess(
      wholeNumber,
      integer.max(limits.logOffsetRows, `must be at most ${limits.logOffsetRows}`).default(0),
    )
    .transform((skip) => Math.max(skip, 0))
    .describe('Rows to pass over; a negative number counts as 0.'),
  limit: z
    .preprocess(wholeNumber, integer.default(defaultLimit))
    .transform((limit) => Math.min(Math.max(limit, 1), limits.logPageRows))
    .describe(`Rows of a page, 1 to ${limits.logPageRows}; a number beyond counts as the nearest of these.`),
  startDate: text.describe(
    'Accepted at this time or later: Unix seconds, or words that `strtotime()` of PHP understands, such as ' +
      '`2024-01-15` or `last monday`. `start_date` is understood as well.',
  ),
  endDate: text.describe(
    'Accepted at this time or earlier, in the same forms; a date without a time is the beginning of that day. ' +
      '`end_date` is understood as well.',
  ),
  sort: z.preprocess(absentIfEmpty, oneOf(['time']).default('time')).describe('Order of acceptance.'),
  dir: z.preprocess(absentIfEmpty, oneOf(['desc', 'asc']).default('desc')).describe('`desc`: newest first.'),
  groupby: z
    .preprocess(absentIfEmpty, oneOf(['recipient', 'message']).default('recipient'))
    .describe(
      '`recipient`: a row for each recipient; `message`: a row for each message, that of its first recipient that matches.',
    ),
});
type LogParameters = z.infer<typeof logParameters>;

export const statsParameters = z.object({
  time: z
    .enum(timeWindows)
    .catch('1h')
    .default('1h')
    .describe('Window of `received`, `sent` and `volume`; an unknown word counts as `1h`.'),
});

/** Names that generated clients have for parameters, where those differ from the wire. */
const aliases: Readonly<Record<string, string>> = {
  from: 'var_from',
  messageId: 'message_id',
  startDate: 'start_date',
  endDate: 'end_date',
};

export interface LogQuestion {
  ok: true;
  /** Null: the first active order. */
  orderId: number | null;
  /** Null: no row can match. */
  filter: DeliveryFilter | null;
  page: Page;
  groupBy: LogParameters['groupby'];
}

export interface Now {
  at: EpochMs;
  /** IANA zone of dates that name none. */
  zone: string;
}

export function parseLog(fields: Fields, now: Now): LogQuestion | Refusal {
  const sent = logParameters.safeParse(valuesOf(fields));
  if (!sent.success) return refusalOf(sent.error);
  const { id, skip, limit, dir, groupby } = sent.data;
  const range = rangeOf(sent.data, now);
  if (!range.ok) return range;
  return {
    ok: true,
    orderId: id ?? null,
    filter: filterOf(sent.data, range.bounds),
    page: { offset: skip, limit, direction: dir === 'asc' ? 'ascending' : 'descending' },
    groupBy: groupby,
  };
}

export function parseStats(fields: Fields): TimeWindow {
  return statsParameters.parse({ time: lastValue(fields, 'time') }).time;
}

function valuesOf(fields: Fields): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.keys(logParameters.shape).map((name) => [
      name,
      lastValue(fields, name) || lastValue(fields, aliases[name] ?? name),
    ]),
  );
}

function refusalOf({ issues: [issue] }: z.ZodError): Refusal {
  return badParameter(String(issue?.path[0]), issue?.message ?? 'is wrong');
}

function filterOf(sent: LogParameters, bounds: Bounds): DeliveryFilter | null {
  const mailId = sent.mailid === undefined ? undefined : mailIdOf(sent.mailid);
  if (mailId === null) return null;
  return {
    ...bounds,
    ...(mailId !== undefined && { mailId }),
    ...(sent.origin !== undefined && { origin: sent.origin }),
    ...(sent.mx !== undefined && { remoteMta: sent.mx }),
    ...(sent.from !== undefined && { reversePath: sent.from }),
    ...(sent.to !== undefined && { forwardPath: sent.to }),
    ...(sent.subject !== undefined && { subject: sent.subject }),
    ...(sent.messageId !== undefined && { messageIdContains: sent.messageId }),
    ...(sent.replyto !== undefined && { replyTo: sent.replyto }),
    ...(sent.headerfrom !== undefined && { fromField: sent.headerfrom }),
    status: [{ states: statesOfDelivered[sent.delivered ?? 'all'] }],
  };
}

/** Null for text that is no relay id as we write it. */
function mailIdOf(relayId: string): number | null {
  const mailId = mailIdOfRelayId(relayId);
  return mailId !== null && relayIdOf(mailId) === relayId ? mailId : null;
}

/** As sockets report it: `2001:DB8:0::1` → `2001:db8::1`, `::ffff:192.0.2.1` → `192.0.2.1`. */
function canonicalIp(text: string): string {
  return isIP(text) === 6 ? unmapped(new SocketAddress({ address: text, family: 'ipv6' }).address) : text;
}

interface Bounds {
  from?: EpochMs;
  to?: EpochMs;
}

/** Both dates are included, to the second. */
function rangeOf(sent: LogParameters, now: Now): { ok: true; bounds: Bounds } | Refusal {
  const from = secondsOf(sent.startDate, now);
  const to = secondsOf(sent.endDate, now);
  if (from === null) return badDate('startDate');
  if (to === null) return badDate('endDate');
  return {
    ok: true,
    bounds: {
      ...(from !== undefined && { from: from * 1000 }),
      ...(to !== undefined && { to: (to + 1) * 1000 }),
    },
  };
}

function badDate(name: string): Refusal {
  return badParameter(name, 'must be a Unix timestamp or a date');
}

/** No mail is older or younger. */
const maxSeconds = 8_640_000_000_000;
const numeric = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;

/** What is a number for PHP are seconds, cut to whole ones. Null: neither a number nor a date. */
function secondsOf(sent: string | undefined, now: Now): number | null | undefined {
  if (sent === undefined) return undefined;
  if (!numeric.test(sent)) return strtotime(sent, Math.floor(now.at / 1000), now.zone);
  return Math.min(Math.max(Math.trunc(Number(sent)), -maxSeconds), maxSeconds);
}
