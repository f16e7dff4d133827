/**
 * Takes the events of one ledger into another, in batches under a token each, so that the other's views make the
 * projections and a batch that is repeated changes nothing. As the outbox does, the table `moves` there says of each
 * batch that it is begun and that it is done: broken off, the move repeats the one that was begun, as it was, and goes on.
 *
 * One node's month at a time: its events are one part of one batch, and reading them looks at one partition only. Nothing
 * may append to `from` meanwhile. At the end both ledgers are compared.
 */
import { limits } from '../base/limits.ts';
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';
import { horizonsOf } from './horizons.ts';
import { carryChain } from './move-chain.ts';
import { type ComparedTable, compareLedgers, holdsOthers, ofStretch, type Stretch } from './move-compare.ts';
import { eventColumnNames } from './schema/0001-events.ts';

export interface Moved {
  events: number;
  /** Events this run carried; fewer if an earlier one was broken off. */
  carried: number;
  /** The same on both sides. Besides `events` only where the server holds nothing else. */
  compared: ComparedTable[];
}

export interface MoveProgress {
  carried: number;
  total: number;
}

interface Range {
  first: number;
  last: number;
}

interface Course {
  /** The newest batch of an earlier move that was begun and is not known to be done. */
  begun: Range | null;
  /** Up to there the other ledger has the events, or gets them with `begun`. */
  reached: number;
}

export async function moveEvents(
  from: Engine,
  to: Engine,
  onProgress: (progress: MoveProgress) => void,
): Promise<Moved> {
  await refuseThinned(from);
  const stretches = await stretchesOf(from);
  const courses = new Map<Stretch, Course>();
  for (const stretch of stretches) courses.set(stretch, await courseOf(from, to, stretch));
  const total = stretches.reduce((sum, { events }) => sum + events, 0);
  let carried = 0;
  let before = 0;
  for (const [stretch, { begun, reached }] of courses) {
    before += await countUpTo(from, stretch, begun === null ? reached : begun.first - 1);
    onProgress({ carried: before + carried, total });
    for await (const events of carry(from, to, stretch, { begun, reached })) {
      carried += events;
      onProgress({ carried: before + carried, total });
    }
  }
  for (const node of new Set(stretches.map((stretch) => stretch.node))) await carryChain(from, to, node);
  return { events: total, carried, compared: await compareLedgers(from, to, stretches) };
}

/** The server draws everything from the events, and so would not have what is remembered of events that are gone. */
async function refuseThinned(from: Engine): Promise<void> {
  if ((await horizonsOf(from, ['events', 'deliveries', 'counters'])).size === 0) return;
  throw new LedgerFault(
    'inconsistent',
    'retention has removed rows of this ledger, and what is kept longer than its events could not be made anew on the server',
  );
}

async function stretchesOf(from: Engine): Promise<Stretch[]> {
  const rows = await from.ask(
    `SELECT outbox_node, toYYYYMM(at) AS month, max(sequence), count() FROM events
GROUP BY outbox_node, month ORDER BY outbox_node, month`,
    {},
    { patient: true },
  );
  return rows.map(([node, month, last, events]) => ({
    ...{ node: String(node), month: Number(month), last: Number(last), events: Number(events) },
  }));
}

async function courseOf(from: Engine, to: Engine, stretch: Stretch): Promise<Course> {
  const { node, month } = stretch;
  const [row] = await to.ask(
    `SELECT max(first) AS newest, max(last), maxIf(last, done) FROM moves
WHERE outbox_node = {node:String} AND month = {month:UInt32} HAVING count() > 0`,
    { node, month },
  );
  const [first = 0, last = 0, doneTo = 0] = (row ?? []).map(Number);
  const course = { begun: last > doneTo ? { first, last } : null, reached: last };
  if (await holdsOthers(from, to, { ...stretch, reached: last, doneTo })) {
    throw new LedgerFault(
      'inconsistent',
      `the server has other events of ${node} in ${month} than this ledger: another relay filled that database under the same node_number. ` +
        'Move into a database of its own (--database), or give that relay another number',
    );
  }
  return course;
}

async function countUpTo(from: Engine, { node, month }: Stretch, last: number): Promise<number> {
  const [row] = await from.ask(
    `SELECT count() FROM events WHERE ${ofStretch} AND sequence <= {last:UInt64}`,
    {
      ...{ node, month, last },
    },
    { patient: true },
  );
  return Number(row?.[0] ?? 0);
}

/** Yields how many events it brought. */
async function* carry(from: Engine, to: Engine, stretch: Stretch, course: Course): AsyncGenerator<number> {
  if (course.begun !== null) yield await carryBatch(from, to, stretch, course.begun);
  let after = course.reached;
  for (;;) {
    const range = await nextRange(from, stretch, after);
    if (range === null) return;
    await note(to, stretch, range, false);
    yield await carryBatch(from, to, stretch, range);
    after = range.last;
  }
}

async function nextRange(from: Engine, { node, month }: Stretch, after: number): Promise<Range | null> {
  const [row] = await from.ask(
    `SELECT min(sequence), max(sequence), count() FROM (SELECT sequence FROM events
WHERE ${ofStretch} AND sequence > {after:UInt64} ORDER BY sequence LIMIT ${limits.ledgerBatchEvents})`,
    { node, month, after },
  );
  const [first = 0, last = 0, count = 0] = (row ?? []).map(Number);
  return count === 0 ? null : { first, last };
}

/** The same bytes under the same token each time. */
async function carryBatch(
  from: Engine,
  to: Engine,
  stretch: Stretch,
  { first, last }: Range,
): Promise<number> {
  const { node, month } = stretch;
  const values = { node, month, first, last };
  const within = `${ofStretch} AND sequence >= {first:UInt64} AND sequence <= {last:UInt64}`;
  const rows = from.stream(
    `SELECT ${eventColumnNames.join(', ')} FROM events WHERE ${within} ORDER BY sequence
SETTINGS max_threads = 1`,
    values,
    'RowBinary',
  );
  const bytes = Buffer.concat(await Array.fromAsync(rows));
  await to.append(bytes, { deduplicationToken: `move:${node}:${month}:${first}-${last}` });
  await note(to, stretch, { first, last }, true);
  const [row] = await from.ask(`SELECT count() FROM events WHERE ${within}`, values);
  return Number(row?.[0] ?? 0);
}

async function note(
  to: Engine,
  { node, month }: Stretch,
  { first, last }: Range,
  done: boolean,
): Promise<void> {
  await to.command(
    `INSERT INTO moves (outbox_node, month, first, last, done)
SELECT {node:String}, {month:UInt32}, {first:UInt64}, {last:UInt64}, {done:UInt8}`,
    { node, month, first, last, done: done ? 1 : 0 },
  );
}
