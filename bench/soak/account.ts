/** Holds what the clients and the sink saw against what the ledger says. Every difference is one line. */
import { mailIdOfRelayId } from '../../src/base/id.ts';
import type { Cell, Engine } from '../../src/ledger/engine.ts';
import { type Ledger, ledgerOver, openEngine } from '../../src/ledger/ledger.ts';
import type { Accepted } from './client.ts';

export interface Seen {
  tenantId: number;
  /** Answered 250. */
  accepted: readonly Accepted[];
  /** Forward-paths that got a content. */
  arrived: ReadonlyMap<string, number>;
}

export interface Account {
  totals: Record<string, number>;
  /** Accepted forward-paths whose client had no answer. */
  unanswered: number;
  differences: string[];
}

const ends = ['delivered', 'failed', 'expired', 'canceled', 'suppressed'] as const;
const shownDifferences = 20;
const pageRows = 50_000;

export async function accountFor(seen: Seen, ledgerPath: string): Promise<Account> {
  const engine = await openEngine({ url: null, path: ledgerPath });
  try {
    return await compare(seen, engine, ledgerOver(engine));
  } finally {
    await engine.close();
  }
}

async function compare(seen: Seen, engine: Engine, ledger: Ledger): Promise<Account> {
  const totals = await countsOf(engine, 'SELECT type, count() FROM events GROUP BY type');
  const differences: string[] = [];
  const unequal = (what: string, one: number, other: number) => {
    if (one !== other) differences.push(`${what}: ${one} and ${other}`);
  };
  const ended = ends.reduce((sum, type) => sum + (totals[type] ?? 0), 0);
  unequal(
    'accepted, and delivered + failed + expired + canceled + suppressed',
    totals['accepted'] ?? 0,
    ended,
  );

  for (const table of ['counters', 'totals']) {
    const counted = await countsOf(engine, `SELECT type, sum(count) FROM ${table} GROUP BY type`);
    for (const type of new Set([...Object.keys(totals), ...Object.keys(counted)]))
      unequal(`events and ${table} of ${type}`, totals[type] ?? 0, counted[type] ?? 0);
  }

  const page = { offset: 0, limit: 1, direction: 'ascending' } as const;
  for (const state of [...ends, 'queued', 'deferred', 'held'] as const) {
    const filter = { status: [{ states: [state] }] };
    const { total } = await ledger.deliveries({ tenantId: seen.tenantId }, filter, page);
    unequal(`deliveries in the log as ${state}, and events`, total, totalOf(totals, state));
  }

  const [sequences = []] = await engine.ask(
    'SELECT count(), uniqExact(sequence), max(sequence) - min(sequence) + 1 FROM events',
  );
  unequal('events and sequences', Number(sequences[0]), Number(sequences[1]));
  unequal('sequences and their span', Number(sequences[1]), Number(sequences[2]));
  unequal('events that broke the rule of states, and none', await breaksOf(ledger, seen.tenantId), 0);

  const { unanswered, found } = await compareDeliveries(seen, engine);
  differences.push(...found);
  return { totals, unanswered, differences: differences.slice(0, shownDifferences) };
}

function totalOf(totals: Record<string, number>, state: string): number {
  return (ends as readonly string[]).includes(state) ? (totals[state] ?? 0) : 0;
}

function breaksOf(ledger: Ledger, tenantId: number): Promise<number> {
  return ledger.countRuleBreaks({ tenantId }, 0, Date.now() + 86_400_000);
}

async function countsOf(engine: Engine, question: string): Promise<Record<string, number>> {
  const rows = await engine.ask(question);
  return Object.fromEntries(rows.map(([name, count]) => [String(name), Number(count)]));
}

/** Each forward-path for itself: accepted once, ended once, and if delivered, arrived. */
async function compareDeliveries(
  seen: Seen,
  engine: Engine,
): Promise<{ unanswered: number; found: string[] }> {
  const open = new Map(
    seen.accepted.map(({ relayId, forwardPaths }) => [mailIdOfRelayId(relayId), new Set(forwardPaths)]),
  );
  const found: string[] = [];
  if (open.size !== seen.accepted.length) found.push('a relay id was given twice');
  let unanswered = 0;
  for await (const [mailId, forwardPath, accepted, ended, delivered] of storiesIn(engine)) {
    const name = `${mailId} <${forwardPath}>`;
    if (Number(accepted) !== 1) found.push(`${name} was accepted ${accepted} times`);
    if (Number(ended) !== 1) found.push(`${name} ended ${ended} times`);
    if (Number(delivered) > 0 && !seen.arrived.has(String(forwardPath)))
      found.push(`${name} is told as delivered and did not arrive`);
    if (!open.get(Number(mailId))?.delete(String(forwardPath))) unanswered += 1;
  }
  for (const [mailId, left] of open)
    for (const path of left) found.push(`${mailId} <${path}> was answered 250 and is not in the ledger`);
  return { unanswered, found };
}

async function* storiesIn(engine: Engine): AsyncGenerator<Cell[]> {
  for (let after = 0; ; ) {
    const rows = await engine.ask(
      `SELECT mail_id, any(forward_path), countIf(type = 'accepted'), countIf(has({ends:Array(String)}, toString(type))),
         countIf(type = 'delivered'), n
       FROM events WHERE mail_id > {after:UInt64} AND mail_id <= (
         SELECT max(mail_id) FROM (SELECT DISTINCT mail_id FROM events WHERE mail_id > {after:UInt64} ORDER BY mail_id LIMIT {limit:UInt32}))
       GROUP BY mail_id, n ORDER BY mail_id, n`,
      { after, limit: pageRows, ends: [...ends] },
    );
    if (rows.length === 0) return;
    yield* rows;
    after = Number(rows.at(-1)?.[0]);
  }
}
