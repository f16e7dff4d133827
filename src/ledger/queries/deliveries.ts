/** "What became of these?": pages of last known states, newest or oldest first. */
import { idMayBeLaterMs, idsTellTimesFrom, mailIdParts } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import { deliverySelection, mailSelection, RowReader, readDelivery, readMail } from '../columns.ts';
import type { Cell, Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import { removedBefore } from '../horizons.ts';
import type { DeliveryFilter, DeliveryPage, DeliveryRow, Page, Scope } from '../question.ts';
import { deliveriesWhere } from './delivery-filter.ts';
import { type DeliveryKey, pageKeys } from './delivery-keys.ts';
import { acceptedWithin, engagementOf } from './engagement-of.ts';
import { inHalves } from './halves.ts';
import { boundTime, isOfMail, nothingElse, type Where } from './where.ts';

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
 * alone. Sorting wide rows would read every column of every row that matches. All that match are counted meanwhile,
 * unless they are so few that their keys tell.
 */
export async function deliveryPage(
  engine: Engine,
  where: Where,
  page: Page,
  one: 'delivery' | 'mail',
): Promise<DeliveryPage> {
  checkPage(page);
  if (isOfMail(where) && page.limit > 0) return pageOfMail(engine, where, page, one);
  const found = pageKeys(engine, where, page, one);
  const count = () => totalOf(engine, where, one);
  const [total, rows] = await Promise.all([
    where.rare ? found.then(({ total }) => total ?? count()) : count(),
    found.then(({ keys }) => rowsOf(engine, where, keys, page.direction)),
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
  const statement = `${wideRows}
${where.ofVersions([acceptedWithin])}
ORDER BY n ${order}
${one === 'mail' ? 'LIMIT 1 BY mail_id' : ''}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}`;
  const mailIds = [where.mailId];
  const span = acceptedAbout(mailIds);
  const [cells, engagement] = await Promise.all([
    engine.ask(statement, { ...where.values, ...span, limit, offset }),
    engagementOf(engine, { tenantId: where.tenantId, mailIds, ...span }),
  ]);
  const last = cells.length < limit && (cells.length > 0 || offset === 0); // such a page tells the total
  return {
    total: last ? offset + cells.length : await totalOf(engine, where, one),
    rows: cells.map(readRow).map(beside(engagement)),
  };
}

/** Their ids tell when mails were accepted, but for imported ones of before there were ids: keeps the engine to a partition. */
function acceptedAbout(mailIds: readonly number[]): { acceptedFrom: number; acceptedTo: number } {
  const times = mailIds.map((mailId) => mailIdParts(mailId).at);
  const [first, last] = [times.reduce(lower), times.reduce(higher)];
  return { acceptedFrom: first < idsTellTimesFrom ? 0 : first - idMayBeLaterMs, acceptedTo: last };
}

const lower = (a: number, b: number) => Math.min(a, b);
const higher = (a: number, b: number) => Math.max(a, b);

function checkPage({ offset, limit }: Page): void {
  const inBounds = (value: number, bound: number) => Number.isInteger(value) && value >= 0 && value <= bound;
  if (inBounds(offset, limits.logOffsetRows) && inBounds(limit, limits.logPageRows)) return;
  throw new LedgerFault(
    'question',
    `a page has 0 to ${limits.logPageRows} rows after at most ${limits.logOffsetRows}`,
  );
}

async function totalOf(engine: Engine, where: Where, one: 'delivery' | 'mail'): Promise<number> {
  if (one === 'delivery') return counted(engine, where, 'count()');
  return where.ofWholeMails ? wholeMails(engine, where) : counted(engine, where, 'uniqExact(mail_id)');
}

/**
 * Every mail has a first forward-path, which is quicker counted than mails are told apart; of a mail from before the
 * horizon of retention there may be only what came later.
 */
async function wholeMails(engine: Engine, where: Where): Promise<number> {
  const removed = await removedBefore(engine, 'deliveries', where.tenantId);
  if (removed === 0) return counted(engine, where, 'count()', { also: ['n = 1'], values: {} });
  const than = (sign: string) => `accepted_at ${sign} ${boundTime('removed')}`;
  const [since, before] = await Promise.all([
    counted(engine, where, 'count()', { also: ['n = 1', than('>=')], values: { removed } }),
    counted(engine, where, 'uniqExact(mail_id)', { also: [than('<')], values: { removed } }),
  ]);
  return since + before;
}

async function counted(
  engine: Engine,
  where: Where,
  count: string,
  { also, values } = nothingElse,
): Promise<number> {
  const statement = `SELECT ${count} FROM deliveries FINAL\n${where.ofVersions(also)}`;
  const [row] = await engine.ask(statement, { ...where.values, ...values });
  return Number(row?.[0] ?? 0);
}

function rowsOf(
  engine: Engine,
  { tenantId }: Where,
  keys: readonly DeliveryKey[],
  direction: Page['direction'],
): Promise<DeliveryRow[]> {
  const acceptedAt = ({ mailId }: DeliveryKey) => mailIdParts(mailId).at;
  return inHalves(keys, acceptedAt, (half) => rowsNear(engine, tenantId, half, direction));
}

async function rowsNear(
  engine: Engine,
  tenantId: number,
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
  const span = acceptedAbout(mailIds);
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
