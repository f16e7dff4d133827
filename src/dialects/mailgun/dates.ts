/**
 * The dates of this dialect. In: RFC 2822 §3.3 with its obsolete forms (§4.3), or Unix seconds, as the
 * clients of the imitated service send them. Out: `Mon, 01 Aug 2016 00:00:00 UTC`.
 *
 * The day of the week is not compared with the date: the service's own documentation has wrong ones.
 */
import type { EpochMs } from '../../base/clock.ts';
import { rfc5322Date } from '../../base/time-text.ts';

export type ParsedDate = { ok: true; at: EpochMs } | { ok: false; problem: string };

/** A date of RFC 2822 with a long comment still fits; nothing longer is looked at. */
const maxDateLength = 128;
/** 9999-12-31T23:59:59.999Z: the last year that the output form can show. */
const maxAt = 253_402_300_799_999;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Minutes east of Greenwich: RFC 2822 §4.3, and `UTC`, which the service itself prints. */
const namedZones: ReadonlyMap<string, number> = new Map([
  ['UTC', 0],
  ['GMT', 0],
  ['UT', 0],
  ['Z', 0],
  ['EDT', -4 * 60],
  ['EST', -5 * 60],
  ['CDT', -5 * 60],
  ['CST', -6 * 60],
  ['MDT', -6 * 60],
  ['MST', -7 * 60],
  ['PDT', -7 * 60],
  ['PST', -8 * 60],
]);

const dateForm = new RegExp(
  [
    /^(?:[a-z]{3,9}\s*,?\s*)?/, // day of the week
    /(?<day>\d{1,2})\s+(?<month>[a-z]{3})\s+(?<year>\d{2,4})\s+/,
    /(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?\s+/,
    // A `+` that was not percent-encoded in the query arrives as a space: digits alone count as east.
    /(?:(?<sign>[+-]?)(?<zoneHour>\d{2}):?(?<zoneMinute>\d{2})|(?<zone>[a-z]{1,4}))/,
    /(?:\s*\([^()]*\))?$/, // `+0000 (UTC)`
  ]
    .map((part) => part.source)
    .join(''),
  'i',
);

/** Unix seconds with or without a fraction, or a date of RFC 2822. Years 1970 to 9999. */
export function parseDate(text: string): ParsedDate {
  const trimmed = text.trim();
  if (trimmed.length > maxDateLength) return unreadable(trimmed);
  const at = /^\d+(?:\.\d+)?$/.test(trimmed) ? Math.floor(Number(trimmed) * 1000) : parseRfc2822(trimmed);
  if (at === null) return unreadable(trimmed);
  if (at < 0 || at > maxAt) return { ok: false, problem: `'${trimmed}' lies outside the years 1970 to 9999` };
  return { ok: true, at };
}

function unreadable(text: string): ParsedDate {
  const shown = text.length > maxDateLength ? `${text.slice(0, maxDateLength)}…` : text;
  return {
    ok: false,
    problem: `'${shown}' is neither a date such as 'Mon, 01 Aug 2016 00:00:00 UTC' nor Unix seconds`,
  };
}

function parseRfc2822(text: string): EpochMs | null {
  const parts = dateForm.exec(text)?.groups;
  if (parts === undefined) return null;
  const offset = offsetMinutes(parts);
  const local = localTime(parts);
  return offset === null || local === null ? null : local - offset * 60_000;
}

type Parts = Readonly<Record<string, string | undefined>>;

/** Milliseconds of the wall clock time, read as if it were UTC; null for a day or time that does not exist. */
function localTime(parts: Parts): EpochMs | null {
  const month = months.findIndex((name) => name.toLowerCase() === parts.month?.toLowerCase()) + 1;
  const [day, hour, minute] = [Number(parts.day), Number(parts.hour), Number(parts.minute)];
  const second = Number(parts.second ?? 0);
  const year = fullYear(parts.year ?? '');
  // RFC 2822 §3.3 lets a leap second be written; it is the first moment of the next minute here.
  if (month === 0 || day < 1 || hour > 23 || minute > 59 || second > 60) return null;
  const first = Temporal.PlainDate.from({ year, month, day: 1 });
  if (day > first.daysInMonth) return null;
  const midnight = first.with({ day }).toZonedDateTime('UTC').epochMilliseconds;
  return midnight + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** RFC 2822 §4.3: two digits below 50 are of this century; three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return text.length === 2 && year < 50 ? 2000 + year : 1900 + year;
}

/** Null for a zone that is unknown or that no clock could show. */
function offsetMinutes(parts: Parts): number | null {
  const name = parts.zone?.toUpperCase();
  if (name !== undefined) return namedZones.get(name) ?? militaryZone(name);
  const [hours, minutes] = [Number(parts.zoneHour), Number(parts.zoneMinute)];
  if (hours > 23 || minutes > 59) return null;
  return (parts.sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** RFC 2822 §4.3: the single letters were defined with the wrong sign once, so all of them mean `-0000`. */
function militaryZone(name: string): number | null {
  return /^[A-IK-Z]$/.test(name) ? 0 : null;
}

/** `Mon, 01 Aug 2016 00:00:00 UTC`. */
export function printDate(at: EpochMs): string {
  return rfc5322Date(at).replace('+0000', 'UTC');
}
