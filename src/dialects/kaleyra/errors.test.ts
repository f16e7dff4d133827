import assert from 'node:assert/strict';
import test from 'node:test';
import { badRequest, errorBody, unknownMessage } from './errors.ts';

test('a refusal keeps the envelope of every reply', () => {
  assert.deepEqual(errorBody(unknownMessage), {
    data: [],
    error: { code: '404', message: 'No message has this id' },
  });
  assert.deepEqual(errorBody(badRequest('page is too high')).error, {
    code: '400',
    message: 'page is too high',
  });
});
