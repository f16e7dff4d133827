/**
 * Which deliveries a page shows. Looked for near the end at which the page begins; there usually without folding
 * versions: when the filter holds for all versions of a row or for none, the first rows in the order of the table name
 * the deliveries of a shallow page, and the engine stops reading after them.
 */
import { firstMailIdAt, idMayBeLaterMs, idsTellTimesFrom } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import type { Cell, Engine } from '../engine.ts';
import type { Page } from '../question.ts';
import { endsOf, inLooks } from './looks.ts';
import { type Also, type Bounded, boundTime, nothingElse, type Where } from './where.ts';

export interface DeliveryKey {
  mailId: number;
  n: number;
}

export interface PageKeys {
  keys: DeliveryKey[];
  /** Null when the rows read do not tell. */
  total: number | null;
}

type One = 'delivery' | 'mail';

const dayMs = 86_400_000;
const widths = [7 * dayMs, 21 * dayMs, 63 * dayMs, 189 * dayMs];

export async function pageKeys(engine: Engine, where: Where, page: Page, one: One): Promise<PageKeys> {
  if (page.limit === 0) return { keys: [], total: null };
  const looking = {
    ...{ direction: page.direction, range: where.range, widths: where.rare ? [] : widths },
    ends: () => endsOf(engine, 'deliveries', 'accepted_at'),
  };
  return inLooks(looking, async (until) => {
    const bound = boundAt(page.direction, until);
    if (bound === null) return { enough: false, found: nothing };
    const found = await keysWithin(engine, { where, ...bound }, page, one);
    return { enough: found.keys.length === page.limit, found };
  });
}

const nothing: PageKeys = { keys: [], total: null };

/**
 * By the mail id, which pages are in the order of. The time of acceptance follows from it but for those moments, and
 * tells the engine the partitions. Null where ids do not tell times.
 */
function boundAt(direction: Page['direction'], until: number | null): Also | null {
  if (until === null) return nothingElse;
  if (until < idsTellTimesFrom) return null;
  const [than, at] = direction === 'descending' ? ['>=', until - idMayBeLaterMs] : ['<', until];
  return {
    also: [`mail_id ${than} {untilMailId:UInt64}`, `accepted_at ${than} ${boundTime('untilAt')}`],
    values: { untilMailId: firstMailIdAt(until), untilAt: at },
  };
}

async function keysWithin(engine: Engine, bounded: Bounded, page: Page, one: One): Promise<PageKeys> {
  const shallow = bounded.where.allFixed && page.offset + page.limit <= limits.ledgerShallowRows;
  const found = shallow ? await firstKeys(engine, bounded, page, one) : null;
  return found ?? (await foldedKeys(engine, bounded, page, one));
}

const order = { ascending: 'ASC', descending: 'DESC' } as const;

/** Null if superseded rows took so much of what was read that the page is not complete. */
async function firstKeys(
  engine: Engine,
  { where, also, values }: Bounded,
  page: Page,
  one: One,
): Promise<PageKeys | null> {
  const end = page.offset + page.limit;
  const readRows = 2 * end + 1000;
  const way = order[page.direction];
  const statement = `SELECT mail_id, n
FROM deliveries
${where.ofRows(also)}
ORDER BY mail_id ${way}, n ${way}
LIMIT {readRows:UInt64}`;
  const rows = (await engine.ask(statement, { ...where.values, ...values, readRows })).map(readKey);
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

async function foldedKeys(
  engine: Engine,
  { where, also, values }: Bounded,
  page: Page,
  one: One,
): Promise<PageKeys> {
  const way = order[page.direction];
  const statement = `SELECT mail_id, ${one === 'mail' ? 'min(n)' : 'n'} AS lowest
FROM deliveries FINAL
${where.ofVersions(also)}
${one === 'mail' ? 'GROUP BY mail_id' : ''}
ORDER BY mail_id ${way}, lowest ${way}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}`;
  const { limit, offset } = page;
  const keys = (await engine.ask(statement, { ...where.values, ...values, limit, offset })).map(readKey);
  const last = keys.length > 0 && keys.length < limit; // a page that is not full tells the total
  return { keys, total: last ? offset + keys.length : null };
}

function readKey([mailId, n]: Cell[]): DeliveryKey {
  return { mailId: Number(mailId), n: Number(n) };
}
