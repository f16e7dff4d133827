/**
 * What PHP's date parser recognises: every rule is a pattern and what a match says. The longest match at a
 * position wins, of equally long ones the first in this list, as in PHP's generated scanner (php.net:
 * "Supported Date and Time Formats"; its grammar is part of PHP's timelib).
 */
import { zoneOfName } from './strtotime-zones.ts';

/** What the text has said so far. Absent parts are filled from now. */
export interface Spoken {
  year?: number;
  month?: number;
  day?: number;
  hour?: number;
  minute?: number;
  second?: number;
  hasDate: boolean;
  hasTime: boolean;
  zones: Zone[];
  relative: {
    year: number;
    month: number;
    day: number;
    hour: number;
    minute: number;
    second: number;
  };
  weekday?: Weekday;
  /** Working days to go forward or back. */
  workingDays?: number;
  /** "first monday of": the month is set before days are counted. */
  weekdayOf?: 'first' | 'last';
  edgeOfMonth?: 'first' | 'last';
}

/** Seconds east of UTC, or an IANA name. */
export type Zone = number | string;

export interface Weekday {
  /** 0 Sunday to 6 Saturday; negative after `ago`. */
  day: number;
  /** 0: after today; 1: today counts; 2: within the week that begins on Monday. */
  behavior: 0 | 1 | 2;
}

/** False: the text contradicts itself or says something impossible. */
type Say = (spoken: Spoken, part: (name: string) => string) => boolean;

export interface Rule {
  pattern: RegExp;
  say: Say;
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const ordinals = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
  'eleventh',
  'twelfth',
];

const monthText =
  'january|february|march|april|may|june|july|august|september|october|november|december|sept|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec';
const monthAbbreviation = 'sept|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const weekdayText =
  '(?:sunday|monday|tuesday|wednesday|thursday|friday|saturday)s?|sun|mon|tue|wed|thu|fri|sat|weekdays?';
const relativeText = 'next|last|previous|this';
const ordinalText = `${ordinals.join('|')}|eight|${relativeText}`;
const unitText = `(?:second|sec|minute|min|hour|day|fortnight|forthnight|month|year)s?|weeks|${weekdayText}`;

const year4 = '(?<year>\\d{4})';
const year = '(?<year>\\d{1,4})';
const month = '(?<month>1[0-2]|0?\\d)';
const monthLz = '(?<month>0\\d|1[0-2])';
const monthName = `(?<monthName>${monthText})`;
const monthAbbr = `(?<monthName>${monthAbbreviation})`;
const day = '(?<day>3[01]|[0-2]?\\d)';
const dayLz = '(?<day>0\\d|[12]\\d|3[01])';
const daySuffix = '(?:st|nd|rd|th)?';
const hour24 = '(?<hour>2[0-4]|[01]?\\d)';
const hour24Lz = '(?<hour>[01]\\d|2[0-4])';
const hour12 = '(?<hour>1[0-2]|0?[1-9])';
const minute = '(?<minute>[0-5]?\\d)';
const minuteLz = '(?<minute>[0-5]\\d)';
const second = '(?<second>60|[0-5]?\\d)';
const secondLz = '(?<second>60|[0-5]\\d)';
const fraction = '[.,]\\d+';
const meridian = '[ \\t]*(?<meridian>[ap])\\.?m\\.?(?=[ \\t]|$)';
const gap = '[ .\\t-]*';
const afterDay = '(?-i:[,.stndrh\\t ]+)';
const clock24 = `${hour24}[:.]${minute}(?:[:.]${second})?`;
const clock12 = `${hour12}(?:[:.]${minuteLz}(?:[:.]${secondLz})?)?${meridian}`;

function rule(pattern: string, say: Say): Rule {
  return { pattern: new RegExp(pattern, 'iy'), say };
}

export const rules: readonly Rule[] = [
  rule('yesterday', (spoken) => sayDay(spoken, -1)),
  rule('now', () => true),
  rule('noon', (spoken) => sayMidnight(spoken) && setTime(spoken, 12)),
  rule('midnight|today', sayMidnight),
  rule('tomorrow', (spoken) => sayDay(spoken, 1)),
  rule('@(?<seconds>-?\\d+)(?:\\.\\d{0,6})?', sayTimestamp),
  rule('(?<edge>first|last) day of', (spoken, part) => {
    spoken.edgeOfMonth = part('edge').toLowerCase() === 'first' ? 'first' : 'last';
    return true;
  }),
  rule(`(?<ordinal>${ordinalText})[ \\t]+(?<unit>${weekdayText})[ \\t]+of`, sayWeekdayOf),
  rule(clock12, sayTime),
  rule(`t?${clock24}(?:(?<=[:.]\\d+[:.]\\d+)${fraction})?`, sayTime),
  rule(`t${hour24}`, sayTime),
  rule(`t?${hour24Lz}${minuteLz}`, sayHoursAndMinutesOrYear),
  rule(`t${hour24Lz}${minuteLz}${secondLz}`, sayTime),
  rule(`${month}/${day}(?:/${year})?`, sayDate),
  rule(`(?<sign>[+-]?)${year4}-${monthLz}-${dayLz}`, sayDate),
  rule(`${year4}/${month}/${day}/?`, sayDate),
  rule(`(?<year>\\d{2})-${monthLz}-${dayLz}`, sayDate),
  rule(`${year}-${month}-${day}`, sayDate),
  rule(`${year4}-${month}`, sayDate),
  rule(`${day}${daySuffix}${gap}${monthName}${gap}${year}`, sayDate),
  rule(`${day}[.\\t-]${month}[.-]${year4}`, sayDate),
  rule(`${day}[.\\t]${month}\\.(?<year>\\d{2})`, sayDate),
  rule(`${monthName}${gap}${year4}`, sayDate),
  rule(`${year4}${gap}${monthName}`, sayDate),
  rule(`${monthName}${gap}${day}${afterDay}${year}`, sayDate),
  rule(`${monthName}${gap}${day}(?:${afterDay}|$)`, sayDate),
  rule(`${day}${daySuffix}${gap}${monthName}`, sayDate),
  rule(`${year4}${monthLz}${dayLz}`, sayDate),
  rule(`${year4}${monthLz}${dayLz}t${hour24}:?${minuteLz}:?${secondLz}`, sayDateAndTime),
  rule(`${year4}-${monthLz}-${dayLz}t${hour24Lz}:${minuteLz}:${secondLz}(?:${fraction})?`, sayDateAndTime),
  rule(`${year4}${monthLz}${dayLz}${hour24Lz}${minuteLz}${secondLz}`, sayDateAndTime),
  rule(`${year4}:${monthLz}:${dayLz} ${hour24Lz}:${minuteLz}:${secondLz}`, sayDateAndTime),
  rule(`${year4}[.-]?(?<dayOfYear>00[1-9]|0[1-9]\\d|[12]\\d\\d|3[0-5]\\d|36[0-6])`, sayDate),
  rule(`${year4}-?w(?<week>0[1-9]|[1-4]\\d|5[0-3])(?:-?(?<weekDay>[0-7]))?`, sayWeek),
  rule(`${monthAbbr}-${dayLz}-${year}`, sayDate),
  rule(`${year}-${monthAbbr}-${dayLz}`, sayDate),
  rule(`${day}/${monthAbbr}/${year4}:${hour24Lz}:${minuteLz}:${secondLz}`, sayDateAndTime),
  rule(year4, (spoken, part) => {
    spoken.year = Number(part('year'));
    return true;
  }),
  rule('ago', sayAgo),
  rule(`(?<weekday>${weekdayText})`, sayWeekday),
  rule(`(?<ordinal>${relativeText})[ \\t]+week`, sayWeekFromNow),
  rule(`(?<ordinal>${ordinalText})[ \\t]+(?<unit>${unitText})`, sayOrdinal),
  rule(monthName, sayDate),
  rule('(?:gmt)?(?<offset>[+-](?:(?:2[0-4]|[01]?\\d)(?::?[0-5]?\\d)?))', sayOffset),
  rule('(?:gmt)?(?<offset>[+-](?:[01]\\d|2[0-4])(?::[0-5]\\d:[0-5]\\d|[0-5]\\d[0-5]\\d))', sayOffset),
  rule('\\(?(?<zone>[a-z]+(?:[_/-][a-z]+)+|[a-z]{1,6})\\)?', sayZone),
  rule(`${monthName}${gap}${day}${afterDay}${clock24}`, sayDateAndTime),
  rule(`${monthName}${gap}${day}${afterDay}${clock12}`, sayDateAndTime),
  rule(`(?<signs>[+-]*)[ \\t]*(?<amount>\\d{1,13})[ \\t]*(?<unit>${unitText}|week)`, sayAmount),
  rule('[ .,\\t]', () => true),
];

function sayMidnight(spoken: Spoken): boolean {
  resetTime(spoken);
  return true;
}

function sayDay(spoken: Spoken, days: number): boolean {
  resetTime(spoken);
  spoken.relative.day = days;
  return true;
}

function sayTimestamp(spoken: Spoken, part: (name: string) => string): boolean {
  if (spoken.zones.length > 0) return false;
  resetTime(spoken);
  Object.assign(spoken, { year: 1970, month: 1, day: 1, hasDate: false });
  spoken.relative.second += Number(part('seconds'));
  return addZone(spoken, 0);
}

function sayTime(spoken: Spoken, part: (name: string) => string): boolean {
  const hour = Number(part('hour'));
  const isAfternoon = part('meridian').toLowerCase() === 'p';
  const hours = part('meridian') === '' ? hour : (hour % 12) + (isAfternoon ? 12 : 0);
  return setTime(spoken, hours, Number(part('minute')), Number(part('second')));
}

/** Four digits are a time; after a time they are a year. */
function sayHoursAndMinutesOrYear(spoken: Spoken, part: (name: string) => string): boolean {
  if (!spoken.hasTime) return sayTime(spoken, part);
  spoken.year = Number(part('hour') + part('minute'));
  return true;
}

function setTime(spoken: Spoken, hour: number, minutes = 0, seconds = 0): boolean {
  if (spoken.hasTime) return false;
  Object.assign(spoken, { hour, minute: minutes, second: seconds, hasTime: true });
  return true;
}

function resetTime(spoken: Spoken): void {
  Object.assign(spoken, { hour: 0, minute: 0, second: 0, hasTime: false });
}

/** A month without a day is its first; a month alone keeps the day of now. */
function sayDate(spoken: Spoken, part: (name: string) => string): boolean {
  if (spoken.hasDate) return false;
  spoken.hasDate = true;
  const [yearText, monthText, dayText, dayOfYear] = ['year', 'month', 'day', 'dayOfYear'].map(part);
  if (yearText) spoken.year = fullYear(yearText) * (part('sign') === '-' ? -1 : 1);
  if (dayOfYear) {
    spoken.month = 1;
    spoken.day = Number(dayOfYear);
    return true;
  }
  spoken.month = monthText ? Number(monthText) : monthOfName(part('monthName'));
  if (dayText) spoken.day = Number(dayText);
  else if (yearText) spoken.day = 1;
  return true;
}

function sayDateAndTime(spoken: Spoken, part: (name: string) => string): boolean {
  return sayDate(spoken, part) && sayTime(spoken, part);
}

/** Two digits: 70 to 99 are of the last century. */
function fullYear(text: string): number {
  const value = Number(text);
  if (text.length >= 4 || value >= 100) return value;
  return value < 70 ? value + 2000 : value + 1900;
}

function monthOfName(name: string): number {
  return monthNames.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

/** ISO 8601: week 1 holds the 4th of January; days count from Monday, 1. */
function sayWeek(spoken: Spoken, part: (name: string) => string): boolean {
  if (spoken.hasDate) return false;
  spoken.hasDate = true;
  const ofYear = Number(part('year'));
  const dayOfWeek = part('weekDay') === '' ? 1 : Number(part('weekDay'));
  const fourth = new Temporal.PlainDate(ofYear, 1, 4);
  Object.assign(spoken, { year: ofYear, month: 1, day: 1 });
  spoken.relative.day = (Number(part('week')) - 1) * 7 + dayOfWeek - fourth.dayOfWeek + 3;
  return true;
}

function sayAgo(spoken: Spoken): boolean {
  const { relative } = spoken;
  for (const unit of Object.keys(relative) as (keyof typeof relative)[]) relative[unit] = 0 - relative[unit];
  if (spoken.weekday) spoken.weekday.day = spoken.weekday.day === 0 ? -7 : -spoken.weekday.day;
  if (spoken.workingDays !== undefined) spoken.workingDays = 0 - spoken.workingDays;
  return true;
}

function sayWeekday(spoken: Spoken, part: (name: string) => string): boolean {
  resetTime(spoken);
  const text = part('weekday').toLowerCase();
  const named = text.startsWith('weekday') ? 1 : dayOfName(text);
  spoken.weekday = { day: named, behavior: spoken.weekday?.behavior === 2 ? 2 : 1 };
  return true;
}

function dayOfName(name: string): number {
  return weekdayNames.indexOf(name.slice(0, 3).toLowerCase());
}

/** "next week" is a day of it: the weekday said before, else its Monday. */
function sayWeekFromNow(spoken: Spoken, part: (name: string) => string): boolean {
  spoken.relative.day += ordinalOf(part('ordinal')).amount * 7;
  spoken.weekday = { day: spoken.weekday?.day ?? 1, behavior: 2 };
  return true;
}

function sayWeekdayOf(spoken: Spoken, part: (name: string) => string): boolean {
  const { amount, behavior } = ordinalOf(part('ordinal'));
  resetTime(spoken);
  spoken.weekdayOf = amount > 0 ? 'first' : 'last';
  return addUnits(spoken, part('unit').toLowerCase(), { amount, behavior: amount > 0 ? 1 : behavior });
}

function sayOrdinal(spoken: Spoken, part: (name: string) => string): boolean {
  const unit = part('unit').toLowerCase();
  if ((dayOfName(unit) !== -1 && !unitOf(unit)) || unit.startsWith('weekday')) resetTime(spoken);
  return addUnits(spoken, unit, ordinalOf(part('ordinal')));
}

function sayAmount(spoken: Spoken, part: (name: string) => string): boolean {
  const sign = part('signs').replaceAll('+', '').length % 2 === 1 ? -1 : 1;
  const unit = part('unit').toLowerCase();
  return addUnits(spoken, unit, { amount: sign * Number(part('amount')), behavior: 1 });
}

interface Count {
  amount: number;
  behavior: Weekday['behavior'];
}

function ordinalOf(text: string): Count {
  const name = text.toLowerCase();
  if (name === 'this') return { amount: 0, behavior: 1 };
  if (name === 'next') return { amount: 1, behavior: 0 };
  if (name === 'last' || name === 'previous') return { amount: -1, behavior: 0 };
  return { amount: name === 'eight' ? 8 : ordinals.indexOf(name) + 1, behavior: 0 };
}

type RelativeUnit = keyof Spoken['relative'];

const units: Readonly<Record<string, { unit: RelativeUnit; times: number }>> = {
  sec: { unit: 'second', times: 1 },
  second: { unit: 'second', times: 1 },
  min: { unit: 'minute', times: 1 },
  minute: { unit: 'minute', times: 1 },
  hour: { unit: 'hour', times: 1 },
  day: { unit: 'day', times: 1 },
  week: { unit: 'day', times: 7 },
  fortnight: { unit: 'day', times: 14 },
  forthnight: { unit: 'day', times: 14 },
  month: { unit: 'month', times: 1 },
  year: { unit: 'year', times: 1 },
};

function unitOf(unit: string): { unit: RelativeUnit; times: number } | undefined {
  return units[unit] ?? units[unit.replace(/s$/, '')];
}

function addUnits(spoken: Spoken, name: string, { amount, behavior }: Count): boolean {
  if (name.startsWith('weekday')) {
    spoken.workingDays = amount;
    return true;
  }
  const known = unitOf(name);
  if (known) {
    spoken.relative[known.unit] += amount * known.times;
    return true;
  }
  spoken.relative.day += (amount > 0 ? amount - 1 : amount) * 7;
  spoken.weekday = { day: dayOfName(name), behavior };
  return true;
}

/** `+1`, `+01`, `+100`, `+0100`, `+01:00`, `+010000`, `+01:00:00`. */
function sayOffset(spoken: Spoken, part: (name: string) => string): boolean {
  const [, sign, digits = ''] = /^([+-])(.*)$/.exec(part('offset')) ?? [];
  const hoursLength = digits.includes(':') ? digits.indexOf(':') : digits.length === 3 ? 1 : 2;
  const rest = digits.slice(hoursLength).replaceAll(':', '');
  const minutes = Number(digits.slice(0, hoursLength)) * 60 + Number(rest.slice(0, 2));
  const seconds = minutes * 60 + Number(rest.slice(2));
  return addZone(spoken, sign === '-' ? -seconds : seconds);
}

function sayZone(spoken: Spoken, part: (name: string) => string): boolean {
  const zone = zoneOfName(part('zone'));
  return zone !== null && addZone(spoken, zone);
}

/** The first zone counts; a second one is a remark, as in `+0000 (UTC)`. */
function addZone(spoken: Spoken, zone: Zone): boolean {
  spoken.zones.push(zone);
  return spoken.zones.length <= 2;
}
