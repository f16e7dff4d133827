/** The ranges of time that statistics are counted over. Pure; a day of the zone may have 23 or 25 hours. */
import type { EpochMs } from '../../base/clock.ts';
import type { Settings } from './options.ts';
import type { TimeWindow } from './words.ts';

/** Half-open, of the time of acceptance. */
export interface Range {
  from: EpochMs;
  to: EpochMs;
}

type Calendar = Pick<Settings, 'zone' | 'billingDay'>;

const hourMs = 3_600_000;
/** Windows that reach to now are open at their end: a node whose clock is ahead has accepted mail as well. */
const openEnd: EpochMs = Date.UTC(2200, 0);

export function windowOf(time: TimeWindow, now: EpochMs, calendar: Calendar): Range {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(calendar.zone).toPlainDate();
  switch (time) {
    case '1h':
      return { from: now - hourMs, to: openEnd };
    case '24h':
      return { from: now - 24 * hourMs, to: openEnd };
    case '7d':
      return { from: now - 7 * 24 * hourMs, to: openEnd };
    case 'day':
      return { from: startOf(today, calendar), to: openEnd };
    case 'month':
      return { from: startOf(today.with({ day: 1 }), calendar), to: openEnd };
    case 'billing':
      return billingCycle(today, calendar);
    case 'all':
      return { from: 0, to: openEnd };
  }
}

function billingCycle(today: Temporal.PlainDate, calendar: Calendar): Range {
  const sameMonth = today.with({ day: calendar.billingDay });
  const first = sameMonth.day > today.day ? sameMonth.subtract({ months: 1 }) : sameMonth;
  return { from: startOf(first, calendar), to: startOf(first.add({ months: 1 }), calendar) };
}

/** The first instant of the day, which a change of the clocks can move away from midnight. */
function startOf(day: Temporal.PlainDate, { zone }: Calendar): EpochMs {
  return day.toZonedDateTime(zone).epochMilliseconds;
}
