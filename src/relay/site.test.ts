/** How a site is given more and less. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Site, type SiteBounds } from './site.ts';
import { siteNews } from './site-news.ts';

const bounds: SiteBounds = {
  ...{ connections: 20, atFirst: 5, rates: [], firstBackOffMs: 1000, longestBackOffMs: 8000 },
};

function attempts(site: Site, count: number, news: Parameters<Site['end']>[0], now: number): void {
  for (let i = 0; i < count; i += 1) {
    site.begin(now);
    site.end(news, now, now);
  }
}

test('begins low, has one more after each round of successes, and never more than the table has', () => {
  const site = new Site(bounds, 0);
  assert.equal(site.limitAt(0), 5);
  attempts(site, 5, 'well', 0);
  assert.equal(site.limitAt(0), 6);
  attempts(site, 500, 'well', 0);
  assert.equal(site.limitAt(0), 20);
});

test('halves at each trouble, down to one', () => {
  const site = new Site(bounds, 0);
  attempts(site, 500, 'well', 0);
  const limits = [1, 2, 3, 4, 5].map(() => {
    attempts(site, 1, 'trouble', 0);
    return site.limitAt(0);
  });
  assert.deepEqual(limits, [10, 5, 2, 1, 1]);
  assert.equal(site.backOffUntil, null);
});

test('rests when asked to, twice as long each time up to a bound, and lets one go first afterwards', () => {
  const site = new Site(bounds, 0);
  let now = 0;
  const waits = [1, 2, 3, 4, 5].map(() => {
    attempts(site, 1, 'later', now);
    const until = site.backOffUntil ?? 0;
    assert.deepEqual(site.refusalAt(until - 1), { why: 'back-off', until, expireBefore: until - 1001 });
    assert.equal(site.refusalAt(until), null);
    site.begin(until);
    assert.equal(site.refusalAt(until)?.why, 'full');
    site.end('silent', until, until);
    const waitMs = until - now;
    now = until;
    return waitMs;
  });
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000]);
  attempts(site, 1, 'well', now);
  assert.equal(site.backOffUntil, null);
  assert.equal(site.limitAt(now), 5, 'with caution again');
  attempts(site, 1, 'later', now);
  assert.equal(site.backOffUntil, now + 1000);
});

test('what was under way when the rest began changes nothing', () => {
  const site = new Site(bounds, 0);
  for (let i = 0; i < 4; i += 1) site.begin(0);
  site.end('later', 0, 10);
  site.end('later', 0, 20);
  site.end('unreachable', 0, 30);
  site.end('well', 0, 40);
  assert.equal(site.backOffUntil, 1010);
});

test('one connection that fails may be chance; three in a row are not', () => {
  const site = new Site(bounds, 0);
  attempts(site, 2, 'unreachable', 0);
  attempts(site, 1, 'well', 0);
  attempts(site, 2, 'unreachable', 0);
  assert.equal(site.backOffUntil, null);
  attempts(site, 1, 'unreachable', 0);
  assert.equal(site.backOffUntil, 1000);
});

test('rates: no more in any window than the rate and its burst, and one at the start', () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 100 }), (gaps, perMinute) => {
      const site = new Site(
        { ...bounds, connections: 1e6, atFirst: 1e6, rates: [{ count: perMinute, perMs: 60_000 }] },
        0,
      );
      let now = 0;
      const begun: number[] = [];
      for (const gap of gaps) {
        now += gap;
        if (site.refusalAt(now) !== null) continue;
        site.begin(now);
        begun.push(now);
      }
      for (const from of begun) {
        const inMinute = begun.filter((at) => at >= from && at < from + 60_000).length;
        assert.ok(inMinute <= 2 * perMinute + 1, `${inMinute} in a minute at ${perMinute} a minute`);
        const sinceStart = begun.filter((at) => at <= from).length;
        assert.ok(sinceStart <= 1 + (from * perMinute) / 60_000 + 1e-9);
      }
    }),
  );
});

test('a refusal for a rate says when to come again', () => {
  const site = new Site(
    {
      ...bounds,
      rates: [
        { count: 10, perMs: 1000 },
        { count: 3600, perMs: 3_600_000 },
      ],
    },
    0,
  );
  attempts(site, 1, 'well', 0);
  const refusal = site.refusalAt(0);
  assert.deepEqual(refusal, { why: 'rate', until: 1000, expireBefore: null });
  assert.equal(site.refusalAt(1000), null);
});

test('whatever happens: never below one place or above the bound, never a rest longer than the longest', () => {
  const step = fc.record({
    news: fc.constantFrom(...siteNews),
    gapMs: fc.integer({ min: -2000, max: 5000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const site = new Site(bounds, 0);
      let now = 0;
      for (const { news, gapMs } of steps) {
        now += gapMs;
        if (site.refusalAt(now) === null) attempts(site, 1, news, now);
        const limit = site.limitAt(now);
        assert.ok(limit >= (site.backOffUntil === null ? 1 : 0) && limit <= 20);
        assert.equal(site.open, 0);
      }
    }),
  );
});
