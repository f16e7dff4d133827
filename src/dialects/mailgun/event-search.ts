/**
 * A page of the event log: what the ledger can select, it selects; the rest of a filter is checked event by
 * event, within a bound.
 */
import { assert } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { type EventType, eventTypes, type MailEvent } from '../../events/event.ts';
import type { Ask, EventCursor, EventFilter, Scope } from '../../ledger/ledger.ts';
import { type Expression, matches, singleWord } from './filter-expression.ts';
import { opposite, type PageRequest } from './page-token.ts';
import type { FieldFilter, FilterField, Traversal } from './parse-events.ts';
import { eventWords } from './words.ts';

export interface EventsFound {
  /** In the direction of the traversal. */
  events: MailEvent[];
  /** Where the next page begins and the previous one ends, as they lie in the traversal. */
  after: PageRequest;
  before: PageRequest;
}

/** Null when the bound was reached before anything was found: what lies behind it is not known. */
export async function searchEvents(
  ask: Ask,
  scope: Scope,
  request: PageRequest,
): Promise<EventsFound | null> {
  const { traversal, cursor, backwards } = request;
  const filter = await selectionOf(ask, scope, traversal);
  const direction = backwards ? opposite(traversal.direction) : traversal.direction;
  const walked = filter
    ? await walk({ ask, scope, filter, direction }, request)
    : { events: [], position: cursor };
  if (walked === null) return null;
  const events = backwards ? walked.events.toReversed() : walked.events;
  const [first, last] = [events.at(0), events.at(-1)];
  // Without events the page is a mere place: the way back leads over the event the walk came from.
  const turned = walked.position && beyond(walked.position, direction);
  const begin = backwards ? walked.position : first ? cursorOf(first) : turned;
  const end = backwards ? (last ? cursorOf(last) : turned) : walked.position;
  return {
    events,
    after: { traversal, cursor: end, backwards: false },
    before: { traversal, cursor: begin, backwards: true },
  };
}

interface Walk {
  ask: Ask;
  scope: Scope;
  filter: EventFilter;
  direction: Traversal['direction'];
}

/** The position is that of the last event looked at, found or not. */
async function walk(
  { ask, scope, filter, direction }: Walk,
  { traversal, cursor }: PageRequest,
): Promise<{ events: MailEvent[]; position: EventCursor | null } | null> {
  const rest = traversal.filters.filter(({ field }) => !selectedFields.has(field));
  const batch = rest.length === 0 ? traversal.limit : limits.eventScanBatch;
  const events: MailEvent[] = [];
  let position = cursor;
  for (let looked = 0; looked < limits.eventScanRows; looked += batch) {
    const page = await ask.events(scope, filter, direction, position, batch);
    for (const event of page.events) {
      position = cursorOf(event);
      if (rest.every((one) => meets(event, one))) events.push(event);
      if (events.length === traversal.limit) return { events, position };
    }
    if (page.next === null) return { events, position };
  }
  return events.length === 0 ? null : { events, position };
}

/** These are put to the ledger whole; `meets` need not look at them again. */
const selectedFields: ReadonlySet<FilterField> = new Set(['event', 'severity']);

/** Null when nothing can be found: no type of event, or no mail, meets the filters. */
async function selectionOf(ask: Ask, scope: Scope, traversal: Traversal): Promise<EventFilter | null> {
  const { from, until, filters } = traversal;
  const types = eventTypes.filter(
    (type) => isShown(type) && filters.every((filter) => typeMeets(type, filter)),
  );
  const mailId = await mailIdOf(ask, scope, filters);
  if (types.length === 0 || mailId === null) return null;
  const forwardPath = wordOf(filters, 'recipient') ?? wordOf(filters, 'recipients');
  return {
    types,
    ...(from === undefined ? {} : { from: Math.floor(from) }),
    ...(until === undefined ? {} : { to: Math.floor(until) + 1 }),
    ...(mailId === undefined ? {} : { mailId }),
    ...(forwardPath === undefined ? {} : { forwardPath }),
  };
}

function isShown(type: EventType): boolean {
  return eventWords[type] !== undefined;
}

/** Mails looked at whose Message-ID holds the text of a filter. */
const mailsWithSameText = 100;

/** The mail with this Message-ID; null: there is none; undefined: not asked for, or more than one has it. */
async function mailIdOf(
  ask: Ask,
  scope: Scope,
  filters: readonly FieldFilter[],
): Promise<number | null | undefined> {
  const word = wordOf(filters, 'message-id');
  if (word === undefined) return undefined;
  const page = { offset: 0, limit: mailsWithSameText, direction: 'descending' } as const;
  const { rows, total } = await ask.mails(scope, { messageIdContains: bare(word) }, page);
  if (total > mailsWithSameText) return undefined;
  const same = rows.filter(({ mail }) => isSame(mail.messageIdField, bare(word)));
  return same.length > 1 ? undefined : (same[0]?.mail.mailId ?? null);
}

/** The text that a field must have, if its filter is nothing but one word. */
function wordOf(filters: readonly FieldFilter[], field: FilterField): string | undefined {
  const words = filters
    .filter((filter) => filter.field === field)
    .map(({ expression }) => singleWord(expression));
  return words.find((word) => word !== null) ?? undefined;
}

function typeMeets(type: EventType, { field, expression }: FieldFilter): boolean {
  if (!selectedFields.has(field)) return true;
  const words = eventWords[type];
  assert(words !== undefined, 'only types that are shown are asked about');
  return holds(expression, [field === 'event' ? words.event : (words.severity ?? '')], isSame);
}

function meets(event: MailEvent, { field, expression }: FieldFilter): boolean {
  const { mail, delivery } = event;
  switch (field) {
    case 'recipient':
    case 'recipients':
      return holds(expression, [delivery.forwardPath], (value, word) => value === word);
    case 'from':
      return holds(expression, [`${mail.fromField.name} <${mail.fromField.address}>`], contains);
    case 'to':
      return holds(expression, [mail.toField], contains);
    case 'subject':
      return holds(expression, [mail.subject], contains);
    case 'message-id':
      return holds(expression, [mail.messageIdField], (value, word) => isSame(value, bare(word)));
    case 'tags':
      return holds(expression, mail.tags, isSame);
    case 'size':
      return holds(expression, [String(mail.contentBytes)], isSame);
    default:
      return holds(expression, [], isSame);
  }
}

type Comparison = (value: string, word: string) => boolean;

function holds(expression: Expression, values: readonly string[], compare: Comparison): boolean {
  return matches(expression, (leaf) =>
    values.some((value) => {
      if (leaf.kind === 'word') return compare(value, leaf.text);
      return leaf.operator === '>' ? Number(value) > leaf.bound : Number(value) < leaf.bound;
    }),
  );
}

function isSame(value: string, word: string): boolean {
  return value.toLowerCase() === word.toLowerCase();
}

function contains(value: string, word: string): boolean {
  return value.toLowerCase().includes(word.toLowerCase());
}

function bare(messageId: string): string {
  return messageId.replace(/^<(.*)>$/, '$1');
}

function cursorOf(event: MailEvent): EventCursor {
  return { at: event.at, sequence: event.sequence, node: event.delivery.node };
}

/** The place right behind an event, seen in a direction: from there, the way back begins with the event itself. */
function beyond({ at, sequence, node = '' }: EventCursor, direction: Traversal['direction']): EventCursor {
  return direction === 'ascending' ? { at, sequence, node: `${node}!` } : { at, sequence, node: '' };
}
