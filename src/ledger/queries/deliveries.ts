/** "What became of these?": pages of last known states, newest or oldest first. */
import { limits } from '../../base/limits.ts';
import { deliverySelection, mailSelection, RowReader, readDelivery, readMail } from '../columns.ts';
import type { Engine } from '../engine.ts';
import { LedgerFault } from '../fault.ts';
import type { DeliveryFilter, DeliveryPage, DeliveryRow, Page, Scope } from '../question.ts';
import { deliveriesWhere } from './delivery-filter.ts';
import { type DeliveryKey, pageKeys } from './delivery-keys.ts';
import { acceptedWithin, engagementOf } from './engagement-of.ts';
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
  const { keys, total } = await pageKeys(engine, where, page, one);
  return {
    total: total ?? (await totalOf(engine, where, one)),
    rows: keys.length === 0 ? [] : await rowsOf(engine, where, keys, page.direction),
  };
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
  const acceptances = keys.map(({ acceptedAt }) => acceptedAt);
  const values = { tenantId, mailIds, from: acceptances.reduce(lower), to: acceptances.reduce(higher) };
  const order = direction === 'ascending' ? 'ASC' : 'DESC';
  const statement = `SELECT ${[...mailSelection, ...deliverySelection].join(', ')}
FROM deliveries FINAL
PREWHERE tenant_id = {tenantId:UInt64} AND ${acceptedWithin} AND mail_id IN {mailIds:Array(UInt64)}
  AND (mail_id, n) IN arrayZip({mailIds:Array(UInt64)}, {numbers:Array(UInt32)})
ORDER BY mail_id ${order}, n ${order}`;
  const rows = await engine.ask(statement, { ...values, numbers: keys.map(({ n }) => n) });
  const engagement = await engagementOf(engine, values);
  return rows.map((cells) => {
    const row = new RowReader(cells);
    const [mail, delivery] = [readMail(row), readDelivery(row)];
    return { mail, delivery, engagement: engagement(mail.mailId, delivery.n) };
  });
}

const lower = (a: number, b: number) => Math.min(a, b);
const higher = (a: number, b: number) => Math.max(a, b);
