/** `GET /v3/stats/filter`: mail of the tenant under one condition, by time or by value. */
import { limits } from '../../../base/limits.ts';
import type { CountQuestion, Scope } from '../../../ledger/ledger.ts';
import type { DialectDeps } from '../../dialect.ts';
import { badRequest } from '../errors.ts';
import { filterQuery, readQuery, type StatsFilter } from '../parse.ts';
import { renderItem, renderStats, renderValues, typesOf, valuesOf } from '../render.ts';
import { filterReply } from '../replies.ts';
import { basicAuth, type Outcome, type Route, refusals } from '../route.ts';
import { countByTime } from '../totals.ts';
import { type StatsWindow, windowOf } from '../window.ts';
import { type Dimension, dimensions, type StatsEvent } from '../words.ts';

export const statsFilter: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/stats/filter',
    summary: 'Filtered and grouped totals for the entire account',
    security: basicAuth,
    query: filterQuery,
    replies: { 200: filterReply, ...refusals },
  },
  async answer(deps, { scope, fields }) {
    const query = readQuery(filterQuery, fields);
    if (!query.ok) return badRequest(query.problem);
    const { group, filter, event: events } = query.value;
    const resolution = group === 'day' || group === 'month' ? group : query.value.resolution;
    const window = windowOf({ ...query.value, resolution }, deps.clock.now());
    if (!window.ok) return badRequest(window.problem);
    const question = { events, window: window.value, where: whereOf(filter) };
    switch (group) {
      case 'time':
      case 'day':
      case 'month':
        return await countByTime(deps, scope, question);
      case 'total':
        return await countAll(deps, scope, question);
      default:
        return await countByValue(deps, scope, { ...question, group });
    }
  },
};

interface WindowQuestion {
  events: readonly StatsEvent[];
  window: StatsWindow;
  where: NonNullable<CountQuestion['where']>;
}

async function countAll({ ask }: DialectDeps, scope: Scope, question: WindowQuestion): Promise<Outcome> {
  const rows = await ask.countByBucket(scope, wholeWindow(question));
  const { window, events } = question;
  return { ok: true, body: renderStats(window, [renderItem(window.from, events, rows)]) };
}

async function countByValue(
  { ask }: DialectDeps,
  scope: Scope,
  question: WindowQuestion & { group: Dimension },
): Promise<Outcome> {
  const { group, window, events } = question;
  const rows = await ask.countByBucket(scope, { ...wholeWindow(question), groupBy: dimensions[group] });
  const values = valuesOf(rows);
  if (values.length > limits.statsGroups)
    return badRequest(`group: more than ${limits.statsGroups} values; ask for less time or set a filter`);
  return {
    ok: true,
    body: renderStats(window, renderValues({ at: window.from, key: group }, values, events, rows)),
  };
}

function wholeWindow({ events, window, where }: WindowQuestion): CountQuestion {
  return { types: typesOf(events), from: window.from, to: window.to, unit: 'all', zone: 'UTC', where };
}

function whereOf(filter: StatsFilter | undefined): WindowQuestion['where'] {
  return filter === undefined ? {} : { [dimensions[filter.dimension]]: filter.value };
}
