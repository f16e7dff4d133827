import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '../base/clock.ts';
import { installationKey } from '../base/secret.ts';
import { openStore } from '../store/store.ts';
import { type Quotas, quotaPeriods, rememberedWindows, windowAt } from './quotas.ts';
import { openTenants } from './tenants.ts';

const start = Date.UTC(2026, 10, 22, 10, 30);
const hour = 3_600_000;

function setUp(t: TestContext, { zone = 'UTC', quotas = {} }: { zone?: string; quotas?: Quotas } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-quotas-'));
  const path = join(directory, 'store.sqlite');
  const clock = manualClock(start);
  const open = () => {
    const store = openStore(path);
    return { store, tenants: openTenants(store, installationKey(Buffer.alloc(32, 1)), clock) };
  };
  let opened = open();
  t.after(() => {
    opened.store.close();
    rmSync(directory, { recursive: true });
  });
  const made = opened.tenants.createTenant({ name: 'acme', zone });
  assert.ok(made.ok);
  const { id } = made.value.tenant;
  opened.tenants.setLimits(id, { quotas });
  return {
    clock,
    id,
    tenants: () => opened.tenants,
    restart: () => {
      opened.store.close();
      opened = open();
    },
  };
}

const all = (count: number) => ({ accepted: count, toGo: count });

test('windows are those of the calendar, days and months in the zone of the tenant', () => {
  const text = (at: number) => new Date(at).toISOString();
  const window = (...args: Parameters<typeof windowAt>) => {
    const { start: from, end } = windowAt(...args);
    return [text(from), text(end)];
  };
  assert.deepEqual(window('minute', start + 1234, 'Asia/Kolkata'), [
    '2026-11-22T10:30:00.000Z',
    '2026-11-22T10:31:00.000Z',
  ]);
  assert.deepEqual(window('hour', start, 'Asia/Kolkata'), [
    '2026-11-22T10:00:00.000Z',
    '2026-11-22T11:00:00.000Z',
  ]);
  assert.deepEqual(window('day', start, 'Asia/Kolkata'), [
    '2026-11-21T18:30:00.000Z',
    '2026-11-22T18:30:00.000Z',
  ]);
  // 25 hours: the clocks go back.
  assert.deepEqual(window('day', Date.UTC(2026, 9, 25, 12), 'Europe/Vienna'), [
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ]);
  assert.deepEqual(window('month', start, 'America/New_York'), [
    '2026-11-01T04:00:00.000Z',
    '2026-12-01T05:00:00.000Z',
  ]);
});

test('remembered windows are the same as looked up', () => {
  const remembered = rememberedWindows();
  const zones = ['UTC', 'Europe/Vienna', 'America/New_York', 'Pacific/Apia'];
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) }),
      fc.constantFrom(...quotaPeriods),
      fc.constantFrom(...zones),
      (at, period, zone) => {
        const window = remembered(period, at, zone);
        assert.deepEqual(window, windowAt(period, at, zone));
        assert.ok(window.start <= at && at < window.end);
        assert.equal(windowAt(period, window.end, zone).start, window.end, 'no gap between windows');
      },
    ),
  );
});

test('without limits nothing is counted and everything goes', (t) => {
  const { tenants, id } = setUp(t);
  assert.deepEqual(tenants().takeQuota(id, all(1000)), { kind: 'taken', held: 0, by: null });
  assert.deepEqual(tenants().quotasOf(id), []);
  assert.equal(tenants().takeForRelease(id, 7), 7);
});

test('what a quota refuses is not counted; the next window begins anew', (t) => {
  const { tenants, id, clock } = setUp(t, { quotas: { hour: { most: 3, whenFull: 'refuse' } } });
  assert.equal(tenants().takeQuota(id, all(2)).kind, 'taken');
  const refused = tenants().takeQuota(id, all(2));
  assert.equal(refused.kind, 'refused');
  assert.equal(refused.by?.end, Date.UTC(2026, 10, 22, 11));
  assert.equal(tenants().takeQuota(id, all(1)).kind, 'taken');
  clock.advance(hour);
  assert.equal(tenants().takeQuota(id, all(3)).kind, 'taken');
});

test('a quota that holds lets go what fits; nobody overtakes', (t) => {
  const { tenants, id, clock } = setUp(t, { quotas: { hour: { most: 3, whenFull: 'hold' } } });
  const held = (count: number) => {
    const answer = tenants().takeQuota(id, all(count));
    return answer.kind === 'taken' ? answer.held : null;
  };
  assert.equal(held(2), 0);
  assert.equal(held(5), 4);
  clock.advance(hour);
  assert.equal(held(1), 1, 'four wait before it');
  assert.equal(tenants().takeForRelease(id, 5), 3);
  clock.advance(hour);
  assert.equal(tenants().takeForRelease(id, 2), 2);
  tenants().setBacklog(id, false);
  assert.equal(held(2), 1);
});

test('a change takes effect at once and keeps the count', (t) => {
  const { tenants, id } = setUp(t, { quotas: { day: { most: 5, whenFull: 'refuse' } } });
  tenants().takeQuota(id, all(5));
  assert.equal(tenants().takeQuota(id, all(1)).kind, 'refused');
  tenants().setLimits(id, { quotas: { day: { most: 6, whenFull: 'refuse' } } });
  assert.equal(tenants().takeQuota(id, all(1)).kind, 'taken');
  tenants().setLimits(id, { recipientsPerMail: 3 });
  assert.equal(tenants().takeQuota(id, all(1)).kind, 'refused', 'other limits stay');
  tenants().setLimits(id, { quotas: { day: null } });
  assert.equal(tenants().takeQuota(id, all(1)).kind, 'taken');
});

test('a clock that goes back over the hour opens no second window; one that was far ahead is not waited for', (t) => {
  const { tenants, id, clock } = setUp(t, { quotas: { hour: { most: 1, whenFull: 'refuse' } } });
  const kind = () => tenants().takeQuota(id, all(1)).kind;
  clock.set(Date.UTC(2026, 10, 22, 11, 0, 1));
  assert.equal(kind(), 'taken');
  clock.set(Date.UTC(2026, 10, 22, 10, 59, 59));
  assert.equal(kind(), 'refused');
  clock.set(Date.UTC(2026, 10, 23, 11));
  assert.equal(kind(), 'taken');
  clock.set(Date.UTC(2026, 10, 22, 12));
  assert.equal(kind(), 'taken');
});

type Step =
  | { do: 'send'; count: number }
  | { do: 'release' }
  | { do: 'wait'; ms: number }
  | { do: 'restart' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 3, arbitrary: fc.constant<Step>({ do: 'release' }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 * hour }) }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
  ),
  { maxLength: 40 },
);

const quota = fc.record({
  most: fc.integer({ min: 0, max: 12 }),
  whenFull: fc.constantFrom<'hold' | 'refuse'>('hold', 'refuse'),
});

test('never more than the quota within a window, whatever happens, and nothing is lost', (t) => {
  const quotas = fc.record({ minute: quota, hour: quota, day: quota, month: quota }, { requiredKeys: [] });
  fc.assert(
    fc.property(quotas, steps, fc.constantFrom('UTC', 'Europe/Vienna'), (limited, history, zone) => {
      const world = setUp(t, { zone, quotas: limited });
      const seen = new Map<string, number>();
      /** Counted by ourselves: what was accepted and what was let go, in each window. */
      const note = (whenFull: 'hold' | 'refuse', count: number) => {
        for (const period of quotaPeriods) {
          if (limited[period]?.whenFull !== whenFull) continue;
          const key = `${period} ${windowAt(period, world.clock.now(), zone).start}`;
          seen.set(key, (seen.get(key) ?? 0) + count);
          assert.ok((seen.get(key) ?? 0) <= (limited[period]?.most ?? 0), `${key} has ${seen.get(key)}`);
        }
      };
      let [accepted, gone, waiting] = [0, 0, 0];
      for (const step of history) {
        if (step.do === 'wait') world.clock.advance(step.ms);
        if (step.do === 'restart') world.restart();
        if (step.do === 'send') {
          const answer = world.tenants().takeQuota(world.id, all(step.count));
          if (answer.kind === 'refused') continue;
          accepted += step.count;
          if (waiting > 0 && answer.held < step.count) {
            const holds = Object.values(limited).some(({ whenFull }) => whenFull === 'hold');
            assert.ok(!holds, 'a new mail went before one that waits');
          }
          note('refuse', step.count);
          note('hold', step.count - answer.held);
          gone += step.count - answer.held;
          waiting += answer.held;
        }
        if (step.do === 'release') {
          const count = world.tenants().takeForRelease(world.id, waiting);
          if (count === waiting) world.tenants().setBacklog(world.id, false);
          note('hold', count);
          gone += count;
          waiting -= count;
        }
        assert.equal(accepted, gone + waiting);
      }
    }),
    { numRuns: 40 },
  );
});
