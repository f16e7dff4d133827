/** "What became of these?": pages of last known states, newest or oldest first. */
import { idMayBeLaterMs, mailIdParts } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import { deliverySelection, mailSelection, RowReader, readDelivery, readMail } from '../columns.ts';
import type { Cell, Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { DeliveryFilter, DeliveryPage, DeliveryRow, Page, Scope } from '../question.ts';
import { deliveriesWhere } from './delivery-filter.ts';
import { type DeliveryKey, pageKeys } from './delivery-keys.ts';
import { acceptedWithin, engagementOf } from './engagement-of.ts';
import { isOfMail, type Where } from './where.ts';

const wideRows = `SELECT ${[...mailSelection, ...deliverySelection].join(', ')}
FROM deliveries FINAL`;

export function deliveries(
  engine: Engine,
  scope: Scope,
  filter: DeliveryFilter,
  page: Page,
): Promise<DeliveryPage> {
  return deliveryPage(engine, deliveriesWhere(scope, filter), page, 'delivery');
}

/**
 * One row per `delivery` that matches, or one per `mail`: that of the lowest forward-path that matches.
 *
 * Two steps: the keys of the page from the few columns the filter names, then the wide rows of those keys
 * alone. Sorting wide rows would read every column of every row that matches.
 */
export async function deliveryPage(
  engine: Engine,
  where: Where,
  page: Page,
  one: 'delivery' | 'mail',
): Promise<DeliveryPage> {
  checkPage(page);
  if (isOfMail(where) && page.limit > 0) return pageOfMail(engine, where, page, one);
  const { keys, total: told } = await pageKeys(engine, where, page, one);
  const [total, rows] = await Promise.all([
    told ?? totalOf(engine, where, one),
    keys.length === 0 ? [] : rowsOf(engine, where, keys, page.direction),
  ]);
  return { total, rows };
}

/** The rows of one mail lie side by side: to find their keys first would take longer than to read them. */
async function pageOfMail(
  engine: Engine,
  where: Where & { mailId: number },
  { offset, limit, direction }: Page,
  one: 'delivery' | 'mail',
): Promise<DeliveryPage> {
  const order = direction === 'ascending' || one === 'mail' ? 'ASC' : 'DESC';
  const statement = (also: readonly string[]) => `${wideRows}
${where.ofVersions(also)}
ORDER BY n ${order}
${one === 'mail' ? 'LIMIT 1 BY mail_id' : ''}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}`;
  const span = acceptedAbout(where.mailId);
  const values = { ...where.values, limit, offset };
  const [near, engagement] = await Promise.all([
    engine.ask(statement([acceptedWithin]), { ...values, ...span }),
    engagementOf(engine, { tenantId: where.tenantId, mailIds: [where.mailId], ...span }),
  ]);
  const cells = near.length > 0 ? near : await engine.ask(statement([]), values);
  const last = cells.length < limit && (cells.length > 0 || offset === 0); // such a page tells the total
  const rows = cells.map(readRow);
  return {
    total: last ? offset + cells.length : await totalOf(engine, where, one),
    rows: near.length > 0 ? rows.map(beside(engagement)) : await withEngagement(engine, where.tenantId, rows),
  };
}

/** Its id tells when a mail was accepted, but for imported ones of before there were ids: keeps the engine to a partition. */
function acceptedAbout(mailId: number): { from: number; to: number } {
  const { at } = mailIdParts(mailId);
  return { from: at - idMayBeLaterMs, to: at };
}

function checkPage({ offset, limit }: Page): void {
  const inBounds = (value: number, bound: number) => Number.isInteger(value) && value >= 0 && value <= bound;
  if (inBounds(offset, limits.logOffsetRows) && inBounds(limit, limits.logPageRows)) return;
  throw new LedgerFault(
    'question',
    `a page has 0 to ${limits.logPageRows} rows after at most ${limits.logOffsetRows}`,
  );
}

export async function totalOf(engine: Engine, where: Where, one: 'delivery' | 'mail'): Promise<number> {
  const count = one === 'mail' ? 'uniqExact(mail_id)' : 'count()';
  const [row] = await engine.ask(
    `SELECT ${count} FROM deliveries FINAL\n${where.ofVersions()}`,
    where.values,
  );
  return Number(row?.[0] ?? 0);
}

async function rowsOf(
  engine: Engine,
  { tenantId }: Where,
  keys: readonly DeliveryKey[],
  direction: Page['direction'],
): Promise<DeliveryRow[]> {
  const mailIds = keys.map(({ mailId }) => mailId);
  const numbers = keys.map(({ n }) => n);
  const order = direction === 'ascending' ? 'ASC' : 'DESC';
  const statement = `${wideRows}
PREWHERE tenant_id = {tenantId:UInt64} AND ${acceptedWithin} AND mail_id IN {mailIds:Array(UInt64)}
  AND (mail_id, n) IN arrayZip({mailIds:Array(UInt64)}, {numbers:Array(UInt32)})
ORDER BY mail_id ${order}, n ${order}`;
  const span = spanOf(keys.map(({ acceptedAt }) => acceptedAt));
  const [cells, engagement] = await Promise.all([
    engine.ask(statement, { tenantId, ...span, mailIds, numbers }),
    engagementOf(engine, { tenantId, mailIds: [...new Set(mailIds)], ...span }),
  ]);
  return cells.map(readRow).map(beside(engagement));
}

type Facts = Omit<DeliveryRow, 'engagement'>;

function readRow(cells: Cell[]): Facts {
  const row = new RowReader(cells);
  return { mail: readMail(row), delivery: readDelivery(row) };
}

const beside =
  (engagement: Awaited<ReturnType<typeof engagementOf>>) =>
  (row: Facts): DeliveryRow => ({ ...row, engagement: engagement(row.mail.mailId, row.delivery.n) });

async function withEngagement(
  engine: Engine,
  tenantId: number,
  rows: readonly Facts[],
): Promise<DeliveryRow[]> {
  if (rows.length === 0) return [];
  const mailIds = [...new Set(rows.map(({ mail }) => mail.mailId))];
  const span = spanOf(rows.map(({ mail }) => mail.acceptedAt));
  return rows.map(beside(await engagementOf(engine, { tenantId, mailIds, ...span })));
}

/** First and last. */
function spanOf(times: readonly number[]): { from: number; to: number } {
  return { from: times.reduce(lower), to: times.reduce(higher) };
}

const lower = (a: number, b: number) => Math.min(a, b);
const higher = (a: number, b: number) => Math.max(a, b);
