import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  findPeer,
  type PeerName,
  peerCommand,
  peerNames,
  peers,
  skipWithout,
  skipWithoutTestdata,
} from './environment.ts';

/** With these variables for the time of one test. */
function withEnvironment(context: TestContext, variables: Record<string, string>): void {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  context.after(() => {
    process.env = before;
  });
}

/** A peer that no machine has. */
const absent = 'no-such-program' as PeerName;
Object.assign(peers, { [absent]: { command: 'no-such-program', debianPackage: 'none' } });

test('a program in the PATH is found, and one that cannot be run is not', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-peers-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'swaks'), '');
  withEnvironment(context, { PATH: folder });
  assert.notEqual(findPeer('swaks'), join(folder, 'swaks'));
  chmodSync(join(folder, 'swaks'), 0o755);
  assert.equal(findPeer('swaks'), join(folder, 'swaks'));
});

test('at a desk a test without its peer is left out and says how to get it', (context) => {
  withEnvironment(context, { CI: '' });
  assert.equal(skipWithout(absent), 'not installed: no-such-program (Debian package none)');
  assert.throws(() => peerCommand(absent), /not installed: no-such-program/);
});

test('in CI it runs, and so fails', (context) => {
  withEnvironment(context, { CI: 'true' });
  assert.equal(skipWithout(absent), false);
});

test('every peer names the Debian package that brings it', () => {
  for (const name of peerNames) assert.match(peers[name].debianPackage, /^[a-z0-9.+-]+$/);
});

test('a test without its data is left out, also in CI', (context) => {
  withEnvironment(context, { CI: 'true' });
  assert.match(String(skipWithoutTestdata('no-such-set')), /^no test data: .*no-such-set$/);
});
