/**
 * The token of a page of the event log: all that is needed to go on, in one path segment. It holds nothing
 * its bearer may not know, and opens nothing: key and domain are asked for again with each page.
 */
import { z } from 'zod';
import type { EventCursor } from '../../ledger/ledger.ts';
import { type Direction, filterFields, maxPage, readFilters, type Traversal } from './parse-events.ts';

export interface PageRequest {
  traversal: Traversal;
  /** Where the page begins; null: at the end of the range that `backwards` names. */
  cursor: EventCursor | null;
  /** True: the page lies before the cursor, seen in the direction of the traversal. */
  backwards: boolean;
}

const instant = z.int().min(0);

/** Short names: the token travels in four links of every reply. */
const contents = z.strictObject({
  d: z.enum(['ascending', 'descending']),
  b: instant.optional(),
  e: instant.optional(),
  l: z.int().min(1).max(maxPage),
  f: z.array(z.tuple([z.enum(filterFields), z.string()])),
  c: z.tuple([instant, instant, z.string().max(255)]).nullable(),
  p: z.literal(true).optional(),
});

export function writeToken({ traversal, cursor, backwards }: PageRequest): string {
  const { direction, from, until, limit, filters } = traversal;
  const token: z.input<typeof contents> = {
    d: direction,
    ...(from === undefined ? {} : { b: from }),
    ...(until === undefined ? {} : { e: until }),
    l: limit,
    f: filters.map(({ field, text }) => [field, text]),
    c: cursor && [cursor.at, cursor.sequence, cursor.node ?? ''],
    ...(backwards ? { p: true } : {}),
  };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Null for text that is no token of ours. */
export function readToken(text: string): PageRequest | null {
  const parsed = contents.safeParse(parseJson(Buffer.from(text, 'base64url').toString('utf8')));
  if (!parsed.success) return null;
  const { d: direction, b: from, e: until, l: limit, f, c, p } = parsed.data;
  const filters = readFilters(f.map(([field, filter]) => ({ field, text: filter })));
  if (!filters.ok) return null;
  const traversal: Traversal = {
    direction,
    limit,
    filters: filters.value,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
  return { traversal, cursor: c && { at: c[0], sequence: c[1], node: c[2] }, backwards: p === true };
}

export function opposite(direction: Direction): Direction {
  return direction === 'ascending' ? 'descending' : 'ascending';
}

/** Undefined for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
