/**
 * Times as logs write them. Syslog's have neither year nor zone: the zone is told by whoever imports, the year is the
 * last one in which the time is not after the file was written. So each line can be read alone, and a log that began
 * in December turns into January by itself.
 */
import type { LogContext } from './record.ts';

export interface Civil {
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
}

export interface YearlessClock {
  /** Null for what is no date. */
  epochMs(civil: Civil): number | null;
  /** With its year, in the zone of the log. */
  epochMsIn(year: number, civil: Civil): number | null;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const hoursRemembered = 100_000;

export function createYearlessClock({ zone, writtenAt, year }: LogContext): YearlessClock {
  const hours = new Map<number, number>();
  /** Start of a local hour; days have 23 or 25 of them. */
  const hourStart = (fullYear: number, { month, day, hour }: Civil): number => {
    const key = ((fullYear * 12 + month) * 31 + day) * 24 + hour;
    const known = hours.get(key);
    if (known !== undefined) return known;
    const plain = new Temporal.PlainDateTime(fullYear, month, day, hour);
    const start = plain.toZonedDateTime(zone).epochMilliseconds;
    if (hours.size >= hoursRemembered) hours.clear();
    hours.set(key, start);
    return start;
  };
  const epochMsIn = (fullYear: number, civil: Civil): number | null => {
    if (!isDate(fullYear, civil)) return null;
    const { minute, second, millisecond } = civil;
    return hourStart(fullYear, civil) + minute * 60_000 + second * 1000 + millisecond;
  };
  const lastYear = yearOf(zone);
  let told = year;
  let lastMonth = 0;
  return {
    epochMsIn,
    epochMs(civil) {
      if (told !== null) {
        if (civil.month === 1 && lastMonth === 12) told += 1;
        lastMonth = civil.month;
        return epochMsIn(told, civil);
      }
      const latest = writtenAt() + dayMs;
      // The 29th of February was in a leap year.
      for (let back = 0; back <= 8; back += 1) {
        const at = epochMsIn(lastYear(latest) - back, civil);
        if (at !== null && at <= latest) return at;
      }
      return null;
    },
  };
}

/** Of a time that is nearly always in the same hour as the one before. */
function yearOf(zone: string): (at: number) => number {
  let [hour, year] = [-1, 0];
  return (at) => {
    const asked = Math.floor(at / hourMs);
    if (asked !== hour) {
      hour = asked;
      year = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).year;
    }
    return year;
  };
}

const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDate(year: number, { month, day, hour, minute, second }: Civil): boolean {
  const days = monthDays[month - 1] ?? 0;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const exists = day >= 1 && day <= days && (month !== 2 || day < 29 || leap);
  return exists && hour < 24 && minute < 60 && second <= 60;
}

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?(?= |$)/;

/** A time at the head of a line, with its year; in the zone of the log if it names none. Null if there is none. */
export function isoTimeAtHead(line: string, clock: YearlessClock): { at: number; length: number } | null {
  const match = isoPattern.exec(line);
  if (match === null) return null;
  const [head, year, month, day, hour, minute, second, fraction = '', zone] = match;
  const civil: Civil = {
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
  };
  const at = zone === undefined ? clock.epochMsIn(Number(year), civil) : inUtc(Number(year), civil, zone);
  return at === null ? null : { at, length: head.length };
}

function inUtc(year: number, civil: Civil, zone: string): number | null {
  if (!isDate(year, civil)) return null;
  const { month, day, hour, minute, second, millisecond } = civil;
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offsetOf(zone);
}

function offsetOf(zone: string): number {
  if (zone === 'Z' || zone === 'UTC') return 0;
  const digits = zone.replace(':', '');
  const size = Number(digits.slice(1, 3)) * hourMs + Number(digits.slice(3, 5)) * 60_000;
  return zone.startsWith('-') ? -size : size;
}

/** A zone that the runtime knows. */
export function isZone(zone: string): boolean {
  try {
    return new Temporal.ZonedDateTime(0n, zone).timeZoneId !== '';
  } catch {
    return false;
  }
}

/** Zone of this machine: that of logs written on it. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
