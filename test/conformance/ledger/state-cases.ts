/** The rule of states (canonical model, section 4) holds whatever is appended, in whatever order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeliveryState, EventType, MailEvent } from '../../../src/events/event.ts';
import { batchesOf, generateHistory, play } from '../../support/histories.ts';
import { fold } from './reference.ts';
import { allTime, everything, inOneMonth, type SubjectOf, simplePlan, tenantOf } from './subject.ts';

export function stateCases(subjectOf: SubjectOf): void {
  test('the state only moves as the rule allows, in whatever order events come', async () => {
    const subject = subjectOf();
    const property = fc.asyncProperty(disorderedLives, fc.boolean(), async (types, backwards) => {
      const history = subject.own({ events: disorderedEvents(types) });
      const batches = batchesOf(history, 3);
      for (const batch of backwards ? batches.toReversed() : batches) await subject.ledger.append(batch);
      const { rows, ruleBreaks } = fold(history.events);
      const scope = tenantOf(history);
      assert.deepEqual((await subject.ledger.deliveries(scope, {}, everything)).rows, rows);
      assert.equal(await subject.ledger.countRuleBreaks(scope, allTime.from, allTime.to), ruleBreaks);
    });
    await fc.assert(property, { numRuns: 10 });
  });

  test('a DSN that came in at another node moves the state, whatever the sequences there', async () => {
    const subject = subjectOf();
    const [, delivered, returned] = disorderedEvents(['accepted', 'delivered', 'returned']);
    assert.ok(delivered && returned);
    const here = subject.own({ events: [{ ...delivered, sequence: 5000 }] });
    const scope = tenantOf(here);
    const there = { ...returned, sequence: 1, mail: { ...returned.mail, ...scope } };
    await subject.ledger.append({ node: `${here.node}-b`, first: 1, last: 1, events: [there] });
    await subject.ledger.append({ ...here, first: 5000, last: 5000 });
    const { rows } = await subject.ledger.deliveries(scope, {}, everything);
    assert.deepEqual(
      rows.map(({ delivery }) => delivery.state),
      ['failed'],
    );
    assert.equal(await subject.ledger.countRuleBreaks(scope, allTime.from, allTime.to), 0);
  });

  lateCases(subjectOf);

  test('two nodes may write the same sequence in the same millisecond', async () => {
    const subject = subjectOf();
    const { events, node } = subject.own(generateHistory(31, { ...inOneMonth, mails: 12, tenants: 1 }));
    const twin = events.map((event) => ({
      ...event,
      mail: { ...event.mail, mailId: event.mail.mailId + 128 },
    }));
    await subject.append({ node: `${node}-a`, events });
    await subject.append({ node: `${node}-b`, events: twin });
    const found = await subject.allEvents(tenantOf({ node, events }), 3);
    const names = (list: readonly MailEvent[]) =>
      list.map(({ mail, sequence }) => `${mail.mailId} ${sequence}`).sort();
    assert.deepEqual(names(found), names([...events, ...twin]));
  });
}

/** What comes long after, and what comes from clocks that disagree. */
function lateCases(subjectOf: SubjectOf): void {
  test('a DSN days later moves the state, an open after two months does not; each counts when it happened', async () => {
    const subject = subjectOf();
    const [accepted, delivered, returned] = disorderedEvents(['accepted', 'delivered', 'returned']);
    assert.ok(accepted && delivered && returned);
    const day = 86_400_000;
    const engagement = {
      ...{ clientIp: '192.0.2.1', userAgent: 'a', device: 'desktop' as const, client: '', os: '' },
      ...{ isBot: false, country: 'de', url: '' },
    };
    const opened = { ...delivered, type: 'opened' as const, at: accepted.at + 60 * day, engagement };
    const late = [accepted, delivered, { ...returned, at: accepted.at + 3 * day }, opened];
    const events = late.map((event, index) => ({ ...event, sequence: index + 1 }));
    const history = subject.own({ events });
    const scope = tenantOf(history);
    for (const batch of batchesOf(history, 1)) await subject.ledger.append(batch);
    await subject.assertHolds(history.events);
    const [row] = (await subject.ledger.deliveries(scope, {}, everything)).rows;
    assert.deepEqual([row?.delivery.state, row?.engagement.opens], ['failed', 1]);
    const question = { types: ['returned', 'opened'] as const, unit: 'day' as const, zone: 'UTC' };
    const counts = await subject.ledger.countByBucket(scope, question);
    const days = counts.map(({ type, bucketAt, unique }) => [
      type,
      Math.floor((bucketAt - accepted.at) / day),
      unique,
    ]);
    assert.deepEqual(
      days.sort(),
      [
        ['opened', 60, 1],
        ['returned', 3, 0],
      ].sort(),
    );
    assert.equal(await subject.ledger.countRuleBreaks(scope, allTime.from, allTime.to), 0);
  });

  test('a node whose clock is behind does not take a state back', async () => {
    const subject = subjectOf();
    const [accepted, delivered, returned] = disorderedEvents(['accepted', 'delivered', 'returned']);
    assert.ok(accepted && delivered && returned);
    const here = subject.own({
      events: [
        { ...accepted, sequence: 1 },
        { ...delivered, sequence: 2 },
      ],
    });
    const scope = tenantOf(here);
    const behind = {
      ...returned,
      sequence: 1,
      at: accepted.at - 3_600_000,
      mail: { ...returned.mail, ...scope },
    };
    await subject.append(here);
    await subject.ledger.append({ node: `${here.node}-behind`, first: 1, last: 1, events: [behind] });
    const { rows } = await subject.ledger.deliveries(scope, {}, everything);
    assert.deepEqual(
      rows.map(({ delivery }) => delivery.state),
      ['failed'],
    );
    const found = await subject.allEvents(scope);
    assert.deepEqual(
      found.map(({ type }) => type),
      ['returned', 'accepted', 'delivered'],
      'by their own times',
    );
    assert.equal(await subject.ledger.countRuleBreaks(scope, allTime.from, allTime.to), 0);
  });
}

const naturalStates = {
  held: 'held',
  released: 'queued',
  attempted: 'queued',
  deferred: 'deferred',
  delivered: 'delivered',
  failed: 'failed',
  expired: 'expired',
  canceled: 'canceled',
  returned: 'failed',
} as const satisfies Partial<Record<EventType, DeliveryState>>;

const disorderedLives = fc
  .array(fc.constantFrom(...(Object.keys(naturalStates) as (keyof typeof naturalStates)[])), { maxLength: 8 })
  .map((types) => ['accepted' as const, ...types]);

/**
 * One delivery whose events claim the states their types stand for, whether or not the rule allows it.
 * `deliveredAt` is that of the queue's own row, which does keep the rule.
 */
function disorderedEvents(types: readonly ('accepted' | keyof typeof naturalStates)[]): MailEvent[] {
  const [pattern] = play([simplePlan(Date.UTC(2025, 5, 1), 0)]).events;
  assert.ok(pattern);
  let state: DeliveryState = 'queued';
  let deliveredAt: number | null = null;
  return types.map((type, index) => {
    const claimed: DeliveryState = type === 'accepted' ? 'queued' : naturalStates[type];
    const at = pattern.at + index * 1000;
    const isOpen = state === 'queued' || state === 'held' || state === 'deferred';
    const moves: boolean = isOpen
      ? type !== 'returned' || claimed === 'failed'
      : state === 'delivered' && type === 'returned';
    if (moves) {
      state = claimed;
      if (type === 'delivered') deliveredAt = at;
    }
    const facts = { state: claimed, stateAt: at, deliveredAt: type === 'delivered' ? at : deliveredAt };
    return { ...pattern, sequence: index + 1, type, at, delivery: { ...pattern.delivery, ...facts } };
  });
}
