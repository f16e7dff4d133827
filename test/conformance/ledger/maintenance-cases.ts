/** Rebuilding, refusing, and leaving alone what belongs to a newer program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/ledger/engine.ts';
import { type Difference, LedgerFault } from '../../../src/ledger/ledger.ts';
import { rebuildProjections } from '../../../src/ledger/rebuild.ts';
import { migrate } from '../../../src/ledger/schema/schema.ts';
import { batchesOf, generateHistory, type MailPlan, play } from '../../support/histories.ts';
import { everything, inOneMonth, type SubjectOf, simplePlan, tenantOf } from './subject.ts';

const isFault = (code: string) => (fault: unknown) => fault instanceof LedgerFault && fault.code === code;

export function maintenanceCases(subjectOf: SubjectOf): void {
  rebuildCases(subjectOf);
  differenceCases(subjectOf);
  placeCases(subjectOf);
}

export function rebuildCases(subjectOf: SubjectOf): void {
  test('projections made anew from the events are the same', async () => {
    const subject = subjectOf();
    const range = { edges: false, from: Date.UTC(2025, 4, 29), to: Date.UTC(2025, 5, 3) };
    const history = subject.own(generateHistory(41, { ...range, mails: 60, tenants: 1, latenessMs: 60_000 }));
    await subject.append(history, 300);
    const before = await projections(subject.engine);
    for (let turn = 0; turn < 2; turn += 1) {
      await rebuildProjections(subject.engine, { hold: (work) => work() });
      assert.deepEqual(await projections(subject.engine), before);
    }
    await subject.assertHolds(history.events);
    await assertNoTableIsLeft(subject.engine);
  });

  test('a rebuild goes on while events are appended, and holds each of them once', async () => {
    const subject = subjectOf();
    const history = subject.own(generateHistory(42, { ...inOneMonth, mails: 60, tenants: 1 }));
    const batches = batchesOf(history, Math.ceil(history.events.length / 9));
    const middle = Math.floor(batches.length / 3);
    for (const batch of batches.slice(0, middle)) await subject.ledger.append(batch);
    const inTurn = turns();
    const totals: number[] = [];
    const appending = (async () => {
      for (const batch of batches.slice(middle)) await inTurn(() => subject.ledger.append(batch));
    })();
    await rebuildProjections(subject.engine, { hold: inTurn, onProgress: (done) => totals.push(done) });
    await appending;
    await subject.assertHolds(history.events);
    const online = await projections(subject.engine);
    await rebuildProjections(subject.engine, { hold: inTurn });
    assert.deepEqual(await projections(subject.engine), online);
    assert.ok(
      totals.length > 0 && totals.every((done, index) => index === 0 || done >= (totals[index - 1] ?? 0)),
    );
  });

  test('a batch that another node appends while tables change places is not lost in silence', async () => {
    const subject = subjectOf();
    const mine = subject.own(generateHistory(43, { ...inOneMonth, mails: 5, tenants: 1 }));
    const others = batchesOf(subject.own(generateHistory(44, { ...inOneMonth, mails: 40, tenants: 1 })), 20);
    await subject.append(mine);
    const { engine, ledger } = subject;
    const meddled = {
      ...engine,
      command: async (...[statement, values]: Parameters<Engine['command']>) => {
        await engine.command(statement, values);
        const batch = statement.startsWith('EXCHANGE TABLES counters') ? others.shift() : undefined;
        if (batch) await ledger.append(batch);
      },
    };
    await assert.rejects(rebuildProjections(meddled, { hold: (work) => work() }), /another node/);
    await rebuildProjections(engine, { hold: (work) => work() });
    await subject.assertHolds(mine.events);
  });
}

function differenceCases(subjectOf: SubjectOf): void {
  /** What is done to a tenant's rows, and the difference that tells of it first. */
  const damages: [statements: (mine: string) => string[], expected: Partial<Difference>][] = [
    [
      (mine) => [`ALTER TABLE counters DELETE WHERE ${mine} AND type = 'delivered'`],
      { what: 'counters delivered', expected: 1, found: 0 },
    ],
    [
      (mine) => [`INSERT INTO counters SELECT * FROM counters WHERE ${mine} AND type = 'accepted'`],
      { what: 'counters accepted', expected: 1, found: 2 },
    ],
    [
      (mine) => [`ALTER TABLE totals DELETE WHERE ${mine} AND type = 'delivered'`],
      { what: 'totals delivered', expected: 1, found: 0 },
    ],
    [
      (mine) => [
        `INSERT INTO counters SELECT * REPLACE (['a'] AS tags) FROM counters WHERE ${mine} AND type = 'accepted'`,
        `ALTER TABLE counters DELETE WHERE ${mine} AND type = 'accepted' AND length(tags) = 2`,
      ],
      { what: 'tags of counters accepted', expected: 2, found: 1 },
    ],
    [
      (mine) => [`ALTER TABLE deliveries DELETE WHERE ${mine}`],
      {
        what: 'accepted = delivered + failed + expired + suppressed + canceled + in queue',
        expected: 1,
        found: 0,
      },
    ],
    [
      (mine) => [
        `INSERT INTO deliveries SELECT * REPLACE ('failed' AS state, version + 1 AS version) FROM deliveries FINAL WHERE ${mine}`,
      ],
      { what: 'deliveries (fingerprint)' },
    ],
    [
      (mine) => [`ALTER TABLE engagement DELETE WHERE ${mine}`],
      { what: 'engagement clicks', expected: 1, found: 0 },
    ],
    [
      (mine) => [`INSERT INTO engagement SELECT * FROM engagement WHERE ${mine}`],
      { what: 'engagement clicks', expected: 1, found: 2 },
    ],
  ];

  test('a sound ledger compares as equal; of a damaged one the first difference of each tenant is named', async () => {
    const subject = subjectOf();
    const { engine, ledger } = subject;
    const compare = async () =>
      (await ledger.maintenance.compare({ hold: turns(), queue: null })).differences;
    const history = subject.own(play(damages.map((_, index) => damaged(index + 1))));
    await subject.append(history);
    assert.deepEqual(await compare(), []);
    const tenants = [...new Set(history.events.map(({ mail }) => mail.tenantId))];
    assert.equal(tenants.length, damages.length);
    for (const [index, [statements]] of damages.entries()) {
      for (const statement of statements(`tenant_id = ${tenants[index]}`))
        await engine.command(`${statement}${/^ALTER/.test(statement) ? ' SETTINGS mutations_sync = 2' : ''}`);
    }
    const found = await compare();
    for (const [index, [, expected]] of damages.entries()) {
      const first = found.find(({ tenantId }) => tenantId === tenants[index]);
      assert.partialDeepStrictEqual(first, { hour: Date.UTC(2025, 5, 10, 8), ...expected });
    }
    await rebuildProjections(engine, { hold: turns() });
    assert.deepEqual(await compare(), []);
  });
}

function placeCases(subjectOf: SubjectOf): void {
  test('a delivery that changed places with another is a difference though the counts agree', async () => {
    const { engine, ledger } = subjectOf();
    await engine.command(
      `INSERT INTO deliveries SELECT * REPLACE (n + 7000 AS n) FROM deliveries FINAL WHERE state = 'delivered'`,
    );
    await engine.command(
      "ALTER TABLE deliveries DELETE WHERE state = 'delivered' AND n < 7000 SETTINGS mutations_sync = 2",
    );
    const { differences } = await ledger.maintenance.compare({ hold: turns(), queue: null });
    assert.deepEqual([...new Set(differences.map(({ what }) => what))], ['deliveries (fingerprint)']);
    await rebuildProjections(engine, { hold: turns() });
  });

  test('open deliveries are compared with those of the store, but for what waits in the outbox', async () => {
    const subject = subjectOf();
    const at = Date.UTC(2025, 5, 12, 9, 30);
    const history = subject.own(play([simplePlan(at, 0), simplePlan(at + 1000, 1)], { nodeNumber: 9 }));
    await subject.append(history);
    const { tenantId } = tenantOf(history);
    const hour = Date.UTC(2025, 5, 12, 9);
    const [first] = history.events;
    assert.ok(first);
    const compareWith = async (count: number, mailIds: number[] = []) => {
      const waiting = { mailIds, numbers: mailIds.map(() => 1) };
      const counts = () => ({ open: [{ tenantId, hour, count }], waiting });
      const queue = { node: 9, counts };
      return (await subject.ledger.maintenance.compare({ hold: turns(), queue })).differences;
    };
    assert.deepEqual(await compareWith(2), []);
    assert.deepEqual(await compareWith(1, [first.mail.mailId]), []);
    assert.deepEqual(await compareWith(3), [{ tenantId, hour, what: 'in queue', expected: 3, found: 2 }]);
  });
}

export function refusalCases(subjectOf: SubjectOf): void {
  test('what it will not answer is refused in words', async () => {
    const { ledger } = subjectOf();
    const scope = { tenantId: 1 };
    const question = { types: ['accepted'] as const, unit: 'day' as const, zone: 'Europe/Atlantis' };
    await assert.rejects(ledger.countByBucket(scope, question), isFault('question'));
    await assert.rejects(ledger.deliveries(scope, {}, { ...everything, limit: 10_001 }), isFault('question'));
    await assert.rejects(ledger.deliveries(scope, {}, { ...everything, offset: -1 }), isFault('question'));
    await assert.rejects(ledger.events(scope, {}, 'ascending', null, 0), isFault('question'));
    await assert.rejects(ledger.top(scope, 'origin', 0, 1, 0.5), isFault('question'));
  });

  test('a statement the engine refuses is a fault that says why', async () => {
    const { engine } = subjectOf();
    await assert.rejects(engine.ask('SELECT * FROM nowhere'), /nowhere/);
    await assert.rejects(engine.ask('SELECT * FROM nowhere'), isFault('engine'));
    const slow = 'SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1';
    await assert.rejects(engine.command(`${slow} SETTINGS max_execution_time = 0.05`), isFault('timeout'));
  });

  test('tables of a newer program are left alone', async () => {
    const { engine } = subjectOf();
    await engine.command("INSERT INTO migrations (number, name) VALUES (9999, 'from the future')");
    await assert.rejects(migrate(engine), /newer version/);
    await engine.command('ALTER TABLE migrations DELETE WHERE number = 9999 SETTINGS mutations_sync = 1');
    assert.deepEqual(await migrate(engine), []);
  });
}

/** One after the other, as the writer's batches and its holds. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** One mail of a tenant with two tags, delivered, opened and clicked. */
function damaged(tenantId: number): MailPlan {
  const plan = simplePlan(Date.UTC(2025, 5, 10, 8, 15, 0, tenantId), 0);
  const engagements = (['opened', 'clicked'] as const).map((type) => ({ type, afterMs: 1000, variant: 0 }));
  const deliveries = plan.deliveries.map((one) => ({ ...one, fate: 'delivered' as const, engagements }));
  return { ...plan, tenantId, tags: ['a', 'b'], deliveries };
}

async function assertNoTableIsLeft(engine: Engine): Promise<void> {
  const tables = await engine.ask(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_rebuilt'",
  );
  assert.deepEqual(tables, []);
}

/** Every row of every projection, folded, in one order. */
async function projections(engine: Engine): Promise<unknown> {
  return [
    await engine.ask('SELECT * FROM deliveries FINAL ORDER BY tenant_id, mail_id, n'),
    await engine.ask('SELECT * FROM engagement FINAL ORDER BY tenant_id, mail_id, n'),
    await engine.ask('SELECT * FROM counters FINAL ORDER BY ALL'),
    await engine.ask('SELECT * FROM totals FINAL ORDER BY ALL'),
  ];
}
