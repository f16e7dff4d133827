/** Which source an attempt gets, and that limits belong to a site as it is seen from one source. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createLog } from '../base/log.ts';
import { createLeases } from './leases.ts';
import { createSites } from './sites.ts';
import { createSources, leavingFrom, type Source } from './sources.ts';

const first: Source = { pool: 'main', ipv4: '192.0.2.1', ipv6: null, name: null };
const second: Source = { pool: 'main', ipv4: '192.0.2.2', ipv6: '2001:db8::2', name: 'out2.example.com' };
const pools = [first, second];

function setUp(poolOf: (tenantId: number) => string | null = () => 'main') {
  const clock = { now: 1_700_000_000_000 };
  const lines: string[] = [];
  const log = createLog({
    ...{ level: 'info', format: 'json', name: 'test' },
    write: (line: string) => lines.push(line),
  });
  const sources = createSources({ now: () => clock.now, log, pools, tenants: { ipPool: poolOf } });
  return { clock, lines, sources };
}

test('attempts take the sources of the pool in turns, and each has the limits of the site to itself', async () => {
  const { clock, sources } = setUp((tenantId) => (tenantId === 1 ? 'main' : null));
  const bounds = { attempts: 100, perDestination: 2 };
  const now = () => clock.now;
  const target = { name: 'mx.other.org', address: '192.0.2.9', port: 25 };
  const findTargets = {
    mx: async () => ({ ok: true as const, targets: [target] }),
    host: () => Promise.reject(new Error('nothing is looked up')),
  };
  const sites = createSites({ now, nextHop: null, bounds, findTargets });
  await sites.learn('other.org');
  const leases = createLeases({ now, sites, sources, bounds, onLearned: () => {} });
  const lane = { tenantId: 1, class: 'bulk' as const, destination: 'other.org' };
  const take = (mailId: number) => leases.take({ mailId, tenantId: 1, class: 'bulk' }, 'other.org', [1]);
  const taken = [1, 2, 3, 4].map((mailId) => {
    assert.equal(leases.refusalOf(lane), null);
    return take(mailId);
  });
  assert.deepEqual(
    taken.map(({ source }) => source?.ipv4),
    ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.2'],
  );
  assert.notEqual(leases.refusalOf(lane), null);
  assert.equal(leases.refusalOf({ ...lane, tenantId: 2 }), null);
  const [, secondLease] = taken;
  assert.ok(secondLease);
  clock.now += 1;
  leases.release(secondLease, 'later');
  assert.deepEqual(leases.takeWoken(), [lane]);
  assert.notEqual(leases.refusalOf(lane), null);
  const [firstLease] = taken;
  assert.ok(firstLease);
  leases.release(firstLease, 'well');
  assert.deepEqual(leases.takeWoken(), [lane]);
  assert.equal(leases.refusalOf(lane), null);
  assert.equal(take(5).source?.ipv4, '192.0.2.1', 'the other one was asked to come later');
  assert.deepEqual(
    sites.snapshot().map(({ site, source, open }) => [site, source, open]),
    [
      ['mx.other.org', '192.0.2.1', 2],
      ['mx.other.org', '192.0.2.2+2001:db8::2', 1],
    ],
  );
});

test('a source that cannot be used rests, is told once, and is not the last to be left out', () => {
  const { clock, lines, sources } = setUp();
  assert.deepEqual(sources.of(1, 'bulk'), pools);
  sources.failed(first, 'cannot be bound');
  sources.failed(first, 'cannot be bound');
  assert.deepEqual(sources.of(1, 'bulk'), [second]);
  assert.equal(lines.filter((line) => line.includes('192.0.2.1')).length, 1);
  sources.failed(second, 'cannot be bound');
  assert.deepEqual(sources.of(1, 'bulk'), pools);
  clock.now += 60_000;
  assert.deepEqual(sources.of(1, 'bulk'), pools);
});

test('the family is that of the target', () => {
  assert.deepEqual(leavingFrom(second, '192.0.2.9'), { localAddress: '192.0.2.2' });
  assert.deepEqual(leavingFrom(second, '2001:db8::9'), { localAddress: '2001:db8::2' });
  assert.deepEqual(leavingFrom(null, '192.0.2.9'), {});
  const without = leavingFrom(first, '2001:db8::9');
  assert.ok('missing' in without);
  assert.equal(without.missing.text, 'the source 192.0.2.1 of pool main has no IPv6 address');
});

test('a pool that is not configured has one source, which leads nowhere', () => {
  const { sources } = setUp(() => 'gone');
  const [source, ...others] = sources.of(1, 'bulk');
  assert.ok(source && others.length === 0);
  const leaving = leavingFrom(source, '192.0.2.9');
  assert.ok('missing' in leaving);
  assert.match(leaving.missing.text, /^the pool gone has no addresses/);
});
