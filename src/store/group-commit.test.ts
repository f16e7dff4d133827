import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createGroupCommit, openStore } from './store.ts';

function temporaryStore(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-store-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function unexpected(fault: unknown): never {
  throw fault;
}

const insert = 'INSERT INTO operators (name, password_hash, created_at) VALUES (?, ?, 0)';

test('operations of one turn are committed in one transaction and share a sync', async (t) => {
  const store = temporaryStore(t);
  let syncs = 0;
  const sync = async () => {
    syncs += 1;
  };
  const counted = { ...store, sync };
  const commit = createGroupCommit(counted, unexpected);
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => commit.run(() => store.run(insert, name, ''))));
  assert.equal(syncs, 1);
  assert.equal(store.all('SELECT * FROM operators').length, 100);
});

test('nobody hears of a commit before it is synced, and later ones wait for the next sync', async (t) => {
  const store = temporaryStore(t);
  const order: string[] = [];
  const releases: (() => void)[] = [];
  const slow = {
    ...store,
    sync: () =>
      new Promise<void>((resolve) => {
        order.push('sync begins');
        releases.push(resolve);
      }),
  };
  const commit = createGroupCommit(slow, unexpected);
  const first = commit.run(() => store.run(insert, 'first', '')).then(() => order.push('first is told'));
  while (releases.length < 1) await turn();
  const second = commit.run(() => store.run(insert, 'second', '')).then(() => order.push('second is told'));
  for (let turns = 0; turns < 10; turns += 1) await turn();
  order.push('sync ends');
  releases[0]?.();
  while (releases.length < 2) await turn();
  await first;
  order.push('sync ends');
  releases[1]?.();
  await second;
  assert.deepEqual(order.slice(0, 2), ['sync begins', 'sync ends']);
  assert.deepEqual(order.slice(2, 4).sort(), ['first is told', 'sync begins']);
  assert.deepEqual(order.slice(4), ['sync ends', 'second is told']);
});

test('one operation that fails takes nobody else with it', async (t) => {
  const store = temporaryStore(t);
  const commit = createGroupCommit(store, unexpected);
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

test('a sync that fails is told to the process and to everyone who waited for it', async (t) => {
  const store = temporaryStore(t);
  const faults: unknown[] = [];
  const broken = { ...store, sync: () => Promise.reject(new Error('EIO')) };
  const commit = createGroupCommit(broken, (fault) => faults.push(fault));
  await assert.rejects(
    commit.run(() => store.run(insert, 'name', '')),
    /EIO/,
  );
  assert.equal(faults.length, 1);
});

test('drain waits for what was handed in', async (t) => {
  const store = temporaryStore(t);
  const commit = createGroupCommit(store, unexpected);
  void commit.run(() => store.run(insert, 'name', ''));
  await commit.drain();
  void commit.runSoon(() => store.run(insert, 'unhurried', ''));
  await commit.drain();
  assert.equal(store.all('SELECT * FROM operators').length, 2);
});

test('what nobody waits for is committed with the next group, or alone after a while', async (t) => {
  const store = temporaryStore(t);
  let syncs = 0;
  const sync = async () => {
    syncs += 1;
  };
  const commit = createGroupCommit({ ...store, sync }, unexpected);
  const unhurried = commit.runSoon(() => store.run(insert, 'unhurried', ''));
  assert.equal(commit.idle(), true);
  const hurried = commit.run(() => store.run(insert, 'hurried', ''));
  assert.equal(commit.idle(), false);
  await Promise.all([hurried, unhurried]);
  assert.equal(syncs, 1);
  await commit.runSoon(() => store.run(insert, 'alone', ''));
  assert.equal(syncs, 2);
});

test('what arrives unhurried during a sync does not wait for somebody to come', async (t) => {
  const store = temporaryStore(t);
  let during: Promise<unknown> | null = null;
  const commit = createGroupCommit(
    {
      ...store,
      sync: async () => {
        during ??= commit.runSoon(() => store.run(insert, 'second', ''));
        await turn();
      },
    },
    unexpected,
  );
  await commit.run(() => store.run(insert, 'first', ''));
  assert.ok(during);
  await during;
  assert.equal(store.all('SELECT * FROM operators').length, 2);
});
