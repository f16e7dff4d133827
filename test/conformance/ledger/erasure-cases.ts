/** Retention, legal hold, erasure and anonymising: what goes, what stays, and that counts are what they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRows } from '../../../src/ledger/event-row.ts';
import { LedgerFault, ledgerOver } from '../../../src/ledger/ledger.ts';
import { rebuildProjections } from '../../../src/ledger/rebuild.ts';
import { eventColumnNames } from '../../../src/ledger/schema/0001-events.ts';
import { eventSelection, readEvent } from '../../support/event-facts.ts';
import { play } from '../../support/histories.ts';
import {
  allTime,
  everything,
  type Subject,
  type SubjectOf,
  simplePlan,
  sorted,
  tenantOf,
} from './subject.ts';

const hold = <T>(work: () => Promise<T>) => work();
const day = 86_400_000;
const start = Date.UTC(2025, 4, 28, 6);

/** A mail on each of many days, delivered and opened. */
function daily(days: number) {
  return Array.from({ length: days }, (_, index) => {
    const plan = simplePlan(start + index * day, index);
    const engagements = [{ type: 'opened' as const, afterMs: 60_000, variant: index }];
    return {
      ...plan,
      tags: ['a'],
      deliveries: plan.deliveries.map((one) => ({ ...one, fate: 'delivered' as const, engagements })),
    };
  });
}

/** Events that were changed stand there as they would had they been appended so: each fact once. */
async function assertStoredAsAppended(subject: Subject, node: string): Promise<void> {
  const facts = await subject.engine.ask(
    `SELECT ${eventSelection.join(', ')} FROM events WHERE outbox_node = {node:String} ORDER BY sequence`,
    { node },
  );
  const stored = await subject.engine.answer(
    `SELECT ${eventColumnNames.join(', ')} FROM events WHERE outbox_node = '${node}' ORDER BY sequence FORMAT RowBinary`,
    [],
  );
  const events = facts.map((cells) => readEvent(cells).event);
  assert.equal(stored, encodeRows(node, events).toString());
}

export function erasureCases(subjectOf: SubjectOf): void {
  retentionCases(subjectOf);
  sparingCases(subjectOf);
  eraseCases(subjectOf);
  interruptedCases(subjectOf);
  anonymiseCases(subjectOf);
}

function retentionCases(subjectOf: SubjectOf): void {
  test('what is too old goes, by the day, and nothing else; the rest still agrees, also after a rebuild', async () => {
    const subject = subjectOf();
    const { engine, ledger } = subject;
    const history = subject.own(play(daily(6)));
    const scope = tenantOf(history);
    await subject.append(history);
    const other = subject.own(play(daily(2)));
    await subject.append(other);
    const before = Date.UTC(2025, 5, 1);
    const removals = (['events', 'deliveries', 'counters'] as const).map((table) => ({
      table,
      tenantIds: [scope.tenantId],
      before,
    }));
    const options = { removals, spared: [], hold };
    const counted = await ledger.maintenance.countOld(options);
    const old = history.events.filter(({ at }) => at < before);
    assert.equal(counted.events, old.length);
    assert.equal(counted.deliveries, 4);
    assert.deepEqual(await ledger.maintenance.removeOld(options), counted);
    const kept = history.events.filter(({ at }) => at >= before);
    const look = async () => {
      assert.deepEqual(
        (await subject.allEvents(scope)).map(({ sequence }) => sequence),
        kept.map(({ sequence }) => sequence),
      );
      const { rows } = await ledger.deliveries(scope, {}, everything);
      assert.equal(rows.length, 2);
      assert.ok(rows.every(({ engagement }) => engagement.opens === 1));
      const counts = await ledger.countByBucket(scope, { types: ['delivered'], unit: 'all', zone: 'UTC' });
      assert.equal(
        counts.reduce((sum, { count }) => sum + count, 0),
        2,
      );
      assert.deepEqual((await ledger.maintenance.compare({ hold, queue: null })).differences, []);
    };
    await look();
    await rebuildProjections(engine, { hold });
    await look();
    await subject.assertHolds(other.events);
  });

  test('statistics outlive the events they were counted from, also through a rebuild', async () => {
    const subject = subjectOf();
    const history = subject.own(play(daily(6)));
    const scope = tenantOf(history);
    await subject.append(history);
    const question = { types: ['delivered', 'opened'] as const, unit: 'day' as const, zone: 'UTC' };
    const counts = async () => {
      const rows = sorted(await subject.ledger.countByBucket(scope, question));
      return rows.map(({ bucketAt, type, count }) => ({ bucketAt, type, count }));
    };
    const told = await counts();
    const removals = [{ table: 'events' as const, tenantIds: [scope.tenantId], before: start + 30 * day }];
    await subject.ledger.maintenance.removeOld({ removals, spared: [], hold });
    assert.deepEqual(await counts(), told);
    await rebuildProjections(subject.engine, { hold });
    assert.deepEqual(await counts(), told);
    assert.equal((await subject.ledger.deliveries(scope, {}, everything)).total, 6);
    assert.deepEqual((await subject.ledger.maintenance.compare({ hold, queue: null })).differences, []);
  });
}

function sparingCases(subjectOf: SubjectOf): void {
  test('what is held or still queued stays, however old', async () => {
    const subject = subjectOf();
    const plans = [...daily(2), simplePlan(start, 7)];
    const history = subject.own(play(plans));
    const scope = tenantOf(history);
    await subject.append(history);
    const [held, , queued] = [...new Set(history.events.map(({ mail }) => mail.mailId))].sort(
      (a, b) => a - b,
    );
    assert.ok(held !== undefined && queued !== undefined);
    const open = history.events.find(
      ({ delivery, mail }) =>
        delivery.state === 'queued' &&
        !history.events.some((event) => event.mail.mailId === mail.mailId && event.type === 'delivered'),
    );
    const spared = history.events.find(({ type }) => type === 'delivered')?.mail.mailId ?? 0;
    const removals = (['events', 'deliveries'] as const).map((table) => ({
      table,
      tenantIds: [scope.tenantId],
      before: start + 9 * day,
    }));
    await subject.ledger.maintenance.removeOld({ removals, spared: [spared], hold });
    const left = new Set((await subject.allEvents(scope)).map(({ mail }) => mail.mailId));
    assert.deepEqual([...left].sort(), [spared, open?.mail.mailId].sort());
    assert.equal((await subject.ledger.deliveries(scope, {}, everything)).total, 2);
  });

  test('mails are counted by their first forward-path, and those of which only a later one is left as well', async () => {
    const subject = subjectOf();
    const history = subject.own(play(daily(3)));
    const scope = tenantOf(history);
    await subject.append(history);
    const removals = [{ table: 'deliveries' as const, tenantIds: [scope.tenantId], before: start + day }];
    await subject.ledger.maintenance.removeOld({ removals, spared: [], hold });
    const [gone] = history.events;
    assert.ok(gone);
    const last = history.events.length + 1;
    const late = {
      ...gone,
      ...{ sequence: last, type: 'returned' as const, at: start + 2 * day },
      delivery: { ...gone.delivery, n: 2, state: 'failed' as const },
    };
    await subject.ledger.append({ node: history.node, first: last, last, events: [late] });
    const { total, rows } = await subject.ledger.mails(scope, {}, everything);
    assert.equal(total, rows.length);
    assert.deepEqual(
      rows.map(({ delivery }) => delivery.n),
      [2, 1, 1],
    );
  });

  test('the oldest days go until a table is small enough', async () => {
    const subject = subjectOf();
    const history = subject.own(play(daily(10)));
    const { tenantId } = tenantOf(history);
    await subject.append(history);
    const { maintenance } = subject.ledger;
    assert.equal(await maintenance.dayForSize('events', tenantId, 1e12), null);
    const none = await maintenance.dayForSize('events', tenantId, 1);
    assert.equal(none, Math.floor(start / day) * day + 10 * day);
  });
}

function eraseCases(subjectOf: SubjectOf): void {
  test('an address is taken out of every column; every count stays; somebody else with a like address stays', async () => {
    const subject = subjectOf();
    const { engine, ledger } = subject;
    const plan = simplePlan(start, 0);
    const history = subject.own(play([plan, simplePlan(start + 1000, 1), simplePlan(start + 2000, 2)]));
    const scope = tenantOf(history);
    const texts = (text: string) => ({
      reversePath: 'bounce+ann=gmail.com@a.example',
      fromField: { address: 'ANN@gmail.com', name: 'Ann' },
      toField: `"Ann Example" <Ann@Gmail.com>, ${text}`,
      replyTo: 'ann@gmail.com',
      subject: `for ${text}: ann@gmail.com!`,
      tags: ['to:ann@gmail.com', 'other'],
    });
    const events = history.events.map((event, index) => ({
      ...event,
      mail: { ...event.mail, ...texts('joann@gmail.com') },
      delivery: {
        ...event.delivery,
        forwardPath: index === 1 ? 'joann@gmail.com' : 'Ann@gmail.com',
        displayName: 'Somebody',
        diagnostic: '550 5.1.1 <ann@gmail.com>: unknown; joann@gmail.com is known',
      },
    }));
    await subject.append({ ...history, events });
    const counts = async () =>
      sorted(
        await ledger.countByBucket(scope, {
          types: ['accepted'],
          unit: 'day',
          zone: 'UTC',
          groupBy: 'provider',
        }),
      );
    const told = await counts();
    const erased = new Map([[scope.tenantId, 'erased-1@erased.invalid']]);
    const erasure = { tenantIds: [scope.tenantId], address: 'ann@gmail.com', erased, spared: [], hold };
    assert.deepEqual(await ledger.maintenance.countErasable(erasure), { events: 3, deliveries: 3 });
    await ledger.maintenance.erase(erasure);
    assert.deepEqual(await counts(), told);
    await assertStoredAsAppended(subject, history.node);
    const look = async () => {
      for (const table of ['events', 'deliveries']) {
        const rows = await engine.ask(`SELECT * FROM ${table} WHERE tenant_id = {tenantId:UInt64}`, {
          tenantId: scope.tenantId,
        });
        assert.equal(rows.length, 3);
        const text = JSON.stringify(rows);
        assert.ok(!/(?<![a-z])ann[@=]gmail\.com/i.test(text), text);
        assert.ok(!/Ann Example/.test(text));
        assert.ok(text.includes('joann@gmail.com is known'));
      }
      const { rows } = await ledger.deliveries(scope, {}, everything);
      assert.deepEqual(rows.map(({ delivery }) => delivery.forwardPath).sort(), [
        'erased-1@erased.invalid',
        'erased-1@erased.invalid',
        'joann@gmail.com',
      ]);
      assert.deepEqual(rows.map(({ delivery }) => delivery.displayName).sort(), ['', '', 'Somebody']);
      assert.equal(rows[0]?.mail.reversePath, 'bounce+erased-1@erased.invalid@a.example');
      const tags = await ledger.countByBucket(scope, {
        types: ['accepted'],
        unit: 'all',
        zone: 'UTC',
        groupBy: 'tag',
      });
      assert.deepEqual(tags.map(({ group, count }) => `${group} ${count}`).sort(), [
        'other 3',
        'to:erased-1@erased.invalid 3',
      ]);
      assert.deepEqual((await ledger.maintenance.compare({ hold, queue: null })).differences, []);
    };
    await look();
    await rebuildProjections(engine, { hold });
    await look();
    assert.deepEqual(await ledger.maintenance.countErasable(erasure), { events: 0, deliveries: 0 });
  });
}

function interruptedCases(subjectOf: SubjectOf): void {
  test('tags that were being erased when the process died are counted once, and then gone', async () => {
    const subject = subjectOf();
    const { engine } = subject;
    const plans = [0, 1].map((variant) => ({
      ...simplePlan(start + variant * 1000, variant),
      tags: ['to:ann@gmail.com', 'other'],
    }));
    const history = subject.own(play(plans));
    const scope = tenantOf(history);
    await subject.append(history, 1);
    const byTag = async () => {
      const question = {
        types: ['accepted'] as const,
        unit: 'all' as const,
        zone: 'UTC',
        groupBy: 'tag' as const,
      };
      return (await subject.ledger.countByBucket(scope, question))
        .map(({ group, count }) => `${group} ${count}`)
        .sort();
    };
    const dying = {
      ...engine,
      command: (...[statement, values]: Parameters<typeof engine.command>) =>
        statement.startsWith('ALTER TABLE counters')
          ? Promise.reject(new LedgerFault('unavailable', 'gone'))
          : engine.command(statement, values),
    };
    const erased = new Map([[scope.tenantId, 'erased-1@erased.invalid']]);
    const erasure = { tenantIds: [scope.tenantId], address: 'ann@gmail.com', erased, spared: [], hold };
    for (let turn = 0; turn < 2; turn += 1) {
      await assert.rejects(ledgerOver(dying).maintenance.erase(erasure), /gone/);
      assert.deepEqual(await byTag(), ['other 2', 'to:erased-1@erased.invalid 2']);
    }
    await subject.ledger.maintenance.erase(erasure);
    assert.deepEqual(await byTag(), ['other 2', 'to:erased-1@erased.invalid 2']);
    const left =
      'SELECT count() FROM counters WHERE tenant_id = {tenantId:UInt64} AND has(tags, {tag:String})';
    assert.deepEqual(await engine.ask(left, { ...scope, tag: 'to:ann@gmail.com' }), [[0]]);
    assert.deepEqual((await subject.ledger.maintenance.compare({ hold, queue: null })).differences, []);
  });
}

function anonymiseCases(subjectOf: SubjectOf): void {
  test('anonymised mail has no recipients any more, and all its counts', async () => {
    const subject = subjectOf();
    const { ledger } = subject;
    const history = subject.own(play(daily(4)));
    const scope = tenantOf(history);
    await subject.append(history);
    const totals = async () => ledger.mailTotals(scope, allTime.from, allTime.to);
    const told = await totals();
    const before = start + 1.5 * day;
    const anonymising = { groups: [{ tenantIds: [scope.tenantId], before }], spared: [] };
    assert.equal((await ledger.maintenance.countNamed(anonymising)).deliveries, 2);
    await ledger.maintenance.anonymise(anonymising);
    assert.deepEqual(await totals(), told);
    await assertStoredAsAppended(subject, history.node);
    const look = async () => {
      const { rows } = await ledger.deliveries(scope, {}, everything);
      assert.deepEqual(
        rows.map(({ delivery }) => delivery.forwardPath),
        ['anonymous@erased.invalid', 'anonymous@erased.invalid', 'ann@gmail.com', 'ann@gmail.com'],
      );
      assert.deepEqual(
        rows.map(({ engagement }) => engagement.opens),
        [1, 1, 1, 1],
      );
      const events = await subject.allEvents(scope);
      const old = events.filter(({ mail }) => mail.acceptedAt < before);
      assert.ok(
        old.every(
          ({ engagement }) => engagement === null || engagement.clientIp + engagement.userAgent === '',
        ),
      );
      assert.ok(!/ann@gmail/.test(JSON.stringify(old)));
      assert.ok(events.every(({ delivery }) => delivery.domain === 'gmail.com'));
    };
    await look();
    await rebuildProjections(subject.engine, { hold });
    await look();
    assert.deepEqual(await ledger.maintenance.countNamed(anonymising), { events: 0, deliveries: 0 });
  });
}
