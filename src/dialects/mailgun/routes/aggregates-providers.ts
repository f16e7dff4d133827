/** `GET /v3/{domain}/aggregates/providers`: what became of the mail at each mailbox provider. */
import { boundedValues, countSinceEver } from '../aggregates.ts';
import { renderAggregate } from '../render.ts';
import { aggregateReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';

export const aggregatesProviders: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/aggregates/providers',
    summary: 'Aggregate counts by mailbox provider',
    security: basicAuth,
    pathParameters: domainParameter,
    replies: {
      200: aggregateReply(
        'providers',
        'mailbox provider, or domain of the recipients where no provider is known',
      ),
      ...domainRefusals,
    },
  },
  async answer(deps, { scope }) {
    const rows = await countSinceEver(deps, scope, 'provider');
    return { ok: true, body: { providers: renderAggregate(boundedValues(rows), rows) } };
  },
};
