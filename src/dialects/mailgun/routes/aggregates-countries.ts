/** `GET /v3/{domain}/aggregates/countries`: in which country mail was opened and clicked. */
import { boundedValues, countSinceEver, engagementTypes } from '../aggregates.ts';
import { renderAggregate } from '../render.ts';
import { aggregateReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';

export const aggregatesCountries: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/aggregates/countries',
    summary: 'Aggregate counts by country',
    security: basicAuth,
    pathParameters: domainParameter,
    replies: {
      200: aggregateReply('countries', 'country by its ISO 3166-1 alpha-2 code in lower case'),
      ...domainRefusals,
    },
  },
  async answer(deps, { scope }) {
    const rows = await countSinceEver(deps, scope, 'country', engagementTypes);
    return { ok: true, body: { countries: renderAggregate(boundedValues(rows), rows) } };
  },
};
