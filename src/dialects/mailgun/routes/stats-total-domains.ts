/** `GET /v3/stats/total/domains`: one bucket of time, by sending domain. */
import { limits } from '../../../base/limits.ts';
import { badRequest } from '../errors.ts';
import { readQuery, totalDomainsQuery } from '../parse.ts';
import { renderStats, renderValues, typesOf } from '../render.ts';
import { domainsReply } from '../replies.ts';
import { basicAuth, type Route, refusals } from '../route.ts';
import { bucketHolding } from '../window.ts';

export const statsTotalDomains: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/stats/total/domains',
    summary: 'Totals for each domain of the account in one bucket of time',
    security: basicAuth,
    query: totalDomainsQuery,
    replies: { 200: domainsReply, ...refusals },
  },
  async answer({ ask, tenants }, { scope, fields }) {
    const query = readQuery(totalDomainsQuery, fields);
    if (!query.ok) return badRequest(query.problem);
    const { event: events, timestamp, resolution, limit: skip } = query.value;
    const window = bucketHolding(timestamp, resolution);
    const rows = await ask.countByBucket(scope, {
      types: typesOf(events),
      from: window.from,
      to: window.to,
      unit: 'all',
      zone: 'UTC',
      groupBy: 'sendingDomain',
    });
    const page = tenants
      .sendingDomains(scope.tenantId)
      .slice(skip, skip + limits.statsDomainsPage)
      .map(({ domain }) => domain);
    const items = renderValues({ at: window.from, key: 'domain' }, page, events, rows);
    return { ok: true, body: renderStats(window, items) };
  },
};
