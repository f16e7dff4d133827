/**
 * Dates as people write them for PHP's `strtotime`: `2024-01-15`, `last monday`, `first day of last month`,
 * `+1 week 2 days`, `15 January 2024 10:00 EST`. Pure: what "now" is and in which zone comes as an argument.
 *
 * Answers what PHP 8.2 answers. Not understood, and so null: roman numerals as months, `back of` and
 * `front of`, units below the second, abbreviations of zones that hardly anybody uses.
 */
import { limits } from '../../base/limits.ts';
import { type Rule, rules, type Spoken, type Weekday, type Zone } from './strtotime-rules.ts';

/** Seconds since 1970; null for text that says no date. `now` in seconds as well, `zone` an IANA name. */
export function strtotime(text: string, now: number, zone: string): number | null {
  const spoken = scan(text.trim());
  return spoken && resolve(spoken, now, zone);
}

function scan(text: string): Spoken | null {
  if (text === '' || text.length > limits.dateTextChars) return null;
  const spoken: Spoken = {
    hasDate: false,
    hasTime: false,
    zones: [],
    relative: { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 },
  };
  for (let position = 0; position < text.length; ) {
    const found = longestMatch(text, position);
    if (!found) return null;
    const { rule, match } = found;
    if (!rule.say(spoken, (name) => match.groups?.[name] ?? '')) return null;
    position += match[0].length;
  }
  return spoken;
}

function longestMatch(text: string, position: number): { rule: Rule; match: RegExpExecArray } | null {
  let best: { rule: Rule; match: RegExpExecArray } | null = null;
  for (const rule of rules) {
    rule.pattern.lastIndex = position;
    const match = rule.pattern.exec(text);
    if (match && match[0].length > (best?.match[0].length ?? 0)) best = { rule, match };
  }
  return best;
}

/** Parts of a local time; days and months may lie outside their month and year until `normal` counts over. */
interface Local {
  year: number;
  month: number;
  day: number;
  /** Since local midnight. */
  seconds: number;
}

function resolve(spoken: Spoken, now: number, homeZone: string): number | null {
  const { relative } = spoken;
  const local = fill(spoken, localAt(now, homeZone));
  moveToMonth(local, spoken);
  if (spoken.weekday) moveToWeekday(local, spoken.weekday, relative.day);
  normalize(local);
  local.year += relative.year;
  local.month += relative.month;
  local.day += relative.day;
  moveToEdgeOfMonth(local, spoken.edgeOfMonth);
  if (spoken.workingDays !== undefined) moveByWorkingDays(local, spoken.workingDays);
  local.seconds += relative.hour * 3600 + relative.minute * 60 + relative.second;
  return instantOf(local, spoken.zones[0] ?? homeZone);
}

function localAt(at: number, zone: string): Local {
  const { year, month, day, hour, minute, second } = new Temporal.ZonedDateTime(
    BigInt(Math.trunc(at)) * 1_000_000_000n,
    zone,
  );
  return { year, month, day, seconds: hour * 3600 + minute * 60 + second };
}

/** A date without a time means midnight. */
function fill(spoken: Spoken, now: Local): Local {
  const { hasDate, hasTime, hour, minute = 0, second = 0 } = spoken;
  const isNow = hour === undefined && !hasDate;
  return {
    year: spoken.year ?? now.year,
    month: spoken.month ?? now.month,
    day: spoken.day ?? now.day,
    seconds: isNow ? now.seconds : hasDate && !hasTime ? 0 : (hour ?? 0) * 3600 + minute * 60 + second,
  };
}

/** "first monday of next month": the month comes before the day. */
function moveToMonth(local: Local, { weekdayOf, edgeOfMonth, relative }: Spoken): void {
  if (weekdayOf) {
    local.day = 1;
    local.month += relative.month + (weekdayOf === 'last' ? 1 : 0);
    relative.month = 0;
  }
  moveToEdgeOfMonth(local, edgeOfMonth);
  normalize(local);
}

function moveToEdgeOfMonth(local: Local, edge: Spoken['edgeOfMonth']): void {
  if (edge === 'first') local.day = 1;
  if (edge === 'last') {
    local.day = 0;
    local.month += 1;
  }
}

/** How many days the relative part adds decides which way the nearest such weekday lies. */
function moveToWeekday(local: Local, { day, behavior }: Weekday, relativeDays: number): void {
  const today = dayOfWeek(local);
  if (behavior === 2) {
    const fromSunday = today === 0 && day !== 0 ? day - 7 : day === 0 && today !== 0 ? 7 : day;
    local.day += fromSunday - today;
    return;
  }
  if (day < 0) {
    local.day -= 7 - (-day - today);
    return;
  }
  const difference = day - today;
  const isPast = relativeDays < 0 ? difference < 0 : difference <= -behavior;
  local.day += isPast ? difference + 7 : difference;
}

/** Saturday and Sunday are none. Without a number, a weekend ends on Monday. */
function moveByWorkingDays(local: Local, days: number): void {
  const direction = days < 0 ? -1 : 1;
  const isWeekend = () => dayOfWeek(local) % 6 === 0;
  local.day += Math.trunc(days / 5) * 7;
  let left = Math.abs(days % 5);
  if (left === 0 && isWeekend()) {
    // A whole number of weeks from a weekend counts from the working day before it.
    while (isWeekend()) local.day -= direction;
    if (days === 0) left = 1;
  }
  while (left > 0) {
    local.day += direction;
    if (!isWeekend()) left -= 1;
  }
}

/** 0 is Sunday. 1970-01-01 was a Thursday. */
function dayOfWeek(local: Local): number {
  return (((daysSince1970(local) + 4) % 7) + 7) % 7;
}

/** Of a month and day that may lie outside their year and month; proleptic Gregorian calendar. */
function daysSince1970({ year, month, day }: Local): number {
  const wholeYears = year + Math.floor((month - 1) / 12);
  const monthOfYear = ((((month - 1) % 12) + 12) % 12) + 1;
  // Years from March: the leap day is the last of its year.
  const y = monthOfYear <= 2 ? wholeYears - 1 : wholeYears;
  const daysBeforeMonth = Math.floor((153 * ((monthOfYear + 9) % 12) + 2) / 5);
  const daysBeforeYear = y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return daysBeforeYear + daysBeforeMonth + day - 1 - 719_468;
}

/** Brings time, day and month back into their day, month and year. */
function normalize(local: Local): void {
  local.day += Math.floor(local.seconds / 86_400);
  local.seconds %= 86_400;
  const days = daysSince1970(local) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  local.day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  local.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  local.year = yearOfEra + era * 400 + (local.month <= 2 ? 1 : 0);
}

const maxSeconds = 8_640_000_000_000;

/** A local time that a zone skips is moved on by the gap; of one that it has twice, the first is meant. */
function instantOf(local: Local, zone: Zone): number | null {
  const seconds = daysSince1970(local) * 86_400 + local.seconds;
  if (!(Math.abs(seconds) < maxSeconds - 86_400)) return null;
  if (typeof zone === 'number') return seconds - zone;
  const plain = Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime();
  return Math.floor(plain.toZonedDateTime(zone).epochMilliseconds / 1000);
}
