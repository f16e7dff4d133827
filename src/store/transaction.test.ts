import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openStore, type Store } from './store.ts';

describe('a transaction of the store', () => {
  let folder: string;
  let store: Store;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-store-'));
    store = openStore(join(folder, 'waybill.sqlite'));
  });
  after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    store.run('DELETE FROM operators');
  });

  const insert = (name: string) =>
    store.run('INSERT INTO operators (name, password_hash, created_at) VALUES (?, ?, ?)', name, '', 0);
  const names = () => store.all('SELECT name FROM operators ORDER BY name').map((row) => row['name']);
  const failing = (work: () => void) => () => {
    store.transaction(() => {
      work();
      throw new Error('stop');
    });
  };

  test('returns what its work returns, and keeps it', () => {
    assert.equal(
      store.transaction(() => insert('a').changes),
      1,
    );
    assert.deepEqual(names(), ['a']);
  });

  test('is undone by a throw', () => {
    assert.throws(
      failing(() => insert('a')),
      /stop/,
    );
    assert.deepEqual(names(), []);
  });

  test('within another one is a part of it: the outer throw undoes both', () => {
    assert.throws(
      failing(() => store.transaction(() => insert('a'))),
      /stop/,
    );
    assert.deepEqual(names(), []);
  });

  test('within another one is undone alone when the outer one goes on', () => {
    store.transaction(() => {
      insert('a');
      assert.throws(
        failing(() => insert('b')),
        /stop/,
      );
      store.transaction(() => insert('c'));
    });
    assert.deepEqual(names(), ['a', 'c']);
  });

  test('nests more than once', () => {
    store.transaction(() => {
      store.transaction(() => {
        insert('a');
        assert.throws(
          failing(() => insert('b')),
          /stop/,
        );
      });
    });
    assert.deepEqual(names(), ['a']);
  });
});
