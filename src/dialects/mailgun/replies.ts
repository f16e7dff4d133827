/** Schemas of the replies, for the reference page; `words.ts` decides what they count. */
import { z } from 'zod';
import type { Reply } from '../../http/endpoint.ts';
import { countMetrics, rateMetrics } from './metric-words.ts';
import { aggregateCounters, type Counter, counters, eventNames, resolutions, statsEvents } from './words.ts';

const date = (what: string) => z.string().describe(`${what}, as \`Mon, 01 Aug 2016 00:00:00 UTC\`.`);

function countersSchema(of: readonly Counter[], depth = 0): z.ZodObject {
  const byName = Map.groupBy(of, ({ path }) => path[depth] ?? '');
  const members = [...byName].map(([name, below]) => {
    const leaf = below.every(({ path }) => path.length === depth + 1);
    return [name, leaf ? z.int() : countersSchema(below, depth + 1)] as const;
  });
  return z.object(Object.fromEntries(members));
}

const statsItem = z
  .object({
    time: date('Start of the bucket'),
    ...Object.fromEntries(statsEvents.map((event) => [event, countersSchema(counters[event]).optional()])),
  })
  .describe('Holds the events asked for and no others.');

function statsSchema(item: z.ZodObject): z.ZodObject {
  return z.object({
    description: z.string().describe('Always empty: only statistics of tags have one.'),
    start: date('Start of the first bucket'),
    end: date('Start of the last bucket'),
    resolution: z.enum(resolutions),
    stats: z.array(item),
  });
}

export const statsReply: Reply = {
  description: 'The counts, one item for each bucket from `start` to `end`, empty buckets included.',
  schema: statsSchema(statsItem),
};

export const domainsReply: Reply = {
  description: 'The counts of one bucket, one item for each sending domain, by name.',
  schema: statsSchema(statsItem.extend({ domain: z.string() })),
};

export const filterReply: Reply = {
  description:
    'The counts; with `group` set to domain, ip, provider, tag or country, each item has a key of that name.',
  schema: statsSchema(
    statsItem.extend(
      Object.fromEntries(
        ['domain', 'ip', 'provider', 'tag', 'country'].map((name) => [name, z.string().optional()]),
      ),
    ),
  ),
};

export function aggregateReply(name: string, keys: string): Reply {
  const metrics = z.object(
    Object.fromEntries(Object.keys(aggregateCounters).map((metric) => [metric, z.int()])),
  );
  return {
    description: `Counts since ever, for each ${keys}.`,
    schema: z.object({ [name]: z.record(z.string(), metrics) }),
  };
}

const link = z.url();

export const eventsReply: Reply = {
  description: 'A page of events and the links to the pages around it. An empty page is the end.',
  schema: z.object({
    items: z.array(
      z
        .looseObject({
          event: z.enum(eventNames),
          id: z.string(),
          timestamp: z.number().describe('Unix seconds with a fraction.'),
          'log-level': z.enum(['info', 'warn', 'error']),
          recipient: z.string(),
        })
        .describe('What else an event holds depends on its name.'),
    ),
    paging: z.object({ next: link, previous: link, first: link, last: link }),
  }),
};

const metricValues = z
  .object({
    ...Object.fromEntries(countMetrics.map((metric) => [metric, z.int().optional()])),
    ...Object.fromEntries(rateMetrics.map((metric) => [metric, z.string().optional()])),
  })
  .describe('The metrics asked for. Rates are fractions with four decimals, as text.');

export const metricsReply: Reply = {
  description: 'Items with events, by their dimensions. Dates are as `Mon, 01 Aug 2016 00:00:00 +0000`.',
  schema: z.object({
    start: z.string(),
    end: z.string(),
    resolution: z.enum(resolutions),
    duration: z.string().optional(),
    dimensions: z.array(z.string()),
    pagination: z.object({ sort: z.string(), skip: z.int(), limit: z.int(), total: z.int() }),
    items: z.array(
      z.object({
        dimensions: z.array(
          z.object({ dimension: z.string(), value: z.string(), display_value: z.string() }),
        ),
        metrics: metricValues,
      }),
    ),
    aggregates: z.object({ metrics: metricValues }),
  }),
};
