import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryRow } from '../../../test/support/delivery-rows.ts';
import { deliveryStates } from '../../events/event.ts';
import { reasons } from '../../events/reason.ts';
import type { DeliveryRow, StatusCondition } from '../../ledger/ledger.ts';
import {
  conditionsOf,
  filterSituationOf,
  situationOf,
  standardWords,
  statusWords,
  type Words,
} from './words.ts';

const everyRow: DeliveryRow[] = deliveryStates.flatMap((state) =>
  [null, ...reasons].flatMap((reason) =>
    [true, false].map((leased) => deliveryRow({ state, reason, leased })),
  ),
);

/** As the ledger understands a condition; told here again on purpose. */
function matches(condition: StatusCondition, { delivery: { state, reason } }: DeliveryRow): boolean {
  if (!condition.states.includes(state)) return false;
  if (condition.reasons && !condition.reasons.some((one) => one === reason)) return false;
  return !condition.exceptReasons?.some((one) => one === reason);
}

function wordsFinding(row: DeliveryRow, words: Words): string[] {
  return statusWords.filter((word) => conditionsOf(word, words).some((condition) => matches(condition, row)));
}

test('the five filter words partition all rows, also when the tables are changed', () => {
  const merged: Words = {
    ...standardWords,
    words: { ...standardWords.words, bounced: 'dropped', held: 'sending' },
  };
  for (const words of [standardWords, merged]) {
    for (const row of everyRow) {
      assert.deepEqual(wordsFinding(row, words), [words.words[filterSituationOf(row)]]);
    }
  }
});

test('the number of a row is one of those its filter word stands for', () => {
  const numbersOf = { sending: [1, 2, 4], warmup: [3], delivered: [6], dropped: [7], bounce: [8] };
  for (const row of everyRow) {
    const number = standardWords.numbers[situationOf(row)];
    const [word] = wordsFinding(row, standardWords);
    assert.ok(numbersOf[word as keyof typeof numbersOf].includes(number), `${word} ${number}`);
  }
});

test('each situation', () => {
  const table: [Parameters<typeof deliveryRow>[0], string, number, number][] = [
    [{ state: 'queued' }, 'sending', 1, 0],
    [{ state: 'queued', leased: true }, 'sending', 2, 0],
    [{ state: 'held', reason: 'rate-limited' }, 'warmup', 3, 0],
    [{ state: 'deferred', reason: 'greylisted' }, 'sending', 4, 0],
    [{ state: 'deferred', reason: 'greylisted', leased: true }, 'sending', 2, 0],
    [{ state: 'delivered', reason: 'greylisted' }, 'delivered', 6, 0],
    [{ state: 'failed', reason: 'bounce' }, 'bounce', 8, 1],
    [{ state: 'failed', reason: 'espblock' }, 'bounce', 8, 1],
    [{ state: 'failed', reason: 'internal' }, 'dropped', 7, 0],
    [{ state: 'failed', reason: 'credit' }, 'dropped', 7, 0],
    [{ state: 'expired', reason: 'old' }, 'dropped', 7, 0],
    [{ state: 'suppressed', reason: 'suppress-bounce' }, 'dropped', 7, 0],
    [{ state: 'rejected', reason: 'sender-domain' }, 'dropped', 7, 0],
    [{ state: 'canceled', reason: 'canceled' }, 'dropped', 7, 0],
  ];
  for (const [facts, word, number, bounce] of table) {
    const row = deliveryRow(facts);
    assert.deepEqual(
      [
        wordsFinding(row, standardWords),
        standardWords.numbers[situationOf(row)],
        standardWords.bounces[situationOf(row)],
      ],
      [[word], number, bounce],
      JSON.stringify(facts),
    );
  }
});

test('a filter word is read without regard to case; an unknown one finds nothing', () => {
  assert.deepEqual(conditionsOf('Delivered', standardWords), [{ states: ['delivered'] }]);
  for (const word of ['', 'sent', 'constructor', '6'])
    assert.deepEqual(conditionsOf(word, standardWords), []);
});
