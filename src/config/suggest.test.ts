import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './suggest.ts';

for (const [left, right, edits] of [
  ['', 'abc', 3],
  ['listen', 'listen', 0],
  ['lisen', 'listen', 1],
  ['lsiten', 'listen', 1],
  ['kitten', 'sitting', 3],
] as const) {
  test(`"${left}" is ${edits} edits from "${right}"`, () => assert.equal(editDistance(left, right), edits));
}

const known = ['data_dir', 'smtp.listen', 'http.listen', 'smtp.max_content_bytes'];

for (const [name, near] of [
  ['smtp.lisen', 'smtp.listen'],
  ['datadir', 'data_dir'],
  ['listen', 'smtp.listen'],
  ['smtp.max_content_byte', 'smtp.max_content_bytes'],
  ['something.else', null],
] as const) {
  test(`the nearest to ${name} is ${near}`, () => assert.equal(nearest(name, known), near));
}
