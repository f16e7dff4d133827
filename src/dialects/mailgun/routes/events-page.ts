/** `GET /v3/{domain}/events/{token}`: another page of a walk, by the link of an earlier reply. */
import { badRequest } from '../errors.ts';
import { answerPage } from '../event-pages.ts';
import { readToken } from '../page-token.ts';
import { eventsReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';

export const eventsPage: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/events/{token}',
    summary: 'Another page of events',
    security: basicAuth,
    pathParameters: {
      ...domainParameter,
      token: {
        description: 'Last segment of a link in `paging`; everything else follows from it.',
        example: 'eyJkIjoi',
      },
    },
    replies: { 200: eventsReply, ...domainRefusals },
  },
  async answer(deps, question) {
    const request = readToken(question.parameters.token ?? '');
    if (request === null) return badRequest('token: this is no page of the event log');
    return await answerPage(deps, question, request);
  },
};
