/** "What became of these?": pages of last known states, newest or oldest first. */
import { limits } from '../../base/limits.ts';
import { deliverySelection, mailSelection, RowReader, readDelivery, readMail } from '../columns.ts';
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { DeliveryFilter, DeliveryPage, DeliveryRow, Page, Scope } from '../question.ts';
import { deliveriesWhere } from './delivery-filter.ts';
import { engagementOf } from './engagement-of.ts';
import type { Where } from './where.ts';

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
  const keys = page.limit === 0 ? [] : await pageKeys(engine, where, page, one);
  const last = keys.length > 0 && keys.length < page.limit; // a page that is not full tells the total
  const total = last ? page.offset + keys.length : await totalOf(engine, where, one);
  return { total, rows: keys.length === 0 ? [] : await rowsOf(engine, where, keys, page.direction) };
}

function checkPage({ offset, limit }: Page): void {
  const inBounds = (value: number, bound: number) => Number.isInteger(value) && value >= 0 && value <= bound;
  if (inBounds(offset, limits.logOffsetRows) && inBounds(limit, limits.logPageRows)) return;
  throw new LedgerFault(
    'question',
    `a page has 0 to ${limits.logPageRows} rows after at most ${limits.logOffsetRows}`,
  );
}

interface DeliveryKey {
  mailId: number;
  n: number;
}

const order = { ascending: 'ASC', descending: 'DESC' } as const;

async function pageKeys(
  engine: Engine,
  where: Where,
  { direction, limit, offset }: Page,
  one: 'delivery' | 'mail',
): Promise<DeliveryKey[]> {
  const statement = `SELECT mail_id, ${one === 'mail' ? 'min(n)' : 'n'} AS lowest
FROM deliveries FINAL
${where.ofVersions()}
${one === 'mail' ? 'GROUP BY mail_id' : ''}
ORDER BY mail_id ${order[direction]}, lowest ${order[direction]}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}`;
  const rows = await engine.ask(statement, { ...where.values, limit, offset });
  return rows.map(([mailId, lowest]) => ({ mailId: Number(mailId), n: Number(lowest) }));
}

async function totalOf(engine: Engine, where: Where, one: 'delivery' | 'mail'): Promise<number> {
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
  const statement = `SELECT ${[...mailSelection, ...deliverySelection].join(', ')}
FROM deliveries FINAL
PREWHERE tenant_id = {tenantId:UInt64} AND mail_id IN {mailIds:Array(UInt64)}
  AND (mail_id, n) IN arrayZip({mailIds:Array(UInt64)}, {numbers:Array(UInt32)})
ORDER BY mail_id ${order[direction]}, n ${order[direction]}`;
  const rows = await engine.ask(statement, { tenantId, mailIds, numbers: keys.map(({ n }) => n) });
  const engagement = await engagementOf(engine, { tenantId, mailIds });
  return rows.map((cells) => {
    const row = new RowReader(cells);
    const [mail, delivery] = [readMail(row), readDelivery(row)];
    return { mail, delivery, engagement: engagement(mail.mailId, delivery.n) };
  });
}
