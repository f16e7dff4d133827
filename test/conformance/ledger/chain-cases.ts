/** Tamper evidence: whatever is done to an event behind the ledger's back is found, and what is done on purpose is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installationKey } from '../../../src/base/secret.ts';
import { type Ledger, LedgerFault, ledgerOver, type ProvedTo } from '../../../src/ledger/ledger.ts';
import { batchesOf, generateHistory, type History, play } from '../../support/histories.ts';
import { type Subject, type SubjectOf, simplePlan, tenantOf } from './subject.ts';

const key = installationKey(Buffer.alloc(32, 7));
const day = 86_400_000;
const hold = <T>(work: () => Promise<T>) => work();

export function chainCases(subjectOf: SubjectOf): void {
  intactCases(subjectOf);
  walkCases(subjectOf);
  tamperingCases(subjectOf);
  recordCases(subjectOf);
  amendmentCases(subjectOf);
  interruptedCases(subjectOf);
}

let histories = 0;

/** A history of a node of its own, in a month of its own, appended in four batches of a chain. */
const chained = async (
  subjectOf: SubjectOf,
): Promise<{ subject: Subject; ledger: Ledger; history: History; size: number }> => {
  const subject = subjectOf();
  const monday = Date.UTC(2025, 0, 6) + histories * 35 * day;
  histories += 1;
  const when = { edges: false, from: monday, to: monday + 5 * day };
  const history = subject.own(generateHistory(51, { ...when, mails: 8, tenants: 1, maxForwardPaths: 1 }));
  const ledger = ledgerOver(subject.engine, key);
  const size = Math.ceil(history.events.length / 4);
  for (const batch of batchesOf(history, size)) await ledger.append(batch);
  return { subject, ledger, history, size };
};
const verified = async (ledger: Ledger, { node, events }: History, from: readonly ProvedTo[] = []) => {
  const own = { node, appendedTo: () => events.length };
  const chain = await ledger.maintenance.verifyChain({ hold, own, from });
  const problems = chain?.problems.filter((one) => one.node === node) ?? [];
  return { counts: chain?.nodes.find((one) => one.node === node), problems, proved: chain?.proved ?? [] };
};
const change = (subject: Subject, statement: string) =>
  subject.engine.command(`${statement} SETTINGS mutations_sync = 2`);

function intactCases(subjectOf: SubjectOf): void {
  test('a chain that nobody touched is intact, also where batches were appended again', async () => {
    const { ledger, history, size } = await chained(subjectOf);
    for (const batch of batchesOf(history, size)) await ledger.append(batch);
    const { counts, problems } = await verified(ledgerOver(subjectOf().engine, key), history);
    assert.deepEqual(problems, []);
    assert.deepEqual(counts, {
      node: history.node,
      batches: 4,
      intact: 4,
      amended: 0,
      expired: 0,
      before: 0,
    });
  });

  test('a crash between a batch and its link leaves no gap', async () => {
    const subject = subjectOf();
    const history = subject.own(
      play([simplePlan(Date.UTC(2025, 5, 6), 0), simplePlan(Date.UTC(2025, 5, 7), 0)]),
    );
    const [first, second] = batchesOf(history, 1);
    assert.ok(first && second);
    const failing = {
      ...subject.engine,
      command: () => Promise.reject(new LedgerFault('unavailable', 'gone')),
    };
    await assert.rejects(ledgerOver(failing, key).append(first), /gone/);
    const ledger = ledgerOver(subject.engine, key);
    await ledger.append(first);
    await ledger.append(second);
    assert.deepEqual((await verified(ledger, history)).problems, []);
  });
}

function walkCases(subjectOf: SubjectOf): void {
  test('a walk goes on where the one before ended, and sees what is behind', async () => {
    const { subject, ledger, history } = await chained(subjectOf);
    const { proved } = await verified(ledger, history);
    const more = subject.own(
      play([simplePlan(Date.UTC(2025, 0, 6), 0), simplePlan(Date.UTC(2025, 0, 7), 0)]),
    );
    const { length } = history.events;
    const next = more.events.map((event, index) => ({ ...event, sequence: length + 1 + index }));
    const whole = { node: history.node, events: [...history.events, ...next] };
    await ledger.append({ node: history.node, first: length + 1, last: length + next.length, events: next });
    await change(
      subject,
      `ALTER TABLE events UPDATE diagnostic = '250 forged' WHERE outbox_node = '${history.node}' AND sequence = 1`,
    );
    const again = await verified(ledger, whole, proved);
    assert.deepEqual(again.problems, []);
    assert.equal(again.counts?.batches, 1);
    assert.equal((await verified(ledger, whole)).problems.length, 1);
    await change(
      subject,
      `ALTER TABLE events UPDATE diagnostic = '250 forged' WHERE outbox_node = '${history.node}' AND sequence = ${length + 1}`,
    );
    assert.match((await verified(ledger, whole, proved)).problems[0]?.problem ?? '', /edited/);
  });

  test('batches that come in during the walk are walked as well', async () => {
    const { ledger, history, size } = await chained(subjectOf);
    const events = history.events
      .slice(0, size)
      .map((event, index) => ({ ...event, sequence: history.events.length + 1 + index }));
    const whole = { node: history.node, events: [...history.events, ...events] };
    const batch = { node: history.node, first: history.events.length + 1, last: whole.events.length, events };
    let appended: Promise<void> | null = null;
    const chain = await ledger.maintenance.verifyChain({
      hold: async (work) => {
        await appended;
        return work();
      },
      own: { node: history.node, appendedTo: () => whole.events.length },
      onProgress: () => {
        appended ??= ledger.append(batch);
      },
    });
    assert.deepEqual(
      chain?.problems.filter(({ node }) => node === history.node),
      [],
    );
    assert.equal(chain?.nodes.find(({ node }) => node === history.node)?.batches, 5);
  });
}

function tamperingCases(subjectOf: SubjectOf): void {
  /** What is done to the event of a sequence in the midst of a batch. */
  const tamperings: [problem: RegExp, statements: (where: string, sequence: number) => string[]][] = [
    [
      /edited/,
      (where, sequence) => [
        `ALTER TABLE events UPDATE diagnostic = '250 forged' WHERE ${where} AND sequence = ${sequence}`,
      ],
    ],
    [
      /^an event was removed/,
      (where, sequence) => [`ALTER TABLE events DELETE WHERE ${where} AND sequence = ${sequence}`],
    ],
    [
      /inserted: its sequence stands there twice/,
      (where, sequence) => [
        `INSERT INTO events SELECT * FROM events WHERE ${where} AND sequence = ${sequence}`,
      ],
    ],
    [
      /moved/,
      (where, sequence) => [
        'CREATE TABLE swapped AS events',
        `INSERT INTO swapped SELECT * REPLACE (${2 * sequence + 1} - sequence AS sequence) FROM (SELECT * FROM events WHERE ${where} AND sequence IN (${sequence}, ${sequence + 1}))`,
        `ALTER TABLE events DELETE WHERE ${where} AND sequence IN (${sequence}, ${sequence + 1})`,
        'INSERT INTO events SELECT * FROM swapped',
        'DROP TABLE swapped',
      ],
    ],
  ];

  test('an event that was edited, removed, inserted or moved is found, in its batch', async () => {
    const { subject, ledger, history, size } = await chained(subjectOf);
    const inBatch = (index: number) => index * size + Math.floor(size / 2);
    for (const [index, [, statements]] of tamperings.entries()) {
      for (const statement of statements(`outbox_node = '${history.node}'`, inBatch(index)))
        await (/^ALTER/.test(statement) ? change(subject, statement) : subject.engine.command(statement));
    }
    const { problems, counts } = await verified(ledger, history);
    assert.equal(problems.length, tamperings.length);
    assert.equal(counts?.intact, 0);
    for (const [index, [problem]] of tamperings.entries()) {
      const { first = 0, last = 0, problem: found = '' } = problems[index] ?? {};
      assert.match(found, problem);
      assert.ok(first <= inBatch(index) && inBatch(index) <= last);
      assert.ok(first > index * size && last <= (index + 1) * size);
    }
  });

  test('an event that was put behind the end is found', async () => {
    const { subject, ledger, history } = await chained(subjectOf);
    await subject.engine.command(
      `INSERT INTO events SELECT * REPLACE (sequence + 100000 AS sequence) FROM (SELECT * FROM events WHERE outbox_node = '${history.node}' AND sequence = 1)`,
    );
    const [found] = (await verified(ledger, history)).problems;
    assert.match(found?.problem ?? 'nothing was found', /no batch brought/);
  });
}

function recordCases(subjectOf: SubjectOf): void {
  test('records of batches that were removed or changed are found, and so is an end cut off', async () => {
    const { subject, ledger, history, size } = await chained(subjectOf);
    const where = `node = '${history.node}'`;
    await change(subject, `ALTER TABLE batches DELETE WHERE ${where} AND first = ${3 * size + 1}`);
    await change(
      subject,
      `ALTER TABLE events DELETE WHERE outbox_node = '${history.node}' AND sequence > ${3 * size}`,
    );
    assert.match((await verified(ledger, history)).problems[0]?.problem ?? '', /newest batches were removed/);
    await change(
      subject,
      `ALTER TABLE batches UPDATE digest = unhex('${'ab'.repeat(16)}') WHERE ${where} AND first = ${size + 1}`,
    );
    assert.match(
      (await verified(ledger, history)).problems[0]?.problem ?? '',
      /its record, or the one before, was changed/,
    );
    await change(subject, `ALTER TABLE batches DELETE WHERE ${where} AND first = ${size + 1}`);
    assert.match(
      (await verified(ledger, history)).problems[0]?.problem ?? '',
      /records of these batches were removed/,
    );
    await change(subject, `ALTER TABLE batches DELETE WHERE ${where} AND first = 1`);
    assert.match(
      (await verified(ledger, history)).problems[0]?.problem ?? '',
      /what came before was removed/,
    );
  });

  test('another key makes no chain that holds', async () => {
    const { subject, history } = await chained(subjectOf);
    const forger = ledgerOver(subject.engine, installationKey(Buffer.alloc(32, 8)));
    assert.ok((await verified(forger, history)).problems.length > 0);
  });
}

export function amendmentCases(subjectOf: SubjectOf): void {
  test('retention, erasure and anonymising amend the chain, and shorten it where everything is gone', async () => {
    const { subject, ledger, history } = await chained(subjectOf);
    const { tenantId } = tenantOf(history);
    const { maintenance } = ledger;
    const at = history.events.reduce((latest, event) => Math.max(latest, event.at), 0);
    const cut = Math.floor((at - 3 * day) / day) * day;
    const before = history.events.filter((event) => event.at < cut).length;
    assert.ok(before > 0 && before < history.events.length);
    const address = history.events.at(-1)?.delivery.forwardPath.toLowerCase() ?? '';
    await maintenance.erase({
      tenantIds: [tenantId],
      address,
      erased: new Map([[tenantId, 'erased@erased.invalid']]),
      spared: [],
      hold,
    });
    const erased = await verified(ledger, history);
    assert.deepEqual(erased.problems, []);
    assert.ok((erased.counts?.amended ?? 0) > 0);
    await maintenance.anonymise({ groups: [{ tenantIds: [tenantId], before: cut }], spared: [] });
    assert.deepEqual((await verified(ledger, history)).problems, []);
    const ended = `ALTER TABLE deliveries UPDATE state = 'delivered' WHERE tenant_id = ${tenantId} AND state IN ('queued', 'held', 'deferred')`;
    await change(subject, ended);
    const removals = [{ table: 'events' as const, tenantIds: [tenantId], before: at + day }];
    const options = { removals, spared: [], hold };
    assert.equal((await maintenance.removeOld(options)).events, history.events.length);
    const gone = await verified(ledger, history);
    assert.deepEqual(gone.problems, []);
    assert.deepEqual(gone.counts, {
      node: history.node,
      batches: 4,
      intact: 0,
      amended: 0,
      expired: 4,
      before: 0,
    });
    const [left] = await subject.engine.ask('SELECT count() FROM batches WHERE node = {node:String}', {
      node: history.node,
    });
    assert.deepEqual(left, [1]);
    const events = history.events
      .slice(0, 3)
      .map((event, index) => ({ ...event, sequence: history.events.length + 1 + index }));
    await ledgerOver(subject.engine, key).append({
      node: history.node,
      first: events[0]?.sequence ?? 0,
      last: history.events.length + 3,
      events,
    });
    assert.deepEqual(
      (await verified(ledger, { ...history, events: [...history.events, ...events] })).problems,
      [],
    );
  });
}

function interruptedCases(subjectOf: SubjectOf): void {
  test('a change that a crash interrupted is told, and completed by the next', async () => {
    const { subject, ledger, history } = await chained(subjectOf);
    const { tenantId } = tenantOf(history);
    const failing = {
      ...subject.engine,
      command: (...[statement, values]: Parameters<typeof subject.engine.command>) =>
        statement.startsWith('ALTER TABLE events')
          ? Promise.reject(new LedgerFault('unavailable', 'gone'))
          : subject.engine.command(statement, values),
    };
    const anonymising = { groups: [{ tenantIds: [tenantId], before: Date.UTC(2030, 0) }], spared: [] };
    await assert.rejects(ledgerOver(failing, key).maintenance.anonymise(anonymising), /gone/);
    assert.match((await verified(ledger, history)).problems[0]?.problem ?? '', /interrupted/);
    await ledger.maintenance.anonymise(anonymising);
    assert.deepEqual((await verified(ledger, history)).problems, []);
  });
}
