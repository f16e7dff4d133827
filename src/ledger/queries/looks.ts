/**
 * Pages begin at the newest or the oldest row that matches. That lies near the end of what was asked for, as a rule: a
 * short time there is looked through first, then longer ones, and everything only if these have too little.
 */
import type { Engine } from '../engine.ts';
import type { Page } from '../question.ts';

export interface Range {
  /** Inclusive; absent: from the first. */
  from?: number | undefined;
  /** Exclusive; absent: to the last. */
  to?: number | undefined;
}

export interface Looking {
  direction: Page['direction'];
  range: Range;
  /** Of the times to look through, the shortest first; in milliseconds. */
  widths: readonly number[];
  /** Times of the oldest and the newest row there is; asked for if the range has no end of its own. */
  ends(): Promise<readonly [oldest: number, newest: number]>;
}

/**
 * The first look that finds enough, or what the last one finds. `look` is given the time at which it ends: all rows from
 * it on (descending) or before it (ascending); null in the last one, which has no end but those of the question.
 */
export async function inLooks<T>(
  { direction, range, widths, ends }: Looking,
  look: (until: number | null) => Promise<{ enough: boolean; found: T }>,
): Promise<T> {
  const begin = widths.length === 0 ? 0 : await beginOf(direction, range, ends);
  for (const width of widths) {
    const until = direction === 'descending' ? begin - width : begin + width;
    if (direction === 'descending' ? until <= (range.from ?? 0) : until >= (range.to ?? Infinity)) break;
    const { enough, found } = await look(until);
    if (enough) return found;
  }
  return (await look(null)).found;
}

/** From the bounds of the partitions: no row is read. */
export async function endsOf(
  engine: Engine,
  table: 'events' | 'deliveries',
  time: 'at' | 'accepted_at',
): Promise<[oldest: number, newest: number]> {
  const [row] = await engine.ask(
    `SELECT toUnixTimestamp64Milli(min(${time})), toUnixTimestamp64Milli(max(${time})) FROM ${table}`,
  );
  return [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)];
}

async function beginOf(
  direction: Page['direction'],
  { from, to }: Range,
  ends: Looking['ends'],
): Promise<number> {
  const known = direction === 'descending' ? to : from;
  if (known !== undefined) return known;
  const [oldest, newest] = await ends();
  return direction === 'descending' ? newest + 1 : oldest;
}
