/**
 * Where hours, days and months begin in a zone. The engine is told only the zone's offsets: which instant
 * a day starts at is computed here with the zone data of this runtime, so that counting and rendering
 * cannot disagree because the two carry different editions of the zone database.
 */
import { LedgerFault } from '../fault.ts';
import type { BucketUnit } from '../question.ts';

/** From `sinceSeconds[i]` on the offset is `offsetSeconds[i]`. The first entry holds from the beginning. */
export interface ZoneOffsets {
  sinceSeconds: number[];
  offsetSeconds: number[];
}

/** Counters keep their time in 32 bits of seconds. */
const lastSecond = 2 ** 32 - 1;
const known = new Map<string, ZoneOffsets>();
const knownBound = 700; // more than there are zones

export function checkZone(zone: string): void {
  try {
    new Temporal.ZonedDateTime(0n, zone);
  } catch (error) {
    throw new LedgerFault('question', `"${zone.slice(0, 60)}" is not a time zone`, error);
  }
}

/** All offsets the zone has had and is going to have, as far as is known today. */
export function zoneOffsets(zone: string): ZoneOffsets {
  const found = known.get(zone);
  if (found) return found;
  const offsets = readOffsets(zone);
  if (known.size < knownBound) known.set(zone, offsets);
  return offsets;
}

function readOffsets(zone: string): ZoneOffsets {
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  const offsets: ZoneOffsets = { sinceSeconds: [0], offsetSeconds: [at.offsetNanoseconds / 1e9] };
  for (at = at.getTimeZoneTransition('next'); at !== null; at = at.getTimeZoneTransition('next')) {
    const second = Math.ceil(at.epochMilliseconds / 1000);
    if (second > lastSecond) break;
    offsets.sinceSeconds.push(second);
    offsets.offsetSeconds.push(at.offsetNanoseconds / 1e9);
  }
  return offsets;
}

/** Only what matters between two instants: most ranges lie within one or two offsets. */
export function offsetsBetween(zone: string, from: number | undefined, to: number | undefined): ZoneOffsets {
  const { sinceSeconds, offsetSeconds } = zoneOffsets(zone);
  const first =
    from === undefined
      ? 0
      : Math.max(
          0,
          sinceSeconds.findLastIndex((since) => since * 1000 <= from),
        );
  const after = to === undefined ? -1 : sinceSeconds.findIndex((since) => since * 1000 >= to);
  const end = after === -1 ? sinceSeconds.length : Math.max(after, first + 1);
  return {
    sinceSeconds: [0, ...sinceSeconds.slice(first + 1, end)],
    offsetSeconds: offsetSeconds.slice(first, end),
  };
}

/**
 * The bucket of a counter as a number, from `local` (seconds on the zone's own clock) and `offset`.
 * Hours: the instant the hour began, by its own offset, so that the two hours 01 of an autumn night stay
 * apart. Days: days since 1970 on the local calendar. Months: likewise.
 */
export const bucketKeys: Record<BucketUnit, string> = {
  hour: 'intDiv(local, 3600) * 3600 - offset',
  day: 'intDiv(local, 86400)',
  month: "toRelativeMonthNum(toDateTime(local, 'UTC'))",
  all: 'toInt64(0)',
};

/** `toRelativeMonthNum` counts from year 0: 1970-01 is 1970 × 12 + 1. */
const epochMonth = 1970 * 12 + 1;
const epochDay = new Temporal.PlainDate(1970, 1, 1);

/** The instant a bucket starts. A day may start at 01:00, where midnight does not exist. */
export function bucketStart(unit: BucketUnit, key: number, zone: string, from: number | undefined): number {
  if (unit === 'all') return from ?? 0;
  if (unit === 'hour') return key * 1000;
  const date = unit === 'day' ? epochDay.add({ days: key }) : epochDay.add({ months: key - epochMonth });
  return date.toZonedDateTime(zone).epochMilliseconds;
}
