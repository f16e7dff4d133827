/** Requests to the event log, pure: the range and direction of the traversal, and what its events must meet. */
import { z } from 'zod';
import type { EpochMs } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Fields } from '../../http/query.ts';
import { type Expression, parseExpression } from './filter-expression.ts';
import { instant, readQuery, shown } from './parse.ts';
import type { Refusable } from './window.ts';

/** Fields that a filter may name. The last three are of things that are not kept here: nothing meets them. */
export const filterFields = [
  'event',
  'severity',
  'recipient',
  'recipients',
  'from',
  'to',
  'subject',
  'message-id',
  'size',
  'tags',
  'list',
  'attachment',
] as const;
export type FilterField = (typeof filterFields)[number];

export interface FieldFilter {
  field: FilterField;
  /** As written: it travels in the links to other pages. */
  text: string;
  expression: Expression;
}

export type Direction = 'ascending' | 'descending';

/** One walk through the event log. Both ends of the range belong to it. */
export interface Traversal {
  direction: Direction;
  from?: EpochMs;
  until?: EpochMs;
  limit: number;
  filters: readonly FieldFilter[];
}

export const maxPage = 300;
const defaultPage = 100;

const filterText = z.string().array().optional();

const rangeQuery = z.object({
  begin: instant.optional().describe('Where to begin, RFC 2822 or Unix seconds. Default: now.'),
  end: instant
    .optional()
    .describe('Where to end, RFC 2822 or Unix seconds. Earlier than `begin`: newest first. Default: no end.'),
  ascending: z
    .enum(['yes', 'no'], { error: ({ input }) => `${shown(input)} is neither yes nor no` })
    .optional()
    .describe('Direction, where `begin` and `end` do not tell it. Default: `no`, newest first.'),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: ({ input }) => `${shown(input)} is no number of events` })
    .transform((text) => Math.min(Number(text), maxPage))
    .default(defaultPage)
    .describe(`Events in a page, at most ${maxPage}.`),
});

/** Each filter may be given several times; all of them must hold then. */
export const eventsQuery = rangeQuery.extend({
  event: filterText.describe(
    'Name of the event, such as `failed`, or an expression such as `failed OR rejected`.',
  ),
  severity: filterText.describe('`temporary` or `permanent`; of failed events only.'),
  recipient: filterText.describe('Address of the recipient, as it was written when the mail was submitted.'),
  recipients: filterText.describe('The same as `recipient`.'),
  from: filterText.describe('Text within the From field.'),
  to: filterText.describe('Text within the To field.'),
  subject: filterText.describe('Text within the subject.'),
  'message-id': filterText.describe('Message-ID, with or without its angle brackets.'),
  size: filterText.describe('Size of the mail in bytes, such as `>10000 <20000`.'),
  tags: filterText.describe('Tag of the mail.'),
  list: filterText.describe('Accepted for compatibility: no mail here belongs to a list.'),
  attachment: filterText.describe('Accepted for compatibility: names of attachments are not kept.'),
});

export function parseEvents(fields: Fields, now: EpochMs): Refusable<Traversal> {
  const query = readQuery(rangeQuery, fields);
  if (!query.ok) return query;
  const filters = parseFilters(fields);
  if (!filters.ok) return filters;
  const { begin = now, end, ascending, limit } = query.value;
  const asked = ascending === undefined ? undefined : ascending === 'yes' ? 'ascending' : 'descending';
  const implied = end === undefined ? undefined : end < begin ? 'descending' : 'ascending';
  if (asked !== undefined && implied !== undefined && asked !== implied && begin !== end) {
    return { ok: false, problem: `ascending: ${shown(ascending)} contradicts begin and end` };
  }
  const direction = asked ?? implied ?? 'descending';
  const [from, until] = direction === 'ascending' ? [begin, end] : [end, begin];
  return { ok: true, value: { direction, limit, filters: filters.value, ...defined({ from, until }) } };
}

/** Each given expression of each field: all of them must hold. */
function parseFilters(fields: Fields): Refusable<FieldFilter[]> {
  const given = filterFields.flatMap((field) =>
    (fields[field] ?? []).filter((text) => text.trim() !== '').map((text) => ({ field, text })),
  );
  return readFilters(given);
}

export function readFilters(
  given: ReadonlyArray<{ field: FilterField; text: string }>,
): Refusable<FieldFilter[]> {
  const filters: FieldFilter[] = [];
  let length = 0;
  for (const { field, text } of given) {
    length += text.length;
    const expression = length > limits.filterChars ? null : parseExpression(text);
    if (!expression) return { ok: false, problem: `${field}: the filter is too long` };
    filters.push({ field, text, expression });
  }
  return { ok: true, value: filters };
}

/** Without the members that are undefined. */
export function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const pairs = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(pairs) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
