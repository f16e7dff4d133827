/** The questions of the ledger, put to PostgreSQL as someone would who knows it: keys of a page first, then its rows. */
import { openStates } from '../../../src/events/event.ts';
import {
  deliverySelection,
  mailSelection,
  RowReader,
  readDelivery,
  readMail,
} from '../../../src/ledger/columns.ts';
import type { Cell } from '../../../src/ledger/engine.ts';
import type {
  Ask,
  DeliveryFilter,
  DeliveryPage,
  DeliveryRow,
  EventFilter,
  Page,
  Scope,
  StatusCondition,
} from '../../../src/ledger/question.ts';
import { eventSelection, readEvent } from '../../../test/support/event-facts.ts';
import { countByBucket } from './counts.ts';
import type { Sql } from './server.ts';
import { besideColumns, eventColumns } from './tables.ts';
import { Where } from './where.ts';

type One = 'delivery' | 'mail';

/** `current`: the client of a server that is started again now and then. */
export function asking(current: () => Sql): Ask {
  return {
    deliveries: (scope, filter, page) =>
      deliveryPage(current(), deliveriesWhere(scope, filter), page, 'delivery'),
    mails: (scope, filter, page) => deliveryPage(current(), deliveriesWhere(scope, filter), page, 'mail'),
    queue: (scope, filter, page) => {
      const where = deliveriesWhere(scope, filter);
      where.and(`state IN (${openStates.map((state) => `'${state}'`).join(', ')})`);
      return deliveryPage(current(), where, page, 'mail');
    },
    countByBucket: (scope, question) => countByBucket(current(), scope, question),
    mailTotals: async (scope, from, to) => {
      const where = acceptedIn(scope, from, to);
      const [row] = await cells(
        current(),
        `SELECT count(DISTINCT mail_id), count(DISTINCT mail_id) FILTER (WHERE state = 'delivered')
FROM deliveries ${where}`,
        where,
      );
      return { accepted: Number(row?.[0]), delivered: Number(row?.[1]) };
    },
    // biome-ignore lint/complexity/useMaxParams: the contract names five
    top: async (scope, key, from, to, limit) => {
      const where = acceptedIn(scope, from, to);
      const column = { reversePath: 'reverse_path', origin: 'origin', forwardPath: 'forward_path' }[key];
      const rows = await cells(
        current(),
        `SELECT ${column}, count(DISTINCT mail_id) AS mails FROM deliveries ${where}
GROUP BY 1 ORDER BY mails DESC, 1 LIMIT ${limit}`,
        where,
      );
      return rows.map(([name, mails]) => ({ key: String(name), count: Number(mails) }));
    },
    // biome-ignore lint/complexity/useMaxParams: the contract names five
    events: async (scope, filter, direction, cursor, limit) => {
      const where = eventsWhere(scope, filter);
      if (cursor !== null) throw new Error('no question here has a cursor');
      return eventPage(current(), where, direction, limit);
    },
  };
}

async function cells(sql: Sql, statement: string, where: Where): Promise<Cell[][]> {
  return (await sql.unsafe(statement, where.values, { prepare: true }).values()) as unknown as Cell[][];
}

function acceptedIn(scope: Scope, from: number, to: number): Where {
  const where = deliveriesWhere(scope, { from, to });
  where.and("state <> 'rejected'");
  return where;
}

const way = { ascending: 'ASC', descending: 'DESC' } as const;
const plain = (selection: readonly string[]) => selection.map((one) => /\((\w+)\)/.exec(one)?.[1] ?? one);
const deliveryNames = plain([...mailSelection, ...deliverySelection]);

async function deliveryPage(sql: Sql, where: Where, page: Page, one: One): Promise<DeliveryPage> {
  const { offset, limit, direction } = page;
  const order = `accepted_at ${way[direction]}, mail_id ${way[direction]}`;
  // The number of a mail's first forward-path, whichever way the mails are shown.
  const keys =
    one === 'mail'
      ? `SELECT DISTINCT ON (accepted_at, mail_id) mail_id, n FROM deliveries d ${where} ORDER BY ${order}, n`
      : `SELECT mail_id, n FROM deliveries d ${where} ORDER BY ${order}, n ${way[direction]}`;
  const rows = await cells(
    sql,
    `WITH keys AS MATERIALIZED (${keys} OFFSET ${offset} LIMIT ${limit})
SELECT ${deliveryNames.map((name) => `d.${name}`).join(', ')},
  coalesce(g.opens, 0), coalesce(g.clicks, 0), g.complained_at, g.unsubscribed_at
FROM keys JOIN deliveries d USING (mail_id, n)
LEFT JOIN engagement g ON g.tenant_id = d.tenant_id AND g.mail_id = d.mail_id AND g.n = d.n
ORDER BY d.mail_id ${way[direction]}, d.n ${way[direction]}`,
    where,
  );
  const last = rows.length < limit && (rows.length > 0 || offset === 0); // a page that is not full tells the total
  return { total: last ? offset + rows.length : await totalOf(sql, where, one), rows: rows.map(readRow) };
}

function readRow(row: Cell[]): DeliveryRow {
  const reader = new RowReader(row);
  const [mail, delivery] = [readMail(reader), readDelivery(reader)];
  const engagement = {
    ...{ opens: reader.number(), clicks: reader.number() },
    complainedAt: reader.take<number | null>(),
    unsubscribedAt: reader.take<number | null>(),
  };
  return { mail, delivery, engagement };
}

async function totalOf(sql: Sql, where: Where, one: One): Promise<number> {
  const counted =
    one === 'mail'
      ? `SELECT count(*) FROM (SELECT DISTINCT accepted_at, mail_id FROM deliveries d ${where}) AS mails`
      : `SELECT count(*) FROM deliveries d ${where}`;
  const [row] = await cells(sql, counted, where);
  return Number(row?.[0]);
}

const exactColumns = {
  ...{ mailId: 'mail_id', n: 'n', origin: 'origin', remoteMta: 'remote_mta', reversePath: 'reverse_path' },
  ...{ subject: 'subject', replyTo: 'reply_to', fromField: 'from_address' },
} as const;

function deliveriesWhere(scope: Scope, filter: DeliveryFilter): Where {
  const where = new Where(scope);
  if (filter.from !== undefined) where.and(`accepted_at >= ${where.bindTime(filter.from)}`);
  if (filter.to !== undefined) where.and(`accepted_at < ${where.bindTime(filter.to)}`);
  for (const [name, column] of Object.entries(exactColumns) as [keyof typeof exactColumns, string][]) {
    const value = filter[name];
    if (value !== undefined) where.and(`${column} = ${where.bind(value)}`);
  }
  if (filter.forwardPath !== undefined) isRecipient(where, filter.forwardPath);
  if (filter.messageIdContains !== undefined) {
    const like = filter.messageIdContains.toLowerCase().replace(/[\\%_]/g, '\\$&');
    where.and(`lower('<' || message_id_field || '>') LIKE ${where.bind(`%${like}%`)}`);
  }
  if (filter.status !== undefined) where.and(anyStatus(where, filter.status));
  for (const { text, status } of filter.search ?? []) {
    const bound = where.bind(text.toLowerCase());
    const texts = ['from_address', 'forward_path', 'template'].map((column) => `lower(${column}) = ${bound}`);
    where.and(`(${[...texts, ...(status ? [anyStatus(where, status)] : [])].join(' OR ')})`);
  }
  return where;
}

/** The index is on the lower case, which `search` needs. */
function isRecipient(where: Where, forwardPath: string): void {
  const bound = where.bind(forwardPath);
  where.and(`lower(forward_path) = lower(${bound}) AND forward_path = ${bound}`);
}

function anyStatus(where: Where, conditions: readonly StatusCondition[]): string {
  const any = conditions.map(({ states, reasons, exceptReasons, engaged }) => {
    // One state as it is: the index is in order of time for each state, not for several.
    const [only] = states;
    const parts = [
      states.length === 1 && only ? `state = ${where.bind(only)}` : `state = ANY (${where.bind(states)})`,
    ];
    if (reasons) parts.push(`reason = ANY (${where.bind(reasons)})`);
    if (exceptReasons) parts.push(`reason <> ALL (${where.bind(exceptReasons)})`);
    if (engaged !== undefined)
      parts.push(`${engaged ? '' : 'NOT '}EXISTS (SELECT FROM engagement g WHERE g.tenant_id = d.tenant_id
  AND g.mail_id = d.mail_id AND g.n = d.n AND (g.opens > 0 OR g.clicks > 0))`);
    return `(${parts.join(' AND ')})`;
  });
  return any.length === 0 ? 'false' : `(${any.join(' OR ')})`;
}

const ofEvents = new Set(eventColumns.map(([name]) => name));
const besideOthers = new Set(besideColumns);
const eventNames = plain(eventSelection).map((name) => {
  if (besideOthers.has(name)) return `coalesce(e.${name}, e.${name.slice('status_'.length)})`;
  return ofEvents.has(name) ? `e.${name}` : `d.${name}`;
});

function eventsWhere({ tenantId }: Scope, filter: EventFilter): Where {
  const where = new Where({ tenantId });
  if (filter.from !== undefined) where.and(`at >= ${where.bindTime(filter.from)}`);
  if (filter.to !== undefined) where.and(`at < ${where.bindTime(filter.to)}`);
  if (filter.types !== undefined) where.and(`type = ANY (${where.bind(filter.types)})`);
  if (filter.mailId !== undefined) where.and(`mail_id = ${where.bind(filter.mailId)}`);
  if (filter.n !== undefined) where.and(`n = ${where.bind(filter.n)}`);
  const { forwardPath, reversePath } = filter;
  if (forwardPath === undefined && reversePath === undefined) return where;
  const deliveries = new Where({ tenantId }, where.values);
  if (forwardPath !== undefined) isRecipient(deliveries, forwardPath);
  if (reversePath !== undefined) deliveries.and(`reverse_path = ${deliveries.bind(reversePath)}`);
  where.and(`(mail_id, n) IN (SELECT mail_id, n FROM deliveries ${deliveries})`);
  return where;
}

async function eventPage(sql: Sql, where: Where, direction: Page['direction'], limit: number) {
  const order = ['at', 'sequence', 'outbox_node'].map((name) => `e.${name} ${way[direction]}`).join(', ');
  const rows = await cells(
    sql,
    `SELECT ${eventNames.join(', ')} FROM (SELECT * FROM events e ${where} ORDER BY ${order} LIMIT ${limit + 1}) AS e
JOIN deliveries d USING (mail_id, n) ORDER BY ${order}`,
    where,
  );
  const found = rows.slice(0, limit).map(readEvent);
  const last = found.at(-1);
  const next =
    rows.length > limit && last
      ? { at: last.event.at, sequence: last.event.sequence, node: last.node }
      : null;
  return { events: found.map(({ event }) => event), next };
}
