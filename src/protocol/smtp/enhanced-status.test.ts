import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assignEnhancedStatus,
  isEnhancedStatus,
  type ReplyStage,
  splitEnhancedStatus,
} from './enhanced-status.ts';

test('a status is split from the text behind it', () => {
  assert.deepEqual(splitEnhancedStatus('5.7.26 Unauthenticated', 550), {
    status: '5.7.26',
    rest: 'Unauthenticated',
  });
  assert.deepEqual(splitEnhancedStatus('5.1.351   Remote', 550), { status: '5.1.351', rest: 'Remote' });
  assert.deepEqual(splitEnhancedStatus('2.0.0', 250), { status: '2.0.0', rest: '' });
});

for (const text of ['5.1 x', '5.1.1000 x', '3.1.1 x', '5.1.1x', ' 5.1.1 x', '', '5..1 x', '5.1.1.1']) {
  test(`no status: "${text}"`, () => assert.equal(splitEnhancedStatus(text, 550), null));
}

test('a status of another class than the code is no status', () => {
  assert.equal(splitEnhancedStatus('4.7.1 later', 550), null);
  assert.equal(splitEnhancedStatus('5.7.1 never', 450), null);
  assert.equal(splitEnhancedStatus('2.0.0 go on', 354), null);
});

const assigned: [number, ReplyStage, string][] = [
  [250, 'mail', '2.1.0'],
  [250, 'rcpt', '2.1.5'],
  [250, 'end-of-data', '2.0.0'],
  [421, 'greeting', '4.3.2'],
  [451, 'rcpt', '4.3.0'],
  [452, 'rcpt', '4.3.1'],
  [501, 'rcpt', '5.1.3'],
  [501, 'mail', '5.1.7'],
  [550, 'rcpt', '5.1.0'],
  [550, 'end-of-data', '5.0.0'],
  [552, 'rcpt', '5.2.2'],
  [552, 'end-of-data', '5.3.4'],
  [556, 'rcpt', '5.1.10'],
  [599, 'data', '5.0.0'],
];
for (const [code, stage, status] of assigned) {
  test(`${code} at ${stage} is assigned ${status}`, () => {
    assert.equal(assignEnhancedStatus(code, stage), status);
    assert.ok(isEnhancedStatus(status));
  });
}
