import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { deliveryRow, rowsOf } from '../../../test/support/delivery-rows.ts';
import { historyArbitrary } from '../../../test/support/histories.ts';
import { deliveryStates } from '../../events/event.ts';
import { reasons } from '../../events/reason.ts';
import type { DeliveryRow, StatusCondition } from '../../ledger/ledger.ts';
import { conditionsOf, descriptionOf, shortTextOf, statusWords, wordOf } from './words.ts';

/** As the ledger understands a condition; told here again on purpose. */
function matches(condition: StatusCondition, { delivery, engagement }: DeliveryRow): boolean {
  if (!condition.states.some((state) => state === delivery.state)) return false;
  if (condition.reasons && !condition.reasons.some((reason) => reason === delivery.reason)) return false;
  if (condition.exceptReasons?.some((reason) => reason === delivery.reason)) return false;
  return (
    condition.engaged === undefined || condition.engaged === (engagement.opens > 0 || engagement.clicks > 0)
  );
}

function wordsFinding(row: DeliveryRow): string[] {
  return statusWords.filter((word) => conditionsOf(word)?.some((condition) => matches(condition, row)));
}

test('exactly one word finds a row, and it is the word the row shows', () => {
  for (const state of deliveryStates) {
    for (const reason of [null, ...reasons]) {
      for (const engagement of [{}, { opens: 2 }, { clicks: 1 }]) {
        const row = deliveryRow({ state, reason }, {}, engagement);
        assert.deepEqual(wordsFinding(row), [wordOf(row)], `${state} ${reason}`);
      }
    }
  }
});

test('the same for the rows of any history', () => {
  fc.assert(
    fc.property(historyArbitrary, (history) => {
      for (const row of rowsOf(history)) assert.deepEqual(wordsFinding(row), [wordOf(row)]);
    }),
  );
});

test('each state and reason', () => {
  const table: [Parameters<typeof deliveryRow>[0], string][] = [
    [{ state: 'queued' }, 'ACCEPTED'],
    [{ state: 'held', reason: 'rate-limited' }, 'ACCEPTED'],
    [{ state: 'deferred', reason: 'greylisted' }, 'DEFERRED'],
    [{ state: 'delivered' }, 'DELIVERED'],
    [{ state: 'failed', reason: 'bounce' }, 'BOUNCE'],
    [{ state: 'failed', reason: 'espblock' }, 'BOUNCE'],
    [{ state: 'failed', reason: 'no-mx' }, 'BOUNCE'],
    [{ state: 'failed', reason: 'internal' }, 'FAILED'],
    [{ state: 'failed', reason: 'credit' }, 'FAILED'],
    [{ state: 'expired', reason: 'old' }, 'BOUNCE'],
    [{ state: 'suppressed', reason: 'suppress-complaint' }, 'SUPPRESSED'],
    [{ state: 'rejected', reason: 'sender-domain' }, 'BLOCKED'],
    [{ state: 'rejected', reason: 'deny-rule' }, 'FAILED'],
    [{ state: 'rejected', reason: 'template' }, 'FAILED'],
    [{ state: 'canceled', reason: 'canceled' }, 'FAILED'],
  ];
  for (const [facts, word] of table) assert.equal(wordOf(deliveryRow(facts)), word, JSON.stringify(facts));
});

test('an open or a click shows only on mail that arrived and stayed', () => {
  assert.equal(wordOf(deliveryRow({ state: 'delivered' }, {}, { opens: 1 })), 'OPEN');
  assert.equal(wordOf(deliveryRow({ state: 'delivered' }, {}, { clicks: 1 })), 'OPEN');
  assert.equal(
    wordOf(deliveryRow({ state: 'delivered' }, {}, { unsubscribedAt: 1, complainedAt: 1 })),
    'DELIVERED',
  );
  assert.equal(wordOf(deliveryRow({ state: 'failed', reason: 'bounce' }, {}, { opens: 1 })), 'BOUNCE');
});

test('a word is read in any letter case; other text is none', () => {
  assert.deepEqual(conditionsOf('bounce'), conditionsOf('BOUNCE'));
  for (const text of ['', 'BOUNCED', 'constructor', 'open ']) assert.equal(conditionsOf(text), null);
});

test('the texts of the vendor page, to the letter', () => {
  const bounce =
    "Message has not been delivered maybe because of wrong email address or the recipient's    inbox is full or a connection timeout from the sender\u2019s domain.";
  assert.equal(descriptionOf('ACCEPTED', null), 'Message is accepted.');
  assert.equal(descriptionOf('BOUNCE', 'bounce'), bounce);
  assert.equal(
    descriptionOf('FAILED', 'internal'),
    'Message has not been processed because maybe due to internal server error or due to insufficient balance.',
  );
  assert.equal(
    descriptionOf('BLOCKED', 'sender-domain'),
    'Message has not been delivered because sender domain is not whitelisted',
  );
  assert.equal(
    descriptionOf('FAILED', 'template'),
    'Message has not been delivered because template is not approved or deleted',
  );
  assert.equal(shortTextOf('BLOCKED', 'sender-domain'), 'invalid sender domain');
});

test('every refusal of ours has a short text; a reason left over from a retry has none', () => {
  for (const reason of reasons) {
    const facts = [
      { state: 'rejected', reason },
      { state: 'suppressed', reason },
    ] as const;
    for (const word of facts.map((one) => wordOf(deliveryRow(one)))) {
      if (/^suppress-|^(deny-rule|template|sender-domain)$/.test(reason))
        assert.notEqual(shortTextOf(word, reason), '');
    }
  }
  assert.equal(shortTextOf('DELIVERED', 'greylisted'), '');
  assert.equal(shortTextOf('ACCEPTED', 'rate-limited'), '');
});
