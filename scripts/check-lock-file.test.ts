import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completed, type LockFile, lockFileProblems, rangeProblems } from './check-lock-file.ts';

const integrity = 'sha512-x';

function lockOf(entry: LockFile['packages'][string]): LockFile {
  return { packages: { '': { dependencies: { a: '1.0.0' } }, 'node_modules/a': entry } };
}

const manifest = { dependencies: { a: '1.0.0' } };

test('a sound lock file has no problems', () => {
  assert.deepEqual(lockFileProblems(lockOf({ version: '1.0.0', integrity, license: 'MIT' }), manifest), []);
});

for (const licence of ['MIT', '(MIT OR GPL-2.0)', 'MIT AND ISC', 'Apache-2.0', 'Unlicense']) {
  test(`licence ${licence} is fine`, () => {
    assert.deepEqual(lockFileProblems(lockOf({ integrity, license: licence }), manifest), []);
  });
}

for (const licence of ['AGPL-3.0', 'MIT AND GPL-2.0', 'UNLICENSED', '']) {
  test(`licence ${licence || '(none)'} is refused`, () => {
    assert.equal(lockFileProblems(lockOf({ integrity, license: licence }), manifest).length, 1);
  });
}

test('a registry address and a missing checksum are refused', () => {
  assert.deepEqual(
    lockFileProblems(lockOf({ resolved: 'https://registry.example/a.tgz', license: 'MIT' }), manifest),
    ['node_modules/a carries a registry address; run npm install again', 'node_modules/a has no checksum'],
  );
});

test('a dependency that the lock file does not know is refused', () => {
  const more = { ...manifest, devDependencies: { b: '2.0.0' } };
  assert.deepEqual(lockFileProblems(lockOf({ integrity, license: 'MIT' }), more), [
    'b: package.json and package-lock.json differ; run npm install',
  ]);
});

test('builds for other systems that the lock file lacks are told, and can be added', () => {
  const lock = lockOf({
    integrity,
    license: 'MIT',
    dev: true,
    optionalDependencies: { '@b/c-linux-x64-gnu': '2.0.0', 'd-win32-arm64': '3.0.0' },
  });
  assert.deepEqual(lockFileProblems(lock, manifest), [
    'node_modules/@b/c-linux-x64-gnu is missing; run node scripts/check-lock-file.ts --fix',
    'node_modules/d-win32-arm64 is missing; run node scripts/check-lock-file.ts --fix',
  ]);
  const fixed = completed(lock);
  assert.deepEqual(lockFileProblems(fixed, manifest), []);
  assert.deepEqual(Object.keys(fixed.packages), [
    '',
    'node_modules/@b/c-linux-x64-gnu',
    'node_modules/a',
    'node_modules/d-win32-arm64',
  ]);
  assert.deepEqual(fixed.packages['node_modules/@b/c-linux-x64-gnu'], {
    version: '2.0.0',
    cpu: ['x64'],
    dev: true,
    libc: ['glibc'],
    license: 'MIT',
    optional: true,
    os: ['linux'],
  });
});

test('a range is refused', () => {
  assert.deepEqual(rangeProblems({ dependencies: { a: '^1.0.0', b: '1.0.0-beta.1' } }), [
    'a: ^1.0.0 is no exact version',
  ]);
});
