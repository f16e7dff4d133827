import assert from 'node:assert/strict';
import test from 'node:test';
import { errorBody, errorTexts, httpStatusOf } from './errors.ts';

test('the code is quoted, or a number where the option says so', () => {
  assert.deepEqual(errorBody(101, 'string'), { status: 'error', code: '101', msg: errorTexts[101] });
  assert.deepEqual(errorBody(101, 'number'), { status: 'error', code: 101, msg: errorTexts[101] });
});

test('every code of the vendor travels with HTTP 200', () => {
  for (const code of [101, 102, 107, 108, 109, 111, 119, 151, 152] as const)
    assert.equal(httpStatusOf(code), 200);
  assert.deepEqual([httpStatusOf(413), httpStatusOf(500), httpStatusOf(503)], [413, 500, 503]);
});
