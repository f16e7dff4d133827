import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { installationKey } from '../base/secret.ts';
import { openStore } from '../store/store.ts';
import { type DenyRuleType, openTenants } from './tenants.ts';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-deny-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), manualClock(1));
  const [one, two] = ['one', 'two'].map((name) => {
    const made = tenants.createTenant({ name });
    assert.ok(made.ok);
    return made.value.tenant.id;
  }) as [number, number];
  const add = (type: DenyRuleType, data: string) => tenants.addDenyRule({ tenantId: one, type, data });
  return { tenants, one, two, add };
}

const senders: [DenyRuleType, string, string, boolean][] = [
  ['domain', 'Spam.Test', 'a@spam.test', true],
  ['domain', 'spam.test', 'a@below.SPAM.test', true],
  ['domain', 'spam.test', 'a@notspam.test', false],
  ['domain', 'below.spam.test', 'a@spam.test', false],
  ['domain', 'bücher.test', 'a@xn--bcher-kva.test', true],
  ['email', 'Bob@acme.test', 'bOB@ACME.test', true],
  ['email', 'bob@acme.test', 'bob@below.acme.test', false],
  ['email', 'bob@acme.test', 'bobby@acme.test', false],
  ['startswith', 'No-Reply', 'no-reply+1@acme.test', true],
  ['startswith', 'no-reply', 'no-reply@acme.test', true],
  ['startswith', 'no-reply', 'xno-reply@acme.test', false],
  ['startswith', 'a_', 'ab@acme.test', false],
  ['startswith', 'a.', 'ab@acme.test', false],
  // A rule about recipients says nothing of senders.
  ['destination', 'bob@acme.test', 'bob@acme.test', false],
];

for (const [type, data, sender, denied] of senders) {
  test(`${type} ${data} ${denied ? 'denies' : 'lets pass'} the sender ${sender}`, (t) => {
    const { tenants, one, two, add } = setUp(t);
    assert.ok(add(type, data).ok);
    assert.equal(tenants.denyRuleForSenders(one, ['', sender])?.type ?? null, denied ? type : null);
    assert.equal(tenants.denyRuleForSenders(two, [sender]), null);
  });
}

const destinations: [string, string, boolean][] = [
  ['Ann@shop.example', 'aNN@SHOP.example', true],
  ['ann@shop.example', 'anna@shop.example', false],
  ['shop.example', 'ann@shop.example', true],
  ['shop.example', 'ann@mail.shop.example', true],
  ['shop.example', 'ann@workshop.example', false],
];

for (const [data, path, denied] of destinations) {
  test(`destination ${data} ${denied ? 'denies' : 'lets pass'} ${path}`, (t) => {
    const { tenants, one, add } = setUp(t);
    assert.ok(add('destination', data).ok);
    assert.equal(tenants.denyRuleForDestination(one, path) !== null, denied);
    assert.equal(tenants.denyRuleForSenders(one, [path]), null);
  });
}

test('data that no rule of the type can look for are refused', (t) => {
  const { add } = setUp(t);
  for (const [type, data] of [
    ['domain', 'ann@shop.example'],
    ['domain', ''],
    ['email', 'shop.example'],
    ['startswith', ''],
    ['startswith', "a'b"],
    ['startswith', 'a@b'],
    ['destination', 'no domain'],
  ] as const)
    assert.equal(add(type, data).ok, false, `${type} ${data}`);
});

test('a rule is made once, is removed by its own tenant only, and there are so many at most', (t) => {
  const { tenants, one, two, add } = setUp(t);
  const first = add('domain', 'a.test');
  const again = add('domain', 'A.test');
  assert.ok(first.ok && again.ok);
  assert.equal(again.value.id, first.value.id);
  assert.equal(tenants.removeDenyRule(two, first.value.id), false);
  assert.equal(tenants.removeDenyRule(one, first.value.id), true);
  assert.equal(tenants.removeDenyRule(one, first.value.id), false);
  tenants.together(() => {
    for (let n = 0; n < limits.denyRulesPerTenant; n += 1) assert.ok(add('domain', `d${n}.test`).ok);
    return { ok: true, value: null };
  });
  assert.equal(add('domain', 'last.test').ok, false);
  assert.ok(add('domain', 'd5.test').ok, 'one that is there already');
  assert.equal(tenants.denyRules(one).length, limits.denyRulesPerTenant);
});
