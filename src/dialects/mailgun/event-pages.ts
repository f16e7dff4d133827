/** A page of the event log as a reply: its entries, and links to the pages around it. */
import { limits } from '../../base/limits.ts';
import type { DialectDeps } from '../dialect.ts';
import { badRequest } from './errors.ts';
import { type EventsFound, searchEvents } from './event-search.ts';
import { publicUrlOf } from './options.ts';
import { type PageRequest, writeToken } from './page-token.ts';
import { renderEvent } from './render-event.ts';
import type { Outcome, Question } from './route.ts';

export async function answerPage(
  deps: DialectDeps,
  question: Question,
  request: PageRequest,
): Promise<Outcome> {
  const found = await searchEvents(deps.ask, question.scope, request);
  if (found === null) {
    return badRequest(`none of ${limits.eventScanRows} events meets the filter; ask for a shorter time`);
  }
  const items = found.events.map((event) => renderEvent(deps.key, event)).filter((item) => item !== null);
  const root = publicUrlOf(deps.settings) || question.origin;
  const folder = `${root}/v3/${question.scope.sendingDomain}/events`;
  return { ok: true, body: { items, paging: linksOf(folder, request, found) } };
}

/** All four always, absolute, the token as one segment: clients take them apart or follow them as they are. */
function linksOf(
  folder: string,
  { traversal }: PageRequest,
  { after, before }: EventsFound,
): Record<string, string> {
  const link = (page: PageRequest) => `${folder}/${writeToken(page)}`;
  return {
    next: link(after),
    previous: link(before),
    first: link({ traversal, cursor: null, backwards: false }),
    last: link({ traversal, cursor: null, backwards: true }),
  };
}
