import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, renderTable, shownTime, wrapped } from './table.ts';

test('columns are as wide as their widest cell, the last one is not padded', () => {
  assert.equal(
    renderTable(
      ['ID', 'NAME'],
      [
        ['1', 'acme'],
        ['12', 'b'],
      ],
      80,
    ),
    'ID  NAME\n1   acme\n12  b\n',
  );
});

test('a line that is too long for the terminal is cut', () => {
  assert.equal(renderTable(['A', 'B'], [['1', 'abcdefgh']], 8), 'A  B\n1  abcd…\n');
});

test('what others wrote cannot steer the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\nc\u202ed\u0007'), 'a\\u001b[2Jb\\u000d c\\u202ed\\u0007');
  assert.ok(!renderTable(['X'], [['\u001b]0;x\u0007']], 80).includes('\u001b'));
});

test('times are UTC to the second', () => {
  assert.equal(shownTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), '2026-01-02 03:04:05Z');
  assert.equal(shownTime(null), '-');
});

test('text is wrapped between words', () => {
  assert.equal(wrapped('one two three', 9, '  '), '  one two\n  three\n');
  assert.equal(wrapped('unbreakable', 4), 'unbreakable\n');
});
