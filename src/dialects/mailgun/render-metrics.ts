/** Cells of counts to the reply of the metrics endpoint, pure. */
import { rfc5322Date } from '../../base/time-text.ts';
import type { EventType } from '../../events/event.ts';
import type { CountRow } from '../../ledger/ledger.ts';
import { type Cell, compare } from './count-cells.ts';
import {
  type CountMetric,
  type CountRule,
  countRules,
  type Metric,
  type RateMetric,
  rateRules,
} from './metric-words.ts';
import type { Axis, MetricsQuestion, Order } from './parse-metrics.ts';
import { lastBucket } from './window.ts';
import { reasonWord } from './words.ts';

type Values = Partial<Record<Metric, number | string>>;

/** Types of our events that these metrics are counted from. */
export function typesOfMetrics(metrics: readonly Metric[]): EventType[] {
  return [...new Set(metrics.flatMap(typesOfMetric))];
}

function typesOfMetric(metric: Metric): readonly EventType[] {
  if (isRate(metric)) return rateRules[metric].flatMap(typesOfMetric);
  const rule = countRules[metric];
  return 'types' in rule ? rule.types : [...rule.plus, ...(rule.minus ?? [])].flatMap(typesOfMetric);
}

/** `total` counts all items; the page is cut out of them. `aggregates` are those of all events together. */
export function renderMetrics(
  question: MetricsQuestion,
  cells: readonly Cell[],
  all: readonly CountRow[] | null,
): object {
  const { window, duration, axes, metrics, sort, order, skip, limit } = question;
  const items = cells.map(({ place, rows }) => ({ place, metrics: renderValues(metrics, rows) }));
  const ordered = order === null ? items : items.toSorted((a, b) => compareBy(order, axes, a, b));
  return {
    start: rfc5322Date(window.from),
    end: rfc5322Date(lastBucket(window)),
    resolution: window.resolution,
    ...(duration === undefined ? {} : { duration }),
    dimensions: axes,
    pagination: { sort, skip, limit, total: items.length },
    items: ordered
      .slice(skip, skip + limit)
      .map((item) => ({ dimensions: renderPlace(axes, item.place), metrics: item.metrics })),
    aggregates: { metrics: all === null ? {} : renderValues(metrics, all) },
  };
}

function renderPlace(axes: readonly Axis[], place: Cell['place']): object[] {
  return axes.map((dimension, at) => {
    const value = place[at] ?? '';
    const text = typeof value === 'number' ? rfc5322Date(value) : value;
    return { dimension, value: text, display_value: text };
  });
}

function renderValues(metrics: readonly Metric[], rows: readonly CountRow[]): Values {
  return Object.fromEntries(
    metrics.map((metric) => [metric, isRate(metric) ? rateOf(metric, rows) : countOf(metric, rows)]),
  );
}

/** Four decimals, as text. */
function rateOf(metric: RateMetric, rows: readonly CountRow[]): string {
  const [part, whole] = rateRules[metric].map((one) => countOf(one, rows));
  return (whole ? (part ?? 0) / whole : 0).toFixed(4);
}

function countOf(metric: CountMetric, rows: readonly CountRow[]): number {
  const rule = countRules[metric];
  if ('types' in rule) return sumOf(rule, rows);
  const add = (of: readonly CountMetric[]) => of.reduce((total, one) => total + countOf(one, rows), 0);
  return add(rule.plus) - add(rule.minus ?? []);
}

type EventRule = Extract<CountRule, { types: readonly EventType[] }>;

function sumOf(rule: EventRule, rows: readonly CountRow[]): number {
  return rows
    .filter((row) => counts(rule, row))
    .reduce((sum, row) => sum + (rule.unique ? row.unique : row.count), 0);
}

function counts({ types, reasons, authenticated, first }: EventRule, row: CountRow): boolean {
  return (
    types.includes(row.type) &&
    (reasons?.includes(reasonWord(row.type, row.reason)) ?? true) &&
    (authenticated ?? row.authenticated) === row.authenticated &&
    (first ?? row.first) === row.first
  );
}

function isRate(metric: Metric): metric is RateMetric {
  return metric in rateRules;
}

interface Placed {
  place: Cell['place'];
  metrics: Values;
}

/** Equal items keep the order of their places. */
function compareBy({ by, descending }: Order, axes: readonly Axis[], a: Placed, b: Placed): number {
  const keyOf = ({ place, metrics }: Placed) =>
    isMetric(by) ? Number(metrics[by]) : (place[axes.indexOf(by)] ?? '');
  return compare(keyOf(a), keyOf(b)) * (descending ? -1 : 1);
}

function isMetric(by: Order['by']): by is Metric {
  return by in countRules || by in rateRules;
}
