/** "What happened, step by step?": the events themselves, by time, a page after a cursor. */
import { mailIdParts, nothingBefore } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { EventCursor, EventFilter, EventPage, Page, Scope } from '../question.ts';
import { readStoredEvent, type StoredEvent, storedSelection } from '../stored-event.ts';
import { moment, ofMail } from './delivery-filter.ts';
import { inHalves } from './halves.ts';
import { endsOf, inLooks } from './looks.ts';
import { type Bounded, boundTime, inScope, isOfMail, nothingElse, type Where } from './where.ts';

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
  if (isOfMail(where)) return eventsOfMail(engine, where, { direction, limit });
  const keys = await pageKeys(engine, where, { direction, limit: limit + 1 });
  const found = await eventsOf(engine, where, { keys: keys.slice(0, limit), direction });
  return pageOf(found, keys.length > limit);
}

function pageOf(found: readonly StoredEvent[], more: boolean): EventPage {
  const last = found.at(-1);
  return { events: found.map(({ event }) => event), next: more && last ? cursorOf(last) : null };
}

/** An attempt is made, and what it led to reported, within days; opens and clicks may come at any time. */
const soonMs = 6 * 86_400_000;

/**
 * What happened soon lies side by side in the days after the acceptance, which the id tells: read in one go. Whether
 * anything came later is told meanwhile by the few columns that find it, in all months that followed.
 */
async function eventsOfMail(
  engine: Engine,
  where: Where & { mailId: number },
  { direction, limit }: Keyed,
): Promise<EventPage> {
  const page = { direction, limit: limit + 1 };
  const [from, until] = [nothingBefore(where.mailId), mailIdParts(where.mailId).at + soonMs];
  const wide = `SELECT ${storedSelection.join(', ')}
FROM events
${where.ofRows([`at >= ${boundTime('soonFrom')}`, `at < ${boundTime('soonUntil')}`])}
${orderBy(direction)}
LIMIT {limit:UInt64}`;
  const values = { ...where.values, soonFrom: from, soonUntil: until, limit: page.limit };
  const [soon, laterKeys] = await Promise.all([
    engine.ask(wide, values).then((rows) => rows.map(readStoredEvent)),
    keysOf(engine, { where, also: [`at >= ${boundTime('until')}`], values: { until } }, page),
  ]);
  const later = await eventsOf(engine, where, { keys: laterKeys, direction });
  const found = direction === 'ascending' ? [...soon, ...later] : [...later, ...soon];
  return pageOf(found.slice(0, limit), found.length > limit);
}

interface EventKey {
  at: number;
  sequence: number;
  node: string;
  mailId: number;
}

type Direction = Page['direction'];

interface Keyed {
  direction: Direction;
  limit: number;
}

/** The day first, which says nothing new: the table is sorted by days, so that the engine stops after those it needs. */
function orderBy(direction: Direction): string {
  const way = direction === 'ascending' ? 'ASC' : 'DESC';
  return `ORDER BY toDate(at) ${way}, at ${way}, sequence ${way}, outbox_node ${way}`;
}

const dayMs = 86_400_000;
const widths = [dayMs, 8 * dayMs, 64 * dayMs];

/** Which events a page shows, from the few columns that tell it: to sort whole events would read all of each. */
async function pageKeys(engine: Engine, where: Where, page: Keyed): Promise<EventKey[]> {
  const { direction, limit } = page;
  const looking = {
    ...{ direction, range: where.range, widths: where.rare ? [] : widths },
    ends: () => endsOf(engine, 'events', 'at'),
  };
  return inLooks(looking, async (until) => {
    const than = direction === 'descending' ? '>=' : '<';
    const also =
      until === null ? nothingElse : { also: [`at ${than} ${boundTime('until')}`], values: { until } };
    const found = await keysOf(engine, { where, ...also }, page);
    return { enough: found.length === limit, found };
  });
}

async function keysOf(
  engine: Engine,
  { where, also, values }: Bounded,
  { direction, limit }: Keyed,
): Promise<EventKey[]> {
  const statement = `SELECT toUnixTimestamp64Milli(at), sequence, outbox_node, mail_id
FROM events
${where.ofRows(also)}
${orderBy(direction)}
LIMIT {limit:UInt64}`;
  const rows = await engine.ask(statement, { ...where.values, ...values, limit });
  return rows.map(([at, sequence, node, mailId]) => ({
    at: Number(at),
    sequence: Number(sequence),
    node: String(node),
    mailId: Number(mailId),
  }));
}

function eventsOf(
  engine: Engine,
  { tenantId }: Where,
  { keys, direction }: { keys: readonly EventKey[]; direction: Direction },
): Promise<StoredEvent[]> {
  return inHalves(
    keys,
    ({ at }) => at,
    (half) => eventsNear(engine, tenantId, half, direction),
  );
}

/** The mails are in the order of the table, sequences and nodes are not: all three name the events, the first finds them. */
async function eventsNear(
  engine: Engine,
  tenantId: number,
  keys: readonly EventKey[],
  direction: Direction,
): Promise<StoredEvent[]> {
  const times = keys.map(({ at }) => at);
  const values = {
    tenantId,
    from: times.reduce((a, b) => Math.min(a, b)),
    to: times.reduce((a, b) => Math.max(a, b)),
    mailIds: keys.map(({ mailId }) => mailId),
    sequences: keys.map(({ sequence }) => sequence),
    nodes: keys.map(({ node }) => node),
  };
  const statement = `SELECT ${storedSelection.join(', ')}
FROM events
PREWHERE tenant_id = {tenantId:UInt64} AND at >= ${boundTime('from')}
  AND at <= ${boundTime('to')} AND mail_id IN {mailIds:Array(UInt64)}
  AND (sequence, outbox_node) IN arrayZip({sequences:Array(UInt64)}, {nodes:Array(String)})
${orderBy(direction)}`;
  return (await engine.ask(statement, values)).map(readStoredEvent);
}

function cursorOf({ node, event }: StoredEvent): EventCursor {
  return { at: event.at, sequence: event.sequence, node };
}

function eventsWhere(scope: Scope, filter: EventFilter): Where {
  const where = inScope(scope);
  if (filter.from !== undefined) where.fixed(`at >= ${moment(where, 'from', filter.from)}`);
  if (filter.to !== undefined) where.fixed(`at < ${moment(where, 'to', filter.to)}`);
  where.range = { from: filter.from, to: filter.to };
  if (filter.types !== undefined)
    where.fixed(`type IN ${where.bind('types', 'Array(String)', [...filter.types])}`);
  if (filter.mailId !== undefined) ofMail(where, filter.mailId);
  if (filter.n !== undefined) where.fixed(`n = ${where.bind('n', 'UInt32', filter.n)}`);
  if (filter.forwardPath !== undefined) {
    where.fixed(`forward_path = ${where.bind('forwardPath', 'String', filter.forwardPath)}`);
    where.rare = true;
  }
  if (filter.reversePath !== undefined) {
    where.fixed(`reverse_path = ${where.bind('reversePath', 'String', filter.reversePath)}`);
  }
  return where;
}

/** The first condition is implied by the second; alone it lets the engine skip what lies before. */
function after(where: Where, { at, sequence, node }: EventCursor, direction: Page['direction']): void {
  const than = direction === 'ascending' ? '>' : '<';
  const cursor = [
    moment(where, 'cursorAt', at),
    where.bind('cursorSequence', 'UInt64', sequence),
    where.bind('cursorNode', 'String', node ?? ''),
  ];
  where.fixed(`at ${than}= ${cursor[0]}`);
  where.fixed(`(at, sequence, outbox_node) ${than} (${cursor.join(', ')})`);
  where.range = direction === 'ascending' ? { ...where.range, from: at } : { ...where.range, to: at + 1 };
}
