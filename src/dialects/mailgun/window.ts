/**
 * The time a question covers and the buckets it is cut into: start, end, duration and resolution as the
 * service understands them. All in UTC, all bounds computed on the calendar.
 */
import type { EpochMs } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Resolution } from './words.ts';

/** What the caller gave; undefined where he gave nothing. */
export interface WindowRequest {
  start?: EpochMs | undefined;
  end?: EpochMs | undefined;
  resolution?: Resolution | undefined;
  duration?: Duration | undefined;
}

export interface Duration {
  count: number;
  unit: Resolution;
}

/** Whole buckets: `from` is the start of the first, `to` the end of the last, `[from, to)`. */
export interface StatsWindow {
  from: EpochMs;
  to: EpochMs;
  resolution: Resolution;
}

export type Refusable<T> = { ok: true; value: T } | { ok: false; problem: string };

const defaultDays = 7;

/** The duration overrides the start; an explicit resolution overrides the duration's unit. */
export function windowOf(request: WindowRequest, now: EpochMs): Refusable<StatsWindow> {
  const { duration, end = now } = request;
  const resolution = request.resolution ?? duration?.unit ?? 'day';
  const start =
    duration === undefined
      ? (request.start ?? utc(end).subtract({ days: defaultDays }).epochMilliseconds)
      : startOfDuration(duration, resolution, end);
  if (start > end) return { ok: false, problem: 'start: is later than end' };
  const from = floorTo(start, resolution);
  if (from < 0) return { ok: false, problem: 'start: the time asked for begins before 1970' };
  return { ok: true, value: { from, to: nextAfter(end, resolution), resolution } };
}

/**
 * The same for metrics, which count a duration back from the start of the bucket that holds `end`: both ends
 * of the reply are buckets, a month apart for `1m`.
 */
export function windowUpTo(request: WindowRequest, now: EpochMs): Refusable<StatsWindow> {
  const { duration, end = now } = request;
  if (duration === undefined) return windowOf(request, now);
  const resolution = request.resolution ?? (duration.unit === 'hour' ? 'hour' : 'day');
  const start = utc(floorTo(end, resolution)).subtract(span(duration)).epochMilliseconds;
  return windowOf({ start, end, resolution }, now);
}

/** The one bucket that holds the instant. */
export function bucketHolding(instant: EpochMs, resolution: Resolution): StatsWindow {
  return { from: floorTo(instant, resolution), to: nextAfter(instant, resolution), resolution };
}

/** Starts of all buckets of the window, empty ones too, within the bound. */
export function bucketStarts(window: StatsWindow): Refusable<EpochMs[]> {
  const starts: EpochMs[] = [];
  for (let at = window.from; at < window.to; at = nextAfter(at, window.resolution)) {
    if (starts.length === limits.statsBuckets)
      return { ok: false, problem: tooManyBuckets(window.resolution) };
    starts.push(at);
  }
  return { ok: true, value: starts };
}

/** Start of the last bucket: what a reply calls `end`. */
export function lastBucket(window: StatsWindow): EpochMs {
  return floorTo(window.to - 1, window.resolution);
}

/**
 * `count` units counted back from the end of the bucket that holds `end`. That bucket is of the finer of
 * unit and resolution: one day by days is today alone, one month by days is the month of days up to today,
 * seven days by months are the months those days lie in.
 */
function startOfDuration({ count, unit }: Duration, resolution: Resolution, end: EpochMs): EpochMs {
  const finer = [unit, resolution].includes('hour')
    ? 'hour'
    : [unit, resolution].includes('day')
      ? 'day'
      : 'month';
  return utc(nextAfter(end, finer)).subtract(span({ count, unit })).epochMilliseconds;
}

function span({ count, unit }: Duration): Temporal.DurationLike {
  return { [`${unit}s`]: count };
}

function floorTo(at: EpochMs, resolution: Resolution): EpochMs {
  const time = utc(at);
  if (resolution === 'hour')
    return time.round({ smallestUnit: 'hour', roundingMode: 'floor' }).epochMilliseconds;
  const day = time.startOfDay();
  return (resolution === 'day' ? day : day.with({ day: 1 })).epochMilliseconds;
}

function nextAfter(at: EpochMs, resolution: Resolution): EpochMs {
  return utc(floorTo(at, resolution)).add({ [`${resolution}s`]: 1 }).epochMilliseconds;
}

function utc(at: EpochMs): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC');
}

function tooManyBuckets(resolution: Resolution): string {
  return `resolution: more than ${limits.statsBuckets} buckets of one ${resolution}; ask for less time or a coarser resolution`;
}
