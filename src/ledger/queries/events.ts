/** "What happened, step by step?": the events themselves, by time, a page after a cursor. */
import { limits } from '../../base/limits.ts';
import { eventSelection, readEvent } from '../columns.ts';
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { EventCursor, EventFilter, EventPage, Page, Scope } from '../question.ts';
import { moment } from './delivery-filter.ts';
import { inScope, type Where } from './where.ts';

export interface EventsPage {
  direction: Page['direction'];
  cursor: EventCursor | null;
  limit: number;
}

export async function events(
  engine: Engine,
  scope: Scope,
  filter: EventFilter,
  { direction, cursor, limit }: EventsPage,
): Promise<EventPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.logPageRows) {
    throw new LedgerFault('question', `a page of events has 1 to ${limits.logPageRows} of them`);
  }
  const where = eventsWhere(scope, filter);
  if (cursor !== null) after(where, cursor, direction);
  // The day first, which says nothing new: by days the table is sorted, so that the engine stops after those it needs.
  const order = direction === 'ascending' ? 'ASC' : 'DESC';
  const statement = `SELECT ${eventSelection.join(', ')}
FROM events
${where}
ORDER BY toDate(at) ${order}, at ${order}, sequence ${order}, outbox_node ${order}
LIMIT {limit:UInt64}`;
  const rows = await engine.ask(statement, { ...where.values, limit: limit + 1 });
  const found = rows.map(readEvent);
  const last = found[limit - 1];
  const next = found.length > limit && last ? cursorOf(last) : null;
  return { events: found.slice(0, limit).map(({ event }) => event), next };
}

function cursorOf({ node, event }: ReturnType<typeof readEvent>): EventCursor {
  return { at: event.at, sequence: event.sequence, node };
}

function eventsWhere(scope: Scope, filter: EventFilter): Where {
  const where = inScope(scope);
  if (filter.from !== undefined) where.fixed(`at >= ${moment(where, 'from', filter.from)}`);
  if (filter.to !== undefined) where.fixed(`at < ${moment(where, 'to', filter.to)}`);
  if (filter.types !== undefined)
    where.fixed(`type IN ${where.bind('types', 'Array(String)', [...filter.types])}`);
  if (filter.mailId !== undefined) where.fixed(`mail_id = ${where.bind('mailId', 'UInt64', filter.mailId)}`);
  if (filter.n !== undefined) where.fixed(`n = ${where.bind('n', 'UInt32', filter.n)}`);
  if (filter.forwardPath !== undefined) {
    where.fixed(`forward_path = ${where.bind('forwardPath', 'String', filter.forwardPath)}`);
  }
  if (filter.reversePath !== undefined) {
    where.fixed(`reverse_path = ${where.bind('reversePath', 'String', filter.reversePath)}`);
  }
  return where;
}

/** The first condition is implied by the second; alone it lets the engine skip what lies before. */
function after(where: Where, { at, sequence, node }: EventCursor, direction: Page['direction']): void {
  const than = direction === 'ascending' ? '>' : '<';
  const bound = [
    moment(where, 'cursorAt', at),
    where.bind('cursorSequence', 'UInt64', sequence),
    where.bind('cursorNode', 'String', node ?? ''),
  ];
  where.fixed(`at ${than}= ${bound[0]}`);
  where.fixed(`(at, sequence, outbox_node) ${than} (${bound.join(', ')})`);
}
