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
