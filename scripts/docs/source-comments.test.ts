import assert from 'node:assert/strict';
import { test } from 'node:test';
import { membersOf, table } from './source-comments.ts';

const source = `
export interface Other {
  no: string;
}

export interface Mail {
  /** In one line. */
  id: number;
  plain: string | null;
  /**
   * In several
   * lines.
   */
  nested: { address: string; name: string };
  optional?: readonly string[];
}

export const limits = {
  /** Much. */
  bytes: 4 * KiB,
  count: 1_000,
} as const;
`;

test('members of an interface are read with their comments', () => {
  assert.deepEqual(membersOf(source, 'export interface Mail {'), [
    { name: 'id', text: 'number', comment: 'In one line.' },
    { name: 'plain', text: 'string | null', comment: '' },
    { name: 'nested', text: '{ address: string; name: string }', comment: 'In several lines.' },
    { name: 'optional', text: 'readonly string[]', comment: '' },
  ]);
});

test('members of an object are read with their comments', () => {
  assert.deepEqual(membersOf(source, 'export const limits = {'), [
    { name: 'bytes', text: '4 * KiB', comment: 'Much.' },
    { name: 'count', text: '1_000', comment: '' },
  ]);
});

test('a block that is not there is a fault', () => {
  assert.throws(() => membersOf(source, 'export interface Gone {'), /holds no/);
});

test('a bar in a cell does not end it', () => {
  assert.equal(table(['A'], [['x | y']]), '| A |\n| --- |\n| x \\| y |\n');
});
