/** Requests for metrics, pure. The service reads JSON; the same members may come as a form. */
import { z } from 'zod';
import type { EpochMs } from '../../base/clock.ts';
import type { Fields } from '../../http/query.ts';
import { comparators, type Metric, type MetricDimension, metricDimensions, metrics } from './metric-words.ts';
import { duration, instant, problemOf, resolution, shown } from './parse.ts';
import { type Refusable, type StatsWindow, windowUpTo } from './window.ts';

const dimensionNames = ['time', ...Object.keys(metricDimensions)] as ['time', ...MetricDimension[]];
const maxDimensions = 3;
const maxMetrics = 10;
const maxPredicates = 10;
const maxValues = 100;
const pages = { time: { rows: 1500, most: 1500 }, other: { rows: 10, most: 1000 } } as const;

const dimension = z.enum(dimensionNames, {
  error: ({ input }) => `unknown dimension ${shown(input)}; known are ${dimensionNames.join(', ')}`,
});

const predicate = z.object({
  attribute: z.enum(Object.keys(metricDimensions) as MetricDimension[], {
    error: ({ input }) =>
      `unknown attribute ${shown(input)}; known are ${dimensionNames.slice(1).join(', ')}`,
  }),
  comparator: z.enum(comparators, {
    error: ({ input }) => `unknown comparator ${shown(input)}; known are ${comparators.join(', ')}`,
  }),
  values: z
    .array(z.object({ value: z.string().max(1000), label: z.string().max(1000).optional() }))
    .min(1)
    .max(maxValues),
});

const whole = z.int().min(0).max(1_000_000_000);

export const metricsBody = z.object({
  start: instant.optional().describe('Begin, RFC 2822. Default: seven days before `end`.'),
  end: instant.optional().describe('End, RFC 2822; the bucket that holds it is the last one. Default: now.'),
  resolution: resolution
    .optional()
    .describe('Length of a bucket, in UTC. Default: `day`, or `hour` for a duration in hours.'),
  duration: duration
    .optional()
    .describe('`<n>h`, `<n>d` or `<n>m` (months), counted back from `end`. Overrides `start`.'),
  dimensions: z
    .array(dimension)
    .max(maxDimensions)
    .optional()
    .describe('What an item stands for. Default: one item for all.'),
  metrics: z
    .array(z.enum(metrics, { error: ({ input }) => `unknown metric ${shown(input)}` }))
    .max(maxMetrics, { error: `at most ${maxMetrics} metrics at once` })
    .optional()
    .describe('What is counted. Default: all metrics.'),
  filter: z
    .object({ AND: z.array(predicate).max(maxPredicates).optional() })
    .optional()
    .describe('Conditions; all must hold.'),
  include_subaccounts: z
    .boolean()
    .optional()
    .describe('Accepted for compatibility: there are no subaccounts here.'),
  include_aggregates: z.boolean().optional().describe('Also the metrics of all items together.'),
  pagination: z
    .object({ sort: z.string().max(100).optional(), skip: whole.optional(), limit: whole.optional() })
    .optional()
    .describe(
      '`sort`: a dimension or a metric of the request and `:asc` or `:desc`; `skip`, `limit`: items.',
    ),
});

export type Predicate = z.output<typeof predicate>;
export type Axis = 'time' | MetricDimension;

export interface Order {
  by: Axis | Metric;
  descending: boolean;
}

export interface MetricsQuestion {
  window: StatsWindow;
  /** As asked, to be answered again. */
  duration: string | undefined;
  axes: readonly Axis[];
  metrics: readonly Metric[];
  predicates: readonly Predicate[];
  aggregates: boolean;
  sort: string;
  order: Order | null;
  skip: number;
  limit: number;
}

export function parseMetrics(body: unknown, now: EpochMs): Refusable<MetricsQuestion> {
  const checked = metricsBody.safeParse(withoutEmpty(body));
  if (!checked.success) return { ok: false, problem: problemOf(checked.error) };
  const {
    dimensions = [],
    metrics: asked = [],
    filter,
    include_aggregates: aggregates = false,
  } = checked.data;
  const window = windowUpTo(checked.data, now);
  if (!window.ok) return window;
  const axes = [...new Set(dimensions)];
  const wanted = asked.length === 0 ? metrics : metrics.filter((metric) => asked.includes(metric));
  const { sort = '', skip = 0, limit } = checked.data.pagination ?? {};
  const order = orderOf(sort, [...axes, ...wanted]);
  if (order === undefined)
    return { ok: false, problem: `pagination: ${shown(sort)} is no order of this request` };
  const page = axes.includes('time') ? pages.time : pages.other;
  return {
    ok: true,
    value: {
      window: window.value,
      duration: durationText(body),
      axes,
      metrics: wanted,
      predicates: filter?.AND ?? [],
      aggregates,
      sort,
      order,
      skip,
      limit: Math.min(limit === undefined || limit === 0 ? page.rows : limit, page.most),
    },
  };
}

/** Null: none asked for. Undefined: by something that is not in the request. */
function orderOf(sort: string, known: readonly (Axis | Metric)[]): Order | null | undefined {
  if (sort === '') return null;
  const [, name, direction] = /^([a-z_]+)(?::(asc|desc))?$/.exec(sort) ?? [];
  // Samples of the vendor sort by `timestamp`.
  const by = known.find((one) => one === (name === 'timestamp' ? 'time' : name));
  return by && { by, descending: direction === 'desc' };
}

function durationText(body: unknown): string | undefined {
  const given = typeof body === 'object' && body !== null && 'duration' in body ? body.duration : undefined;
  return typeof given === 'string' && given !== '' ? given : undefined;
}

/** Clients send an empty text, or null, for what they leave open; in `filter` and `pagination` as well. */
function withoutEmpty(body: unknown, depth = 0): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const members = Object.entries(body).filter(([, value]) => value !== '' && value !== null);
  return Object.fromEntries(
    members.map(([name, value]) => [name, depth === 0 ? withoutEmpty(value, 1) : value]),
  );
}

/** The members of a form, each in the type that JSON would give it. */
export function bodyOfForm(fields: Fields): Record<string, unknown> {
  const lists = new Set(['dimensions', 'metrics']);
  const flags = new Set(['include_subaccounts', 'include_aggregates']);
  const members = Object.keys(metricsBody.shape).map((name) => {
    const values = fields[name] ?? [];
    if (lists.has(name)) return [name, values.length > 0 ? values : undefined];
    const text = values.at(-1);
    return [name, flags.has(name) && (text === 'true' || text === 'false') ? text === 'true' : text];
  });
  return Object.fromEntries(members);
}
