/** Every event once, whole, whatever happened while it was appended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LedgerFault } from '../../../src/ledger/ledger.ts';
import { eventSelection, readEvent } from '../../support/event-facts.ts';
import { batchesOf, generateHistory, historyArbitrary } from '../../support/histories.ts';
import { inOneMonth, type SubjectOf, tenantOf } from './subject.ts';

export function appendCases(subjectOf: SubjectOf): void {
  test('every field of an event comes back as it was appended', async () => {
    const subject = subjectOf();
    await fc.assert(
      fc.asyncProperty(historyArbitrary, async (history) => {
        const moved = subject.own(history);
        await subject.append(moved);
        await subject.assertHolds(moved.events);
      }),
      { numRuns: 5 },
    );
  });

  test('SQL tells every fact of an event under its own name', async () => {
    const subject = subjectOf();
    await fc.assert(
      fc.asyncProperty(historyArbitrary, async (history) => {
        const moved = subject.own(history);
        await subject.append(moved);
        const rows = await subject.engine.ask(
          `SELECT ${eventSelection.join(', ')} FROM events WHERE outbox_node = {node:String} ORDER BY sequence`,
          { node: moved.node },
        );
        const appended = moved.events.toSorted((a, b) => a.sequence - b.sequence);
        assert.deepEqual(
          rows.map((cells) => readEvent(cells).event),
          appended,
        );
      }),
      { numRuns: 3 },
    );
  });

  repetitionCases(subjectOf);
  strangeCases(subjectOf);
}

export function repetitionCases(subjectOf: SubjectOf): void {
  test('a batch appended again changes nothing', async () => {
    const subject = subjectOf();
    const history = subject.own(generateHistory(11, { ...inOneMonth, mails: 40 }));
    for (const batch of batchesOf(history, 200)) {
      await subject.ledger.append(batch);
      await subject.ledger.append(batch);
    }
    await subject.append(history, 200);
    await subject.assertHolds(history.events);
  });

  for (const away of ['deliveries', 'engagement', 'totals', 'counters']) {
    test(`an append that failed at ${away} is made whole by repeating it`, async () => {
      const subject = subjectOf();
      const history = subject.own(generateHistory(12, { ...inOneMonth, mails: 40 }));
      await subject.engine.command(`RENAME TABLE ${away} TO ${away}_away`);
      await assert.rejects(subject.append(history), LedgerFault);
      await subject.engine.command(`RENAME TABLE ${away}_away TO ${away}`);
      await subject.append(history);
      await subject.assertHolds(history.events);
    });
  }

  test('a batch with a hole is refused', async () => {
    const { own, ledger } = {
      own: generateHistory(13, { ...inOneMonth, mails: 10 }),
      ledger: subjectOf().ledger,
    };
    const holed = own.events.toSpliced(3, 1);
    const last = own.events.length;
    await assert.rejects(ledger.append({ node: 'a', first: 1, last, events: holed }), /assumption broken/);
    await assert.rejects(ledger.append({ node: 'a', first: 1, last: last - 1, events: holed }), /hole/);
  });
}

function strangeCases(subjectOf: SubjectOf): void {
  test('text no decoder yields does not stop the outbox', async () => {
    const subject = subjectOf();
    const history = subject.own(
      generateHistory(14, { ...inOneMonth, mails: 1, tenants: 1, maxForwardPaths: 1 }),
    );
    const subjects = ['lone \ud800 surrogate', 'a backslash \\ud800', '\\\\udc00', 'pair \ud83d\ude00'];
    const events = subjects.flatMap((text, index) =>
      history.events
        .slice(0, 1)
        .map((event) => ({ ...event, sequence: index + 1, mail: { ...event.mail, subject: text } })),
    );
    await subject.ledger.append({ node: history.node, first: 1, last: events.length, events });
    const found = await subject.allEvents(tenantOf(history));
    assert.deepEqual(
      found.map(({ mail }) => mail.subject),
      subjects.map((text) => text.toWellFormed()),
    );
  });

  test('numbers that are not whole do not stop the outbox', async () => {
    const subject = subjectOf();
    const history = subject.own(
      generateHistory(15, { ...inOneMonth, mails: 1, tenants: 1, maxForwardPaths: 1 }),
    );
    const [event] = history.events;
    assert.ok(event);
    const mail = { ...event.mail, contentBytes: 10.4, bodyBytes: Number.NaN };
    const delivery = { ...event.delivery, replyCode: 1e9, expiresAt: Number.POSITIVE_INFINITY };
    await subject.ledger.append({ ...history, first: 1, last: 1, events: [{ ...event, mail, delivery }] });
    const [found] = await subject.allEvents(tenantOf(history));
    assert.deepEqual(found?.mail, { ...mail, contentBytes: 10, bodyBytes: 0 });
    assert.deepEqual(found?.delivery, { ...delivery, replyCode: 65_535, expiresAt: 0 });
  });
}
