/** Any question about a history of many tenants is answered as plain counting answers it. */
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import fc from 'fast-check';
import type { MailEvent } from '../../../src/events/event.ts';
import type { EventCursor, EventFilter, Page, Scope } from '../../../src/ledger/question.ts';
import { generateHistory } from '../../support/histories.ts';
import { countQuestions, deliveryFilters, eventFilters, pages, scopes } from './questions.ts';
import {
  countByBucket,
  deliveries,
  eventsOf,
  fold,
  mails,
  mailTotals,
  queue,
  type Reference,
  top,
} from './reference.ts';
import { allTime, everything, type Subject, type SubjectOf, sorted } from './subject.ts';

const plainly = { deliveries, mails, queue };
const kinds = ['deliveries', 'mails', 'queue'] as const;

/** The history all of these cases ask about. */
interface Asked {
  subject: Subject;
  events: MailEvent[];
  folded: Reference;
}

export function questionCases(subjectOf: SubjectOf): void {
  suite('questions', () => {
    let asked: Asked;
    before(async () => {
      const subject = subjectOf();
      const history = subject.own(generateHistory(21, { mails: 400, tenants: 3, latenessMs: 60_000 }));
      await subject.append(history);
      asked = { subject, events: history.events, folded: fold(history.events) };
    });
    for (const kind of kinds) test(`${kind}: any filter, any page`, () => askPages(asked, kind));
    for (const kind of kinds)
      test(`${kind}: many superseded rows change no page`, () => askAmidVersions(asked, kind));
    test('countByBucket: any zone, unit, range, dimension', () => askCounts(asked));
    test('mailTotals and top: any range', () => askTotals(asked));
    test('events: any filter, in either direction, in pages of any size', () => askEvents(asked));
    test('a mail by its id, but not of that time', () => askOutOfRange(asked));
    test('no question shows another tenant', () => askAsStranger(asked));
    test('the history broke no rule', () => askForRuleBreaks(asked));
  });
}

async function askOutOfRange({ subject, events }: Asked): Promise<void> {
  const [event] = events;
  assert.ok(event);
  const { tenantId, mailId, acceptedAt } = event.mail;
  for (const range of [{ from: acceptedAt + 1 }, { to: acceptedAt }]) {
    for (const kind of ['deliveries', 'mails'] as const) {
      const page = await subject.ledger[kind]({ tenantId }, { mailId, ...range }, everything);
      assert.deepEqual(page, { total: 0, rows: [] });
    }
  }
}

function askPages({ subject, events, folded }: Asked, kind: (typeof kinds)[number]): Promise<void> {
  const property = fc.asyncProperty(
    scopes(events),
    deliveryFilters(events),
    pages,
    async (scope, filter, page) => {
      assert.deepEqual(
        await subject.ledger[kind](scope, filter, page),
        plainly[kind](folded, scope, filter, page),
      );
    },
  );
  return fc.assert(property, { numRuns: 40 });
}

/** As if each delivery had been appended in hundreds of batches and none of them merged yet. */
async function askAmidVersions(
  { subject, events, folded }: Asked,
  kind: (typeof kinds)[number],
): Promise<void> {
  const { engine, ledger } = subject;
  const [tenantId = 0] = events.map(({ mail }) => mail.tenantId);
  await engine.command('SYSTEM STOP MERGES deliveries');
  await engine.command(
    `INSERT INTO deliveries
SELECT * REPLACE (toUInt64(arrayJoin(range(300)) % version) AS version)
FROM deliveries FINAL WHERE tenant_id = {tenantId:UInt64}
SETTINGS optimize_on_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0`,
    { tenantId },
  );
  for (const direction of ['ascending', 'descending'] as const) {
    for (const [offset, limit] of [
      [0, 1],
      [1, 1],
      [0, 2],
      [2, 1],
      [0, 3],
      [0, 4],
      [4, 20],
    ] as const) {
      const page = { offset, limit, direction };
      assert.deepEqual(
        await ledger[kind]({ tenantId }, {}, page),
        plainly[kind](folded, { tenantId }, {}, page),
      );
    }
  }
  await engine.command('SYSTEM START MERGES deliveries');
}

function askCounts({ subject, events }: Asked): Promise<void> {
  const property = fc.asyncProperty(scopes(events), countQuestions(events), async (scope, question) => {
    const counts = await subject.ledger.countByBucket(scope, question);
    assert.deepEqual(sorted(counts), sorted(countByBucket(events, scope, question)));
  });
  return fc.assert(property, { numRuns: 60 });
}

function askTotals({ subject, events, folded }: Asked): Promise<void> {
  const instant = fc.nat({ max: events.length - 1 }).map((index) => events[index]?.mail.acceptedAt ?? 0);
  const keys = fc.constantFrom('reversePath' as const, 'origin' as const, 'forwardPath' as const);
  const property = fc.asyncProperty(
    scopes(events),
    fc.tuple(instant, instant),
    keys,
    async (scope, [from, to], key) => {
      assert.deepEqual(await subject.ledger.mailTotals(scope, from, to), mailTotals(folded, scope, from, to));
      const ranking = top(folded, scope, key, { from, to }).slice(0, 5);
      assert.deepEqual(await subject.ledger.top(scope, key, from, to, 5), ranking);
    },
  );
  return fc.assert(property, { numRuns: 20 });
}

function askEvents({ subject, events }: Asked): Promise<void> {
  const direction = fc.constantFrom('ascending' as const, 'descending' as const);
  const sizes = fc.constantFrom(7, 100, 10_000);
  const filters = eventFilters(events);
  const property = fc.asyncProperty(scopes(events), filters, direction, sizes, async (...question) => {
    const [scope, filter, way, size] = question;
    const ascending = eventsOf(events, scope, filter);
    const wanted = way === 'ascending' ? ascending : ascending.toReversed();
    const found = await firstPages(subject, { scope, filter, direction: way, size });
    assert.deepEqual(found, wanted.slice(0, 5 * size));
  });
  return fc.assert(property, { numRuns: 20 });
}

interface Reading {
  scope: Scope;
  filter: EventFilter;
  direction: Page['direction'];
  size: number;
}

/** At most five pages. */
async function firstPages(
  { ledger }: Subject,
  { scope, filter, direction, size }: Reading,
): Promise<MailEvent[]> {
  const found: MailEvent[] = [];
  let cursor: EventCursor | null = null;
  for (let turn = 0; turn < 5; turn += 1) {
    const page = await ledger.events(scope, filter, direction, cursor, size);
    found.push(...page.events);
    cursor = page.next;
    if (cursor === null) break;
  }
  return found;
}

async function askAsStranger({ subject: { ledger }, events }: Asked): Promise<void> {
  const [tenantId = 0] = events.map(({ mail }) => mail.tenantId);
  const foreign = events.find(({ mail }) => mail.tenantId !== tenantId)?.mail;
  assert.ok(foreign);
  const { streamId, sendingDomain, mailId } = foreign;
  for (const scope of [{ tenantId: 999_999 }, { tenantId, streamId }, { tenantId, sendingDomain }]) {
    for (const kind of kinds) {
      assert.deepEqual(await ledger[kind](scope, {}, everything), { total: 0, rows: [] });
      const status = [{ states: ['delivered' as const], engaged: true }];
      assert.equal((await ledger[kind](scope, { status }, everything)).total, 0);
    }
    assert.deepEqual((await ledger.events(scope, {}, 'ascending', null, 10)).events, []);
    const question = { types: ['accepted', 'opened'] as const, unit: 'all' as const, zone: 'UTC' };
    assert.deepEqual(await ledger.countByBucket(scope, question), []);
    assert.deepEqual(await ledger.mailTotals(scope, allTime.from, allTime.to), { accepted: 0, delivered: 0 });
    assert.deepEqual(await ledger.top(scope, 'origin', allTime.from, allTime.to, 10), []);
  }
  assert.equal((await ledger.deliveries({ tenantId }, { mailId }, everything)).total, 0);
  assert.deepEqual((await ledger.events({ tenantId }, { mailId }, 'ascending', null, 10)).events, []);
}

async function askForRuleBreaks({ subject, events }: Asked): Promise<void> {
  for (const tenantId of new Set(events.map(({ mail }) => mail.tenantId))) {
    assert.equal(await subject.ledger.countRuleBreaks({ tenantId }, allTime.from, allTime.to), 0);
  }
}
