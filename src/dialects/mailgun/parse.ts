/**
 * Requests to questions, pure. The schemas validate and are at the same time what the reference page shows.
 * Parameters that no schema names are passed over, as the service does.
 */
import { z } from 'zod';
import type { EpochMs } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Fields } from '../../http/query.ts';
import { parseDomain } from '../../protocol/address/domain.ts';
import { parseDate } from './dates.ts';
import type { Duration, Refusable } from './window.ts';
import { type Dimension, dimensions, durationUnits, groups, resolutions, statsEvents } from './words.ts';

const known = (words: readonly string[]) => words.join(', ');

const event = z
  .array(
    z.enum(statsEvents, {
      error: ({ input }) =>
        `unknown event ${shown(input)}; known are ${known(statsEvents)}; several are given by repeating the parameter`,
    }),
    { error: `is required, one or more of ${known(statsEvents)}` },
  )
  .transform((events) => [...new Set(events)])
  .describe('Name of the event to count. Repeat the parameter for several; a comma list is refused.');

export const instant = z.string().transform((text, context): EpochMs => {
  const parsed = parseDate(text);
  if (parsed.ok) return parsed.at;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return z.NEVER;
});

export const resolution = z.enum(resolutions, {
  error: ({ input }) => `unknown resolution ${shown(input)}; known are ${known(resolutions)}`,
});

/** At most six digits: more months than any calendar here. */
const durationForm = /^([1-9]\d{0,5})([hdm])$/;

export const duration = z
  .string()
  .regex(durationForm, {
    error: ({ input }) =>
      `${shown(input)} is no duration; write a number of at most six digits and h (hours), d (days) or m (months), such as 24h`,
  })
  .transform((text): Duration => {
    const [, count, letter] = durationForm.exec(text) ?? [];
    return { count: Number(count), unit: durationUnits[letter ?? ''] ?? 'day' };
  });

const windowFields = {
  start: instant
    .optional()
    .describe(
      'Begin, RFC 2822 or Unix seconds, taken to the start of its bucket. Default: seven days before `end`.',
    ),
  end: instant
    .optional()
    .describe('End, RFC 2822 or Unix seconds; the bucket that holds it is the last one. Default: now.'),
  resolution: resolution
    .optional()
    .describe('Length of a bucket, in UTC. Default: the unit of `duration`, else `day`.'),
  duration: duration
    .optional()
    .describe('`<n>h`, `<n>d` or `<n>m` (months), counted back from `end`. Overrides `start`.'),
};

export const totalQuery = z.object({ event, ...windowFields });

export const totalDomainsQuery = z.object({
  event,
  timestamp: z
    .string({ error: 'is required: any time within the wanted bucket' })
    .pipe(instant)
    .describe('Any time within the wanted bucket, RFC 2822 or Unix seconds.'),
  resolution: resolution.default('day').describe('Length of the bucket, in UTC.'),
  limit: z
    .string()
    .regex(/^\d{1,9}$/, { error: ({ input }) => `${shown(input)} is no number of domains to skip` })
    .transform(Number)
    .default(0)
    .describe('Number of domains to skip, ordered by name. A reply holds at most 1000.'),
});

export interface StatsFilter {
  dimension: Dimension;
  value: string;
}

const dimensionNames = Object.keys(dimensions) as readonly Dimension[];

const filter = z.string().transform((text, context): StatsFilter => {
  const colon = text.indexOf(':');
  const dimension = dimensionNames.find((name) => name === text.slice(0, colon));
  const value = text.slice(colon + 1);
  if (dimension && value !== '') return { dimension, value: canonical(dimension, value) };
  context.addIssue({
    code: 'custom',
    message: `${shown(text)} is no filter; write one of ${dimensionNames.map((name) => `${name}:`).join(', ')} and a value, such as domain:my.example.com`,
  });
  return z.NEVER;
});

/** As the ledger holds it. Tags alone are told apart by case. */
export function canonical(dimension: string, value: string): string {
  if (dimension === 'tag') return value;
  const parsed = parseDomain(value);
  return dimension === 'domain' && parsed.ok ? parsed.domain : value.toLowerCase();
}

export const filterQuery = z.object({
  event,
  ...windowFields,
  filter: filter
    .optional()
    .describe('One condition, such as `domain:my.example.com`; also `ip:`, `provider:`, `tag:`, `country:`.'),
  group: z
    .enum(groups, { error: ({ input }) => `unknown group ${shown(input)}; known are ${known(groups)}` })
    .default('time')
    .describe(
      '`time`: by `resolution`; `day`, `month`: by that resolution; `total`: one item; else one item for each value.',
    ),
});

const repeatable: ReadonlySet<string> = new Set(['event']);

/**
 * The parameters by name, checked. An empty value counts as absent, except for those that may be repeated;
 * a repeated value of another parameter is refused, since no one could say which was meant.
 */
export function readQuery<T extends z.ZodObject>(schema: T, fields: Fields): Refusable<z.output<T>> {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const given = fields[name] ?? [];
    if (!repeatable.has(name) && given.length > 1)
      return { ok: false, problem: `${name}: is given more than once` };
    const value = repeatable.has(name) ? given : given[0];
    if (given.length > 0 && value !== '') values[name] = value;
  }
  const checked = schema.safeParse(values);
  if (checked.success) return { ok: true, value: checked.data };
  return { ok: false, problem: problemOf(checked.error) };
}

/** The first thing that is wrong, with the name of its parameter. */
export function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${String(issue?.path[0] ?? 'request')}: ${issue?.message ?? 'is not valid'}`;
}

/** What the caller wrote, cut to a length fit for an error message. */
export function shown(input: unknown): string {
  const text = String(input);
  return `'${text.length > limits.echoedChars ? `${text.slice(0, limits.echoedChars)}…` : text}'`;
}
