/** `waybill dkim`, on an installation without a server. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newInstallation } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());

interface Key {
  domain?: string;
  tenant?: string;
  selector: string;
  algorithm: string;
  state: string;
  publishUntil: number | null;
  retiredAt: number | null;
  record: { name: string; type: string; text: string };
}

const dkim = async <T>(...words: string[]) => (await installation.json(['dkim', ...words])) as T;
const statesOf = (keys: readonly Key[]) => keys.map(({ algorithm, state }) => `${algorithm} ${state}`);

test('keys from their making to their end', async (t) => {
  const created = await installation.run(['tenant', 'create', 'acme', '--domain', 'Acme.com', '--verified']);
  assert.equal(created.code, 0, created.err);
  assert.match(created.out, /waybill dkim show acme\.com.*waybill dkim rotate acme\.com/);

  await t.test('a domain that can have DNS records has pending keys from the start', async () => {
    const { keys } = await dkim<{ keys: Key[] }>('show', 'ACME.com');
    assert.deepEqual(statesOf(keys), ['rsa-sha256 pending', 'ed25519-sha256 pending']);
    const [rsa] = keys;
    assert.match(rsa?.record.name ?? '', /^wb\d{6}a\._domainkey\.acme\.com$/);
    assert.match(rsa?.record.text ?? '', /^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{390,}=*$/);
    const { out } = await installation.run(['dkim', 'show', 'acme.com']);
    const strings = [...(out.split('\n')[1] ?? '').matchAll(/"([^"]*)"/g)].map(([, text]) => text);
    assert.equal(strings.join(''), rsa?.record.text);
  });

  await t.test('rotation makes them sign; a second one has nothing to do', async () => {
    const { activated, retired } = await dkim<{ activated: Key[]; retired: Key[] }>('rotate', 'acme.com');
    assert.deepEqual(statesOf(activated), ['rsa-sha256 active', 'ed25519-sha256 active']);
    assert.deepEqual(retired, []);
    const again = await installation.run(['dkim', 'rotate', 'acme.com']);
    assert.deepEqual([again.code, again.out], [1, '']);
    assert.match(again.err, /no pending key; "waybill dkim create acme\.com"/);
  });

  await t.test('one algorithm alone is rotated, and the old record stays for a while', async () => {
    await dkim('create', 'acme.com', '--algorithm', 'rsa');
    const done = await dkim<{ retired: Key[] }>('rotate', 'acme.com', '--publish-days', '3');
    const [old] = done.retired;
    assert.ok(old?.publishUntil && old.retiredAt);
    assert.equal(old.publishUntil - old.retiredAt, 3 * 86_400_000);
    const { keys } = await dkim<{ keys: Key[] }>('show', 'acme.com');
    assert.deepEqual(statesOf(keys), ['rsa-sha256 retired', 'ed25519-sha256 active', 'rsa-sha256 active']);
  });

  await t.test('retiring the last one says that nothing is signed', async () => {
    const { keys } = await dkim<{ keys: Key[] }>('list', '--tenant', 'acme');
    const active = keys.filter(({ state }) => state === 'active').map(({ selector }) => selector);
    const selectors = active.flatMap((selector) => ['--selector', selector]);
    const { code, out, err } = await installation.run(['dkim', 'retire', 'acme.com', ...selectors]);
    assert.equal(code, 0, err);
    assert.match(out, /^wb\d{6}b +ed25519-sha256 +retired at .*\nwb\d{6}c +rsa-sha256 +retired at /);
    assert.match(err, /mail from acme\.com is not signed/);
  });
});

test('a reserved name has keys on demand, for each tenant its own', async () => {
  for (const name of ['one', 'two'])
    await installation.json(['tenant', 'create', name, '--domain', 'shared.test']);
  const none = await installation.run(['dkim', 'show', 'shared.test', '--tenant', 'one']);
  assert.deepEqual([none.code, none.out], [1, '']);
  assert.match(none.err, /shared\.test has no keys; "waybill dkim create shared\.test"/);
  const unclear = await installation.run(['dkim', 'create', 'shared.test']);
  assert.equal(unclear.code, 2);
  assert.match(unclear.err, /several tenants have shared\.test: name one with --tenant \(one, two\)/);
  const made = await dkim<{ tenant: string; keys: Key[] }>('create', 'shared.test', '--tenant', 'two');
  assert.deepEqual([made.tenant, made.keys.length], ['two', 2]);
  const { keys } = await dkim<{ keys: Key[] }>('list');
  assert.ok(keys.some(({ domain, tenant }) => domain === 'shared.test' && tenant === 'two'));
  assert.ok(!keys.some(({ tenant }) => tenant === 'one'));
});

test('what is wrong is said, and nothing is done', async () => {
  const rows: [string[], number, RegExp][] = [
    [['show', 'nobody.test'], 1, /nobody\.test is no sending domain; "waybill tenant list"/],
    [['show', 'acme.com', '--tenant', 'one'], 1, /acme\.com is no sending domain of one/],
    [['show', 'acme.com', '--tenant', 'nobody'], 1, /there is no tenant "nobody"/],
    [['show', 'not a domain'], 2, /is no domain name/],
    [['create', 'acme.com', '--algorithm', 'toString'], 2, /--algorithm: expected rsa or ed25519/],
    [['rotate', 'acme.com', '--publish-days', '0'], 2, /--publish-days: expected a number from 1 to 365/],
    [['retire', 'acme.com', '--selector', 'x'], 1, /acme\.com has no key x in use/],
    [['retire', 'acme.com'], 2, /selector/],
  ];
  for (const [words, code, problem] of rows) {
    const ran = await installation.run(['dkim', ...words]);
    assert.deepEqual([ran.code, ran.out], [code, ''], words.join(' '));
    assert.match(ran.err, problem);
  }
});
