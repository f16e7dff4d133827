/** `GET /v3/stats/total`: all mail of the tenant, by time. */

import { totalQuery } from '../parse.ts';
import { statsReply } from '../replies.ts';
import { basicAuth, type Route, refusals } from '../route.ts';
import { answerTotal } from '../totals.ts';

export const statsTotal: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/stats/total',
    summary: 'Totals for the entire account',
    security: basicAuth,
    query: totalQuery,
    replies: { 200: statsReply, ...refusals },
  },
  answer: answerTotal,
};
