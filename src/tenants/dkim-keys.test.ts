import assert from 'node:assert/strict';
import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { installationKey } from '../base/secret.ts';
import { openStore } from '../store/store.ts';
import { type DkimKeyPair, generateDkimKeyPair, openTenants } from './tenants.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 10, 22, 10);

async function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-dkim-'));
  const path = join(directory, 'store.sqlite');
  const store = openStore(path);
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(start);
  const open = (seed: number) => openTenants(store, installationKey(Buffer.alloc(32, seed)), clock);
  const tenants = open(1);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  tenants.addSendingDomain(made.value.tenant.id, 'acme.test');
  const pairs = [await generateDkimKeyPair('rsa-sha256'), await generateDkimKeyPair('ed25519-sha256')];
  return {
    tenants,
    open,
    clock,
    store,
    path,
    pairs,
    own: { tenantId: made.value.tenant.id, domain: 'acme.test' },
  };
}

function granted<T>(named: { ok: true; value: T } | { ok: false; problem: string }): T {
  assert.ok(named.ok, named.ok ? '' : named.problem);
  return named.value;
}

test('keys are made pending, sign once rotated in, and leave in favour of the next', async (t) => {
  const { tenants, clock, pairs, own } = await setUp(t);
  const first = granted(tenants.addDkimKeys(own, pairs));
  assert.deepEqual(
    first.map(({ selector, algorithm, state }) => [selector, algorithm, state]),
    [
      ['wb202611a', 'rsa-sha256', 'pending'],
      ['wb202611b', 'ed25519-sha256', 'pending'],
    ],
  );
  assert.deepEqual(tenants.signingKeys(own), []);

  const begun = granted(tenants.rotateDkimKeys(own, 7 * day));
  assert.deepEqual([begun.activated.length, begun.retired.length], [2, 0]);
  assert.deepEqual(
    tenants.signingKeys(own).map(({ selector }) => selector),
    ['wb202611b', 'wb202611a'],
  );

  clock.advance(31 * day);
  const [rsa] = pairs;
  assert.ok(rsa);
  granted(tenants.addDkimKeys(own, [rsa]));
  const rotated = granted(tenants.rotateDkimKeys(own, 7 * day));
  assert.deepEqual(
    [rotated.activated, rotated.retired].map((keys) => keys.map(({ selector }) => selector)),
    [['wb202612a'], ['wb202611a']],
  );
  assert.equal(rotated.retired[0]?.publishUntil, clock.now() + 7 * day);
  assert.deepEqual(
    tenants.signingKeys(own).map(({ selector }) => selector),
    ['wb202611b', 'wb202612a'],
  );
});

test('what cannot be done is said', async (t) => {
  const { tenants, pairs, own } = await setUp(t);
  const refused = (named: { ok: boolean }) => ('problem' in named ? named.problem : 'it worked');
  assert.equal(refused(tenants.rotateDkimKeys(own, day)), 'acme.test has no pending key');
  granted(tenants.addDkimKeys(own, pairs));
  assert.equal(refused(tenants.addDkimKeys(own, pairs)), 'key wb202611a of acme.test is pending already');
  assert.equal(
    refused(tenants.retireDkimKeys(own, ['wb202611a', 'other'], day)),
    'acme.test has no key other in use',
  );
  assert.ok(tenants.dkimKeys(own).every(({ state }) => state === 'pending'));
  assert.throws(() => tenants.addDkimKeys({ ...own, domain: 'unknown.test' }, pairs), /FOREIGN KEY/);
});

test('a month has so many selectors; in the next there are others', async (t) => {
  const { tenants, clock, pairs, own } = await setUp(t);
  const [, ed25519] = pairs as [DkimKeyPair, DkimKeyPair];
  for (let n = 0; n < limits.dkimKeysPerMonth; n += 1) {
    const [made] = granted(tenants.addDkimKeys(own, [ed25519]));
    granted(tenants.retireDkimKeys(own, [made?.selector ?? ''], day));
  }
  assert.equal(tenants.addDkimKeys(own, [ed25519]).ok, false);
  clock.set(Date.UTC(2027, 0, 1));
  assert.equal(granted(tenants.addDkimKeys(own, [ed25519]))[0]?.selector, 'wb202701a');
  clock.advance(limits.dkimRetiredKeptMs);
  granted(tenants.retireDkimKeys(own, ['wb202701a'], day));
  granted(tenants.addDkimKeys(own, [ed25519]));
  assert.equal(tenants.dkimKeys(own).length, 2, 'those retired long ago are forgotten');
});

test('a private key is sealed in the file, opens with its installation’s key only, and is erased when it retires', async (t) => {
  const { tenants, open, store, path, pairs, own } = await setUp(t);
  granted(tenants.addDkimKeys(own, pairs));
  granted(tenants.rotateDkimKeys(own, day));
  for (const { id, selector } of tenants.signingKeys(own)) {
    const key = tenants.openSigningKey(id);
    const published = tenants.dkimKeys(own).find((one) => one.selector === selector)?.publicKey ?? '';
    const publicKey = createPublicKey(key);
    const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    assert.ok(der === published || der.endsWith(published.slice(-8)), selector);
    const hash = publicKey.asymmetricKeyType === 'rsa' ? 'sha256' : null;
    assert.ok(verify(hash, Buffer.from('x'), publicKey, sign(hash, Buffer.from('x'), key)));
    assert.throws(() => open(2).openSigningKey(id), /authenticate/);
    const inClear = pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'der' }));
    const files = [path, `${path}-wal`].map((file) => readFileSync(file));
    for (const file of files) {
      assert.equal(file.includes('PRIVATE KEY'), false);
      for (const der of inClear) assert.equal(file.includes(der.subarray(-32)), false);
    }
  }
  const selectors = tenants.signingKeys(own).map(({ selector }) => selector);
  const ids = tenants.signingKeys(own).map(({ id }) => id);
  granted(tenants.retireDkimKeys(own, selectors, day));
  for (const id of ids) assert.throws(() => tenants.openSigningKey(id), /no private key/);
  assert.equal(
    store.get('SELECT count(*) AS n FROM dkim_keys WHERE sealed_private_key IS NOT NULL')?.['n'],
    0,
  );
});

test('tenants that share a reserved name have keys and selectors of their own', async (t) => {
  const { tenants, pairs, own } = await setUp(t);
  const other = granted(tenants.createTenant({ name: 'other' })).tenant;
  tenants.addSendingDomain(other.id, 'acme.test');
  const theirs = { tenantId: other.id, domain: 'acme.test' };
  const selectors = [own, theirs].flatMap((each) =>
    granted(tenants.addDkimKeys(each, pairs)).map(({ selector }) => selector),
  );
  assert.equal(new Set(selectors).size, 4);
  granted(tenants.rotateDkimKeys(own, day));
  assert.deepEqual(tenants.signingKeys(theirs), []);
});
