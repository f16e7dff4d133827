import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { installationKey } from '../base/secret.ts';
import { openStore } from '../store/store.ts';
import { openTenants } from './tenants.ts';

const start = Date.UTC(2026, 10, 22, 10);
const day = 86_400_000;
const address = 'ann@shop.example';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-lists-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(start);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), clock);
  const [one, two] = ['one', 'two'].map((name) => {
    const made = tenants.createTenant({ name });
    assert.ok(made.ok);
    return made.value.tenant.id;
  }) as [number, number];
  const kind = (tenantId: number, to = address, from = '') =>
    tenants.suppressionOf(tenantId, to, from)?.kind ?? null;
  return { tenants, clock, store, one, two, kind };
}

test('an entry holds for its tenant, without regard to case', (t) => {
  const { tenants, one, two, kind } = setUp(t);
  tenants.suppress({ tenantId: one, address: 'Ann@SHOP.example', kind: 'bounce' });
  assert.deepEqual([kind(one), kind(one, 'ANN@shop.Example'), kind(two)], ['bounce', 'bounce', null]);
  assert.equal(kind(one, 'ann@shop.example.org'), null);
});

test('an entry for a sending domain holds for that one only', (t) => {
  const { tenants, one, kind } = setUp(t);
  tenants.suppress({ tenantId: one, address, kind: 'unsubscribe', domain: 'News.test' });
  assert.deepEqual(
    [kind(one, address, 'news.test'), kind(one, address, 'shop.test'), kind(one)],
    ['unsubscribe', null, null],
  );
});

test('lists are apart: what is taken off one stays on another', (t) => {
  const { tenants, one, kind } = setUp(t);
  for (const each of ['bounce', 'unsubscribe', 'complaint'] as const)
    tenants.suppress({ tenantId: one, address, kind: each });
  assert.equal(kind(one), 'complaint');
  assert.equal(tenants.unsuppress({ tenantId: one, address, kind: 'complaint' }), 1);
  assert.equal(kind(one), 'unsubscribe');
  assert.equal(tenants.unsuppress({ tenantId: one, address }), 2);
  assert.equal(kind(one), null);
  assert.equal(tenants.unsuppress({ tenantId: one, address }), 0);
});

test('an entry expires; a second reason makes it last longer, never shorter', (t) => {
  const { tenants, one, clock, kind } = setUp(t);
  const bounce = (expiresAt: number | null) => {
    tenants.suppress({ tenantId: one, address, kind: 'bounce', expiresAt });
  };
  bounce(start + 10 * day);
  bounce(start + 2 * day);
  clock.set(start + 10 * day - 1);
  assert.equal(kind(one), 'bounce');
  clock.set(start + 10 * day);
  assert.equal(kind(one), null);
  assert.equal(tenants.countSuppressions({ tenantId: one }), 0);
  bounce(null);
  bounce(start + 20 * day);
  clock.advance(400 * day);
  assert.equal(kind(one), 'bounce');
});

test('what has expired is removed, in portions', (t) => {
  const { tenants, one, clock, store } = setUp(t);
  for (let n = 0; n < 5; n += 1)
    tenants.suppress({ tenantId: one, address: `n${n}@x.test`, kind: 'bounce', expiresAt: start + day });
  tenants.suppress({ tenantId: one, address, kind: 'bounce' });
  assert.equal(tenants.forgetExpiredSuppressions(10), 0);
  clock.advance(day);
  assert.deepEqual(
    [3, 3, 3].map((limit) => tenants.forgetExpiredSuppressions(limit)),
    [3, 2, 0],
  );
  assert.equal(store.get('SELECT count(*) AS n FROM suppressions')?.['n'], 1);
});

test('what the allow list names is never suppressed, also not by an entry from before', (t) => {
  const { tenants, one, two, kind } = setUp(t);
  tenants.suppress({ tenantId: one, address, kind: 'unsubscribe' });
  assert.deepEqual(tenants.neverSuppress(one, 'SHOP.example'), { ok: true, value: 'shop.example' });
  assert.equal(kind(one), null);
  assert.equal(tenants.suppress({ tenantId: one, address: 'bob@shop.example', kind: 'bounce' }), false);
  assert.equal(tenants.suppress({ tenantId: one, address: 'bob@mail.shop.example', kind: 'bounce' }), true);
  assert.equal(tenants.suppress({ tenantId: two, address, kind: 'bounce' }), true);
  assert.equal(tenants.endNeverSuppress(one, 'shop.example'), true);
  assert.equal(tenants.endNeverSuppress(one, 'shop.example'), false);
  assert.equal(kind(one), 'unsubscribe');
  assert.equal(tenants.neverSuppress(one, 'no address @').ok, false);
});

test('the list is filtered and paged', (t) => {
  const { tenants, one, two } = setUp(t);
  for (const tenantId of [one, two])
    for (const to of ['b@x.test', 'a@x.test']) tenants.suppress({ tenantId, address: to, kind: 'bounce' });
  tenants.suppress({ tenantId: one, address: 'a@x.test', kind: 'complaint', detail: 'y'.repeat(1000) });
  const seen: string[] = [];
  for (
    let page = tenants.suppressions({}, 2);
    page.length > 0;
    page = tenants.suppressions({}, 2, page.at(-1))
  )
    seen.push(...page.map((entry) => `${entry.tenantId} ${entry.address} ${entry.kind}`));
  assert.deepEqual(seen, [
    `${one} a@x.test bounce`,
    `${one} a@x.test complaint`,
    `${one} b@x.test bounce`,
    `${two} a@x.test bounce`,
    `${two} b@x.test bounce`,
  ]);
  const complaints = tenants.suppressions({ kind: 'complaint' }, 10);
  assert.equal(complaints[0]?.detail.length, limits.suppressionDetailChars);
  assert.equal(tenants.countSuppressions({ tenantId: two }), 2);
});
