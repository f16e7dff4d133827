/** Counts of warm-ups: before anything is sent, given back where nothing was, and there again after an end of any kind. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Clock, manualClock } from '../base/clock.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Source } from './sources.ts';
import { createWarmUpRegister, createWarmUps } from './warm-ups.ts';

const source: Source = { pool: 'main', ipv4: '192.0.2.1', ipv6: '2001:db8::1', name: null };
const other: Source = { pool: 'main', ipv4: '192.0.2.2', ipv6: null, name: null };
const oneDay = 86_400_000;
const plan = {
  name: 'test',
  stages: [
    { days: 1, mailsPerDay: 10 },
    { days: 1, mailsPerDay: 20 },
  ],
};
const delivered = { stage: 'end-of-data', reason: null } as DeliveryStatus;
const unreached = { stage: 'connect', reason: 'connect' } as DeliveryStatus;
const blocked = { stage: 'mail', reason: 'espblock' } as DeliveryStatus;

function setUp(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-warm-up-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(Date.UTC(2026, 5, 1, 12));
  const register = createWarmUpRegister(store);
  assert.equal(register.start('192.0.2.1', plan, clock.now()), true);
  return { store, clock, register, ...relayOn(store, clock) };
}

/** As a start of the relay makes it. */
function relayOn(store: Store, clock: Clock) {
  const warmUps = createWarmUps(store, clock);
  const allowance = (site = 'google') => {
    const found = warmUps.allowance(source, site);
    assert.ok(found);
    return found;
  };
  return { warmUps, allowance, left: (site?: string) => allowance(site).left('transactional') };
}

test('places are taken at once, by site; bulk mail has a part of them; the day ends at midnight', (t) => {
  const { warmUps, allowance, left } = setUp(t);
  assert.equal(allowance().until, Date.UTC(2026, 5, 2));
  const reservation = allowance().reserve(7);
  assert.deepEqual([left(), allowance().left('bulk'), left('yahoo')], [3, 1, 10]);
  assert.equal(reservation.extend('bulk'), true);
  assert.equal(reservation.extend('bulk'), false);
  assert.equal(reservation.extend('transactional'), true);
  assert.deepEqual([left(), reservation.count], [1, 9]);
  assert.equal(warmUps.allowance(other, 'google'), null);
  assert.equal(warmUps.allowance(source, 'rehearsal'), null, 'nothing is sent there');
});

test('what did not reach the site is given back, once; what was refused is remembered', (t) => {
  const { register, allowance, left } = setUp(t);
  const reservation = allowance().reserve(5);
  reservation.settle([delivered, blocked, unreached]);
  reservation.settle([]);
  assert.equal(left(), 8);
  reservation.write();
  assert.partialDeepStrictEqual(register.sitesOf(1), [{ site: 'google', sent: 2, refused: 1 }]);
});

test('what was written with a lease counts after a crash; what was not was never sent', (t) => {
  const { store, clock, allowance, left } = setUp(t);
  allowance().reserve(4).write();
  assert.equal(relayOn(store, clock).left(), 6);
  allowance().reserve(3);
  assert.equal(left(), 3);
  assert.equal(relayOn(store, clock).left(), 6);
});

test('the next day has the next number, and what began before midnight does not count in it', (t) => {
  const { clock, warmUps, allowance, left } = setUp(t);
  allowance().reserve(5).settle(Array(5).fill(delivered));
  const late = allowance().reserve(2);
  clock.advance(oneDay);
  assert.equal(left(), 20);
  assert.equal(late.extend('transactional'), false);
  late.settle([unreached, blocked]);
  assert.equal(left(), 20);
  allowance().reserve(20).settle(Array(20).fill(delivered));
  clock.advance(oneDay);
  assert.equal(warmUps.allowance(source, 'google'), null, 'the plan is done');
});

test('stopped while an attempt is under way: nothing is written, and a new start begins anew', (t) => {
  const { clock, register, warmUps, allowance, left } = setUp(t);
  const reservation = allowance().reserve(5);
  reservation.write();
  assert.equal(register.stop('192.0.2.1'), true);
  assert.equal(register.stop('192.0.2.1'), false);
  reservation.write();
  assert.equal(warmUps.allowance(source, 'google'), null);
  register.start('192.0.2.1', plan, clock.now());
  assert.equal(left(), 10);
  reservation.settle([delivered]);
  assert.equal(left(), 10);
});

test('counts that led nowhere are removed, others stay', (t) => {
  const { clock, register, allowance, warmUps } = setUp(t);
  allowance('small.example').reserve(4).write();
  allowance('google').reserve(5).write();
  const sites = () => register.sitesOf(1).map(({ site }) => site);
  warmUps.forget();
  assert.deepEqual(sites(), ['google', 'small.example']);
  clock.advance(oneDay);
  warmUps.forget();
  assert.deepEqual(sites(), ['google']);
});
