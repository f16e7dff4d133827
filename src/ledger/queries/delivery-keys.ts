/**
 * Which deliveries a page shows. Usually without folding versions: when the filter holds for all versions of
 * a row or for none, the first rows in the order of the table name the deliveries of a shallow page, and
 * the engine stops reading after them.
 */
import { limits } from '../../base/limits.ts';
import type { Cell, Engine } from '../engine.ts';
import type { Page } from '../question.ts';
import type { Where } from './where.ts';

export interface DeliveryKey {
  mailId: number;
  n: number;
  acceptedAt: number;
}

export interface PageKeys {
  keys: DeliveryKey[];
  /** Null when the rows read do not tell. */
  total: number | null;
}

type One = 'delivery' | 'mail';

export async function pageKeys(engine: Engine, where: Where, page: Page, one: One): Promise<PageKeys> {
  if (page.limit === 0) return { keys: [], total: null };
  const shallow = where.allFixed && page.offset + page.limit <= limits.ledgerShallowRows;
  const found = shallow ? await firstKeys(engine, where, page, one) : null;
  return found ?? (await foldedKeys(engine, where, page, one));
}

const order = { ascending: 'ASC', descending: 'DESC' } as const;

/** Null if superseded rows took so much of what was read that the page is not complete. */
async function firstKeys(engine: Engine, where: Where, page: Page, one: One): Promise<PageKeys | null> {
  const end = page.offset + page.limit;
  const readRows = 2 * end + 1000;
  const way = order[page.direction];
  const statement = `SELECT mail_id, n, toUnixTimestamp64Milli(accepted_at)
FROM deliveries
${where}
ORDER BY mail_id ${way}, n ${way}
LIMIT {readRows:UInt64}`;
  const rows = (await engine.ask(statement, { ...where.values, readRows })).map(readKey);
  const all = rows.length < readRows;
  const keys = one === 'mail' ? lowestOfMails(rows, all) : withoutRepetition(rows);
  if (!all && keys.length < end) return null;
  return { keys: keys.slice(page.offset, end), total: all ? keys.length : null };
}

function withoutRepetition(rows: readonly DeliveryKey[]): DeliveryKey[] {
  return rows.filter(({ mailId, n }, index) => {
    const before = rows[index - 1];
    return before?.mailId !== mailId || before.n !== n;
  });
}

/** Of a mail at the end of what was read, the lowest forward-path may not have come yet. */
function lowestOfMails(rows: readonly DeliveryKey[], all: boolean): DeliveryKey[] {
  const lowest = new Map<number, DeliveryKey>();
  for (const row of rows) {
    const known = lowest.get(row.mailId);
    if (known === undefined || row.n < known.n) lowest.set(row.mailId, row);
  }
  const keys = [...lowest.values()];
  return all ? keys : keys.slice(0, -1);
}

async function foldedKeys(engine: Engine, where: Where, page: Page, one: One): Promise<PageKeys> {
  const way = order[page.direction];
  const [n, acceptedAt] = one === 'mail' ? ['min(n)', 'any(accepted_at)'] : ['n', 'accepted_at'];
  const statement = `SELECT mail_id, ${n} AS lowest, toUnixTimestamp64Milli(${acceptedAt})
FROM deliveries FINAL
${where.ofVersions()}
${one === 'mail' ? 'GROUP BY mail_id' : ''}
ORDER BY mail_id ${way}, lowest ${way}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}`;
  const { limit, offset } = page;
  const keys = (await engine.ask(statement, { ...where.values, limit, offset })).map(readKey);
  const last = keys.length > 0 && keys.length < limit; // a page that is not full tells the total
  return { keys, total: last ? offset + keys.length : null };
}

function readKey([mailId, n, acceptedAt]: Cell[]): DeliveryKey {
  return { mailId: Number(mailId), n: Number(n), acceptedAt: Number(acceptedAt) };
}
