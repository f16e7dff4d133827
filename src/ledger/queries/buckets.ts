/** Parts of statements that cut time into the buckets of a question; shared by counts and uniques. */
import type { EventType } from '../../events/event.ts';
import type { Reason } from '../../events/reason.ts';
import type { CountDimension, CountQuestion } from '../question.ts';
import type { Where } from './where.ts';
import { bucketKeys, offsetsBetween } from './zone.ts';

/** One cell of the answer, its bucket still a number of `bucketKeys`. */
export interface CountCell {
  bucketKey: number;
  group: string;
  type: EventType;
  reason: Reason | null;
  authenticated: boolean;
  first: boolean;
  count: number;
  unique: number;
}

/** Expressions for the dimensions of one table. A closed map: no name from outside reaches a statement. */
export type DimensionExpressions = Record<CountDimension, string>;

/** The bucket of a time, given as an expression in seconds. Binds the zone's offsets. */
export function bucketExpression(
  where: Where,
  second: string,
  { unit, zone, from, to }: CountQuestion,
): string {
  const { sinceSeconds, offsetSeconds } = offsetsBetween(zone, from, to);
  const since = where.bind('since', 'Array(Int64)', sinceSeconds);
  const offsets = where.bind('offsets', 'Array(Int64)', offsetSeconds);
  const offset = `transform(roundDown(toInt64(${second}), ${since}), ${since}, ${offsets}, toInt64(0))`;
  return `(toInt64(${second}) AS second, ${offset} AS offset, second + offset AS local, ${bucketKeys[unit]}).4`;
}

export function inDimensions(
  where: Where,
  question: CountQuestion,
  expressions: DimensionExpressions,
): string[] {
  const given = Object.entries(question.where ?? {}) as [CountDimension, string][];
  return given.map(
    ([dimension, value]) => `${expressions[dimension]} = ${where.bind(dimension, 'String', value)}`,
  );
}

export function groupExpression(question: CountQuestion, expressions: DimensionExpressions): string {
  return question.groupBy === undefined ? "''" : expressions[question.groupBy];
}
