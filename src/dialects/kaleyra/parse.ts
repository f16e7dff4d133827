/** From the query of a request to the question asked, or to what is wrong with it. Pure. */
import { z } from 'zod';
import { mailIdOfUuid } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import type { InstallationKey } from '../../base/secret.ts';
import { type Fields, lastValue } from '../../http/query.ts';
import type { CountQuestion, DeliveryFilter, SearchTerm } from '../../ledger/ledger.ts';
import { badRequest, type Refusal } from './errors.ts';
import { conditionsOf, statusWords } from './words.ts';

const defaultLimit = 50;
const maxLimit = 100;
/** No mail is older or younger; beyond, years only strain the ledger's own calendar. */
const earliest = 0;
const latest = Date.UTC(2100, 0, 1);

/** An empty parameter counts as not sent. */
function absentIfEmpty(sent: unknown): unknown {
  return sent === '' ? undefined : sent;
}

function digitsAsNumber(sent: unknown): unknown {
  return typeof sent === 'string' && /^\d{1,15}$/.test(sent) ? Number(sent) : absentIfEmpty(sent);
}

const date = z.preprocess(
  absentIfEmpty,
  z.string().refine(isDate, 'must be a date that exists, of the form YYYY-MM-DD').optional(),
);
const pageRule = 'must be a whole number from 1';
const limitRule = `must be a whole number from 1 to ${maxLimit}`;

const rangeAndPage = {
  start_date: date.describe('First day, `YYYY-MM-DD` in the time zone of the account, included.'),
  end_date: date.describe('Last day, `YYYY-MM-DD` in the time zone of the account, included.'),
  page: z
    .preprocess(digitsAsNumber, z.int(pageRule).min(1, pageRule).optional())
    .describe('From 1. Default: 1.'),
  limit: z
    .preprocess(
      digitsAsNumber,
      z.int(limitRule).min(1, limitRule).max(maxLimit, limitRule).default(defaultLimit),
    )
    .describe('Entries of a page.'),
};

export const statsParameters = z.object(rangeAndPage);

export const logsParameters = z.object({
  ...rangeAndPage,
  toMail: z.string().trim().optional().describe('Only messages to this address.'),
  messageId: z
    .string()
    .trim()
    .optional()
    .describe('Only this message: `uuid:n`, or `uuid` for all its records.'),
  search: z
    .array(z.string().trim())
    .max(limits.searchTerms, `may be given ${limits.searchTerms} times at most`)
    .optional()
    .describe(
      'May be repeated; every term must match the from address, the to address, the template name or the ' +
        `status (${statusWords.join(', ')}), whole, in any letter case.`,
    ),
});

export interface Paging {
  /** Null: none was given. */
  page: number | null;
  limit: number;
  offset: number;
}

export interface StatsQuestion extends Paging {
  ok: true;
  range: Pick<CountQuestion, 'from' | 'to'>;
}

export interface LogsQuestion extends Paging {
  ok: true;
  /** Null: no row can match. */
  filter: DeliveryFilter | null;
}

export interface MessageId {
  mailId: number;
  /** Absent: all records of the mail. */
  n?: number;
}

export function parseStats(fields: Fields, zone: string): StatsQuestion | Refusal {
  const sent = statsParameters.safeParse(lastValues(fields, statsParameters));
  if (!sent.success) return refusalOf(sent.error);
  const paging = pagingOf(sent.data);
  const range = rangeOf(sent.data, zone);
  if (!paging.ok) return paging;
  return range.ok ? { ...paging, range: range.bounds } : range;
}

export function parseLogs(fields: Fields, zone: string, key: InstallationKey): LogsQuestion | Refusal {
  const values = { ...lastValues(fields, logsParameters), search: fields.search };
  const sent = logsParameters.safeParse(values);
  if (!sent.success) return refusalOf(sent.error);
  const paging = pagingOf(sent.data);
  const range = rangeOf(sent.data, zone);
  if (!paging.ok) return paging;
  if (!range.ok) return range;
  const { toMail = '', messageId = '' } = sent.data;
  const search = (sent.data.search ?? []).filter((term) => term !== '').map(searchTerm);
  const message = messageId === '' ? {} : parseMessageId(messageId, key);
  if (message === null) return { ...paging, filter: null };
  const filter = {
    ...range.bounds,
    ...message,
    ...(toMail !== '' && { forwardPath: toMail }),
    ...(search.length > 0 && { search }),
  };
  return { ...paging, filter };
}

/** `uuid:n`, or `uuid` for all records; null for an id that was not made here. */
export function parseMessageId(text: string, key: InstallationKey): MessageId | null {
  const [, uuid = '', number] = /^([^:]{36})(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const mailId = mailIdOfUuid(key, uuid);
  if (mailId === null) return null;
  return { mailId, ...(number !== undefined && { n: Number(number) }) };
}

function searchTerm(text: string): SearchTerm {
  const status = conditionsOf(text);
  return { text, ...(status && { status }) };
}

function lastValues(fields: Fields, { shape }: z.ZodObject): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(shape).map((name) => [name, lastValue(fields, name)]));
}

function refusalOf({ issues: [issue] }: z.ZodError): Refusal {
  return badRequest(`${String(issue?.path[0])} ${issue?.message}`);
}

function pagingOf(sent: { page?: number | undefined; limit: number }): (Paging & { ok: true }) | Refusal {
  const page = sent.page ?? null;
  const offset = ((page ?? 1) - 1) * sent.limit;
  if (offset > limits.logOffsetRows) return badRequest('page is too high');
  return { ok: true, page, limit: sent.limit, offset };
}

interface Days {
  start_date?: string | undefined;
  end_date?: string | undefined;
}

function rangeOf(
  { start_date, end_date }: Days,
  zone: string,
): { ok: true; bounds: { from?: number; to?: number } } | Refusal {
  if (start_date && end_date && start_date > end_date) return badRequest('start_date is after end_date');
  const bounds = {
    ...(start_date && { from: startOfDay(Temporal.PlainDate.from(start_date), zone) }),
    ...(end_date && { to: startOfDay(Temporal.PlainDate.from(end_date).add({ days: 1 }), zone) }),
  };
  return { ok: true, bounds };
}

/** The first instant of a day, which a change of the clocks can move away from midnight. */
function startOfDay(day: Temporal.PlainDate, zone: string): number {
  return Math.min(Math.max(earliest, day.toZonedDateTime(zone).epochMilliseconds), latest);
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const daysInMonth =
    month >= 1 && month <= 12 ? Temporal.PlainYearMonth.from({ year, month }).daysInMonth : 0;
  return day >= 1 && day <= daysInMonth;
}
