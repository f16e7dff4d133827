/** Counts by time, for an account or for one domain: the scope alone tells the two endpoints apart. */
import type { CountDimension, Scope } from '../../ledger/ledger.ts';
import type { DialectDeps } from '../dialect.ts';
import { badRequest } from './errors.ts';
import { readQuery, totalQuery } from './parse.ts';
import { renderBuckets, renderStats, typesOf } from './render.ts';
import type { Outcome, Question } from './route.ts';
import { bucketStarts, type StatsWindow, windowOf } from './window.ts';
import type { StatsEvent } from './words.ts';

export async function answerTotal(deps: DialectDeps, { scope, fields }: Question): Promise<Outcome> {
  const query = readQuery(totalQuery, fields);
  if (!query.ok) return badRequest(query.problem);
  const window = windowOf(query.value, deps.clock.now());
  if (!window.ok) return badRequest(window.problem);
  return await countByTime(deps, scope, { events: query.value.event, window: window.value });
}

interface TimeQuestion {
  events: readonly StatsEvent[];
  window: StatsWindow;
  where?: Partial<Record<CountDimension, string>>;
}

/** Dense: a bucket in which nothing happened is an item of zeros. */
export async function countByTime(
  { ask }: DialectDeps,
  scope: Scope,
  question: TimeQuestion,
): Promise<Outcome> {
  const { events, window, where = {} } = question;
  const starts = bucketStarts(window);
  if (!starts.ok) return badRequest(starts.problem);
  const rows = await ask.countByBucket(scope, {
    types: typesOf(events),
    from: window.from,
    to: window.to,
    unit: window.resolution,
    zone: 'UTC',
    where,
  });
  return { ok: true, body: renderStats(window, renderBuckets(starts.value, events, rows)) };
}
