/** Counts of one domain since ever, by provider, device or country. */
import { limits } from '../../base/limits.ts';
import type { EventType } from '../../events/event.ts';
import type { CountDimension, CountRow, Scope } from '../../ledger/ledger.ts';
import type { DialectDeps } from '../dialect.ts';
import { aggregateTypes, valuesOf } from './render.ts';

/** Acceptance and delivery happen on no device and in no country: only what recipients did does. */
export const engagementTypes = [
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
] as const satisfies EventType[];

export function countSinceEver(
  { ask }: DialectDeps,
  scope: Scope,
  groupBy: CountDimension,
  types: readonly EventType[] = aggregateTypes,
): Promise<CountRow[]> {
  return ask.countByBucket(scope, { types, unit: 'all', zone: 'UTC', groupBy });
}

/** Within the bound; beyond it, the values with the most events are shown. */
export function boundedValues(rows: readonly CountRow[]): string[] {
  const values = valuesOf(rows);
  if (values.length <= limits.statsGroups) return values;
  const counts = Map.groupBy(rows, (row) => row.group);
  const countOf = (value: string) => (counts.get(value) ?? []).reduce((total, { count }) => total + count, 0);
  const ranked = values.map((value) => ({ value, count: countOf(value) })).sort((a, b) => b.count - a.count);
  return ranked
    .slice(0, limits.statsGroups)
    .map(({ value }) => value)
    .sort();
}
