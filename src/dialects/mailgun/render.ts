/** Rows of the ledger to reply bodies, pure. */
import type { EpochMs } from '../../base/clock.ts';
import type { EventType } from '../../events/event.ts';
import type { CountRow } from '../../ledger/ledger.ts';
import { printDate } from './dates.ts';
import { lastBucket, type StatsWindow } from './window.ts';
import { aggregateCounters, type Counter, counters, reasonWord, type StatsEvent } from './words.ts';

export type Counts = { [key: string]: number | Counts };

export interface StatsBody {
  description: string;
  start: string;
  end: string;
  resolution: string;
  stats: object[];
}

/** Types of our events that these events of the service are counted from. */
export function typesOf(events: readonly StatsEvent[]): EventType[] {
  return [...new Set(events.flatMap((event) => counters[event].flatMap(({ types }) => types)))];
}

/** `description` belongs to tags; without one the service answers an empty text. */
export function renderStats(window: StatsWindow, items: object[]): StatsBody {
  return {
    description: '',
    start: printDate(window.from),
    end: printDate(lastBucket(window)),
    resolution: window.resolution,
    stats: items,
  };
}

/** One item for each bucket, empty ones too. */
export function renderBuckets(
  starts: readonly EpochMs[],
  events: readonly StatsEvent[],
  rows: readonly CountRow[],
): object[] {
  const byBucket = Map.groupBy(rows, (row) => row.bucketAt);
  return starts.map((start) => renderItem(start, events, byBucket.get(start) ?? []));
}

/** One item for each named value, whether or not it has rows; the value stands under `key`. */
export function renderValues(
  { at, key }: { at: EpochMs; key: string },
  values: readonly string[],
  events: readonly StatsEvent[],
  rows: readonly CountRow[],
): object[] {
  const byValue = Map.groupBy(rows, (row) => row.group);
  return values.map((value) => {
    const { time, ...counts } = renderItem(at, events, byValue.get(value) ?? []);
    return { time, [key]: value, ...counts };
  });
}

/** Only the events asked for, each with all its counters. */
export function renderItem(time: EpochMs, events: readonly StatsEvent[], rows: readonly CountRow[]) {
  const counted = events.map((event) => [event, renderCounters(counters[event], rows)] as const);
  return { time: printDate(time), ...Object.fromEntries(counted) };
}

function renderCounters(of: readonly Counter[], rows: readonly CountRow[]): Counts {
  const counts: Counts = {};
  for (const counter of of) place(counts, counter.path, sum(counter, rows));
  return counts;
}

function place(counts: Counts, path: readonly string[], value: number): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    counts[first] = value;
    return;
  }
  const below = counts[first] ?? {};
  counts[first] = below;
  if (typeof below === 'object') place(below, rest, value);
}

function sum(counter: Omit<Counter, 'path'>, rows: readonly CountRow[]): number {
  return rows
    .filter((row) => counts(counter, row))
    .reduce((total, row) => total + (counter.unique ? row.unique : row.count), 0);
}

function counts({ types, reason, authenticated }: Omit<Counter, 'path'>, row: CountRow): boolean {
  return (
    types.includes(row.type) &&
    (reason === undefined || reasonWord(row.type, row.reason) === reason) &&
    (authenticated === undefined || row.authenticated === authenticated)
  );
}

/** Values with events, by name. Events without a value (no tag, no country) belong to none. */
export function valuesOf(rows: readonly CountRow[]): string[] {
  return [...new Set(rows.map((row) => row.group))].filter((value) => value !== '').sort();
}

export const aggregateTypes: readonly EventType[] = [
  ...new Set(Object.values(aggregateCounters).flatMap(({ types }) => types)),
];

/** Eight numbers for each named value, zeros too. */
export function renderAggregate(
  values: readonly string[],
  rows: readonly CountRow[],
): Record<string, Counts> {
  const byValue = Map.groupBy(rows, (row) => row.group);
  const counted = values.map((value) => {
    const of = byValue.get(value) ?? [];
    return [
      value,
      Object.fromEntries(
        Object.entries(aggregateCounters).map(([name, counter]) => [name, sum(counter, of)]),
      ),
    ];
  });
  return Object.fromEntries(counted);
}
