/** `GET /v3/{domain}/events`: the first page of a walk through the events of one sending domain. */
import { badRequest } from '../errors.ts';
import { answerPage } from '../event-pages.ts';
import { eventsQuery, parseEvents } from '../parse-events.ts';
import { eventsReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';

export const events: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/events',
    summary: 'Events of one domain, page by page',
    description:
      'Filters are expressions: `foo bar` and `foo AND bar`, `foo OR bar`, `-foo` and `NOT foo`, `"foo bar"`, `>100 <200`, parentheses. A field given twice must meet both. Go on with the links of the reply; an empty page is the end.',
    security: basicAuth,
    pathParameters: domainParameter,
    query: eventsQuery,
    replies: { 200: eventsReply, ...domainRefusals },
  },
  async answer(deps, question) {
    const traversal = parseEvents(question.fields, deps.clock.now());
    if (!traversal.ok) return badRequest(traversal.problem);
    return await answerPage(deps, question, { traversal: traversal.value, cursor: null, backwards: false });
  },
};
