/**
 * `GET /api/v1/events`: what happened, step by step. Events have a total order (time, sequence, node), so one cursor
 * serves all tenants.
 */
import type { Hono } from 'hono';
import { z } from 'zod';
import { nothingBefore } from '../../base/id.ts';
import { eventTypes, type MailEvent } from '../../events/event.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import type { EventCursor, EventFilter } from '../../ledger/ledger.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import type { ConsoleApiDeps } from '../console-api.ts';
import { type EventsReply, eventEntry, eventsReply } from '../entries.ts';
import { mountList } from '../list.ts';
import { chunked, type Source } from '../merge.ts';
import {
  addressMatcher,
  chunkRows,
  commonParameters,
  maxCursorChars,
  parseQuery,
  refusals,
  security,
} from '../parameters.ts';

const query = z.strictObject({
  ...commonParameters,
  type: z.array(z.enum(eventTypes)).optional().describe('What happened; repeated: any of them.'),
  order: z.enum(['ascending', 'descending']).default('ascending').describe('By time.'),
  cursor: z.string().max(maxCursorChars).optional().describe('`next` of the page before.'),
});

type Question = z.output<typeof query>;

export const eventsEndpoint: Endpoint = {
  method: 'get',
  path: '/api/v1/events',
  summary: 'What happened, step by step',
  description: '`since` and `until` are times of the events, `status` the state right after each.',
  security,
  query,
  replies: { 200: { description: 'A page.', schema: eventsReply }, ...refusals },
};

const cursorSchema: z.ZodType<Required<EventCursor>> = z.strictObject({
  at: z.int().min(0),
  sequence: z.int().min(0),
  node: z.string(),
});

type TenantEvent = MailEvent & { tenant: Tenant };

export function mountEvents(app: Hono, deps: ConsoleApiDeps): void {
  mountList<Question, Required<EventCursor>, TenantEvent>(app, deps, {
    path: eventsEndpoint.path,
    parse: (url) => parseQuery(query, url),
    cursor: cursorSchema,
    source,
    isBefore: ({ order }) => (order === 'ascending' ? isBefore : (a, b) => isBefore(b, a)),
    matches: matcher,
    cursorOf: ({ at, sequence, delivery }) => ({ at, sequence, node: delivery.node }),
    reply: (rows, next): EventsReply => ({
      events: rows.map(({ tenant, ...event }) => eventEntry(event, tenant.name)),
      next,
    }),
  });
}

function source(
  ask: ConsoleApiDeps['ask'],
  tenant: Tenant,
  { question, cursor: from }: { question: Question; cursor: EventCursor | null },
): Source<TenantEvent> {
  const filter = filterOf(question);
  const limit = chunkRows(question);
  let cursor = from;
  return chunked(async () => {
    const scope = { tenantId: tenant.id };
    const page = await ask.events(scope, filter, question.order, cursor, limit);
    cursor = page.next;
    return { rows: page.events.map((event) => ({ ...event, tenant })), more: page.next !== null };
  });
}

function isBefore(a: TenantEvent, b: TenantEvent): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.sequence !== b.sequence) return a.sequence < b.sequence;
  return a.delivery.node < b.delivery.node;
}

/** Nothing happens to a mail before it is accepted: its id tells where to begin. */
function filterOf({ id, type, since, until }: Question): EventFilter {
  const from = Math.max(since ?? 0, id ? nothingBefore(id.mailId) : 0);
  return {
    ...(id ?? {}),
    ...(type === undefined ? {} : { types: type }),
    ...(from === 0 ? {} : { from }),
    ...(until === undefined ? {} : { to: until }),
  };
}

function matcher(question: Question): (event: TenantEvent) => boolean {
  const { status } = question;
  const addressesMatch = addressMatcher(question);
  return (event) => (status === undefined || status.includes(event.delivery.state)) && addressesMatch(event);
}
