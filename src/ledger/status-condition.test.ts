import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryRow } from '../../test/support/delivery-rows.ts';
import type { StatusCondition } from './question.ts';
import { statusHolds } from './status-condition.ts';

const failed = deliveryRow({ state: 'failed', reason: 'bounce' });
const delivered = deliveryRow({ state: 'delivered' });
const opened = deliveryRow({ state: 'delivered' }, {}, { opens: 2 });
const clicked = deliveryRow({ state: 'delivered' }, {}, { clicks: 1 });

const rows = { failed, delivered, opened, clicked };

test('every part of a condition must hold', () => {
  const table: [StatusCondition, (keyof typeof rows)[]][] = [
    [{ states: [] }, []],
    [{ states: ['queued'] }, []],
    [{ states: ['failed', 'delivered'] }, ['failed', 'delivered', 'opened', 'clicked']],
    [{ states: ['failed'], reasons: ['bounce', 'old'] }, ['failed']],
    [{ states: ['failed'], reasons: ['old'] }, []],
    [{ states: ['failed'], exceptReasons: ['bounce'] }, []],
    [{ states: ['failed'], exceptReasons: ['old'] }, ['failed']],
    [{ states: ['delivered'], reasons: ['bounce'] }, []],
    [{ states: ['delivered'], exceptReasons: ['bounce'] }, ['delivered', 'opened', 'clicked']],
    [{ states: ['delivered'], engaged: true }, ['opened', 'clicked']],
    [{ states: ['delivered', 'failed'], engaged: false }, ['failed', 'delivered']],
  ];
  for (const [condition, wanted] of table) {
    const found = Object.entries(rows).filter(([, row]) => statusHolds(condition, row));
    assert.deepEqual(
      found.map(([name]) => name),
      wanted,
      JSON.stringify(condition),
    );
  }
});
