/** The night's jobs: at their time, one after the other, again the next night; and what is remembered of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manualClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { openStore, type Store } from '../store/store.ts';
import { createJobs, type JobKind, lastRuns } from './jobs.ts';
import { createNightly, nextAfter } from './nightly.ts';
import { createProved } from './proved.ts';

const hour = 3_600_000;
const evening = Date.UTC(2026, 10, 27, 22);

function storeOf(t: TestContext): Store {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-upkeep-'));
  const store = openStore(join(folder, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  return store;
}

test('the next time of day is still to come', () => {
  assert.equal(nextAfter(evening, 3 * hour), Date.UTC(2026, 10, 28, 3));
  assert.equal(nextAfter(evening, 23 * hour), Date.UTC(2026, 10, 27, 23));
  assert.equal(nextAfter(evening, 22 * hour), Date.UTC(2026, 10, 28, 22));
});

test('jobs run at their time, one after the other, also when one fails; a difference is an error of the log', async (t) => {
  const store = storeOf(t);
  const clock = manualClock(evening);
  const errors: unknown[] = [];
  const log = { info: () => {}, error: (fields: unknown) => errors.push(fields) } as unknown as Log;
  const jobs = createJobs(store, clock, log);
  const stop = new AbortController();
  const ran: [kind: JobKind, at: number][] = [];
  const differing = { ok: false, counts: { differences: [] }, chain: { problems: [{ problem: 'edited' }] } };
  const step = (kind: JobKind, work: () => unknown) => () =>
    jobs.start(kind, true, async () => {
      ran.push([kind, clock.now()]);
      if (ran.length === 6) stop.abort();
      await clock.sleep(hour);
      return work();
    });
  const steps = [
    step('verify', () => differing),
    step('retention', () => {
      throw new Error('no room');
    }),
    step('anonymise', () => ({})),
  ];
  await createNightly({ at: 3 * hour, steps, clock, log }).run(stop.signal);
  const three = Date.UTC(2026, 10, 28, 3);
  const night = (at: number) => [
    ['verify', at],
    ['retention', at + hour],
    ['anonymise', at + 2 * hour],
  ];
  assert.deepEqual(ran, [...night(three), ...night(three + 24 * hour)]);
  assert.ok(errors.some((fields) => JSON.stringify(fields).includes('"problem":{"problem":"edited"}')));
  const last = lastRuns(store).map(({ kind, state, problem }) => [kind, state, problem]);
  assert.deepEqual(last, [
    ['anonymise', 'done', null],
    ['retention', 'failed', 'no room'],
    ['verify', 'done', null],
  ]);
});

test('how far a chain was proved is remembered node by node, beside the runs', (t) => {
  const store = storeOf(t);
  const proved = createProved(store);
  assert.deepEqual(proved.read(), []);
  const [a, b] = [
    { node: 'a', last: 5, link: '0a' },
    { node: 'b', last: 7, link: '0b' },
  ];
  proved.write([a, b]);
  proved.write([{ ...b, last: 9 }]);
  assert.deepEqual(createProved(store).read(), [a, { ...b, last: 9 }]);
  assert.deepEqual(lastRuns(store), []);
});
