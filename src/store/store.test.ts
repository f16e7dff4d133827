import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { openStore, takeInstanceLock } from './store.ts';

function temporaryDirectory(t: test.TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-store-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a new store is migrated, an existing one opens as it is', (t) => {
  const path = join(temporaryDirectory(t), 'below', 'store.sqlite');
  const first = openStore(path);
  first.run("INSERT INTO tenants (name, zone, created_at) VALUES ('acme', 'UTC', 1)");
  first.close();
  const second = openStore(path);
  assert.equal(second.get('SELECT name FROM tenants')?.['name'], 'acme');
  assert.equal(second.get('PRAGMA synchronous')?.['synchronous'], 2);
  assert.equal(second.get('PRAGMA journal_mode')?.['journal_mode'], 'wal');
  second.close();
});

test('a store from a newer program is refused, not touched', (t) => {
  const path = join(temporaryDirectory(t), 'store.sqlite');
  openStore(path).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 999');
  database.close();
  assert.throws(() => openStore(path), /version 999, newer than this program knows/);
});

test('a transaction that throws leaves nothing, and the store usable', (t) => {
  const store = openStore(join(temporaryDirectory(t), 'store.sqlite'));
  t.after(() => store.close());
  assert.throws(() =>
    store.transaction(() => {
      store.run("INSERT INTO tenants (name, zone, created_at) VALUES ('acme', 'UTC', 1)");
      throw new Error('no');
    }),
  );
  assert.equal(store.get('SELECT count(*) AS n FROM tenants')?.['n'], 0);
  store.transaction(() =>
    store.run("INSERT INTO tenants (name, zone, created_at) VALUES ('acme', 'UTC', 1)"),
  );
  assert.equal(store.get('SELECT count(*) AS n FROM tenants')?.['n'], 1);
});

test('two stores on one file see each other at once', (t) => {
  const path = join(temporaryDirectory(t), 'store.sqlite');
  const [one, other] = [openStore(path), openStore(path)];
  t.after(() => {
    one.close();
    other.close();
  });
  one.run("INSERT INTO tenants (name, zone, created_at) VALUES ('acme', 'UTC', 1)");
  assert.equal(other.get('SELECT count(*) AS n FROM tenants')?.['n'], 1);
});

test('the instance lock is held by one, and freed by SIGKILL', async (t) => {
  const path = join(temporaryDirectory(t), 'locks', 'relay.lock');
  const program = `
    import { takeInstanceLock } from ${JSON.stringify(new URL('./instance-lock.ts', import.meta.url).href)};
    process.stdout.write(takeInstanceLock(${JSON.stringify(path)}, 0) ? 'held' : 'refused');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program]);
  t.after(() => child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  assert.equal(String(said), 'held');
  assert.equal(takeInstanceLock(path, 0), null);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = takeInstanceLock(path, 1_000);
  assert.ok(lock);
  lock.release();
});
