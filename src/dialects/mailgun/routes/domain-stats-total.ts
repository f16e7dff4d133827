/** `GET /v3/{domain}/stats/total`: mail of one sending domain, by time. */
import { totalQuery } from '../parse.ts';
import { statsReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';
import { answerTotal } from '../totals.ts';

export const domainStatsTotal: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/stats/total',
    summary: 'Totals for one domain',
    security: basicAuth,
    pathParameters: domainParameter,
    query: totalQuery,
    replies: { 200: statsReply, ...domainRefusals },
  },
  answer: answerTotal,
};
