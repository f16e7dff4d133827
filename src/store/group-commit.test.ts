import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createGroupCommit, openStore } from './store.ts';

function temporaryStore(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-store-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

const insert = 'INSERT INTO operators (name, password_hash, created_at) VALUES (?, ?, 0)';

test('operations of one turn are committed in one transaction', async (t) => {
  const store = temporaryStore(t);
  let commits = 0;
  const commit = createGroupCommit(store, () => {
    commits += 1;
  });
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => commit.run(() => store.run(insert, name, ''))));
  assert.equal(commits, 1);
  assert.equal(store.all('SELECT * FROM operators').length, 100);
});

test('one operation that fails takes nobody else with it', async (t) => {
  const store = temporaryStore(t);
  const commit = createGroupCommit(store);
  const outcomes = await Promise.allSettled([
    commit.run(() => store.run(insert, 'first', '')),
    commit.run(() => {
      store.run(insert, 'half', '');
      throw new Error('no');
    }),
    commit.run(() => store.run(insert, 'last', '')),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    store.all('SELECT name FROM operators ORDER BY name').map((row) => row['name']),
    ['first', 'last'],
  );
});

test('content that cannot be made durable is not committed', async (t) => {
  const store = temporaryStore(t);
  const commit = createGroupCommit(store, () => {
    throw new Error('no space left on device');
  });
  await assert.rejects(
    commit.run(() => store.run(insert, 'name', '')),
    /no space left/,
  );
  assert.equal(store.all('SELECT * FROM operators').length, 0);
});

test('drain waits for what was handed in', async (t) => {
  const store = temporaryStore(t);
  const commit = createGroupCommit(store);
  void commit.run(() => store.run(insert, 'name', ''));
  await commit.drain();
  assert.equal(store.all('SELECT * FROM operators').length, 1);
});
