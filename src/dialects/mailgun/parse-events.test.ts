import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { queryOf } from '../../http/query.ts';
import { type PageRequest, readToken, writeToken } from './page-token.ts';
import { filterFields, maxPage, parseEvents } from './parse-events.ts';

const now = Date.parse('2025-02-24T22:44:13Z');
const parse = (query: string) => parseEvents(queryOf(`http://host/path?${query}`), now);

const earlier = now - 60_000;
const seconds = (at: number) => String(at / 1000);

const ranges: ReadonlyArray<
  readonly [query: string, direction: string, from: number | undefined, until: number | undefined]
> = [
  ['', 'descending', undefined, now],
  ['ascending=no', 'descending', undefined, now],
  ['ascending=yes', 'ascending', now, undefined],
  [`begin=${seconds(earlier)}`, 'descending', undefined, earlier],
  [`begin=${seconds(earlier)}&ascending=yes`, 'ascending', earlier, undefined],
  [`begin=${seconds(earlier)}&end=${seconds(now)}`, 'ascending', earlier, now],
  [`begin=${seconds(now)}&end=${seconds(earlier)}`, 'descending', earlier, now],
  [`begin=${seconds(earlier)}&end=${seconds(now)}&ascending=yes`, 'ascending', earlier, now],
  [`begin=${seconds(now)}&end=${seconds(earlier)}&ascending=no`, 'descending', earlier, now],
  [`end=${seconds(earlier)}`, 'descending', earlier, now],
  [`begin=${seconds(now)}&end=${seconds(now)}`, 'ascending', now, now],
  [`begin=${seconds(now)}&end=${seconds(now)}&ascending=no`, 'descending', now, now],
  ['begin=Mon, 24 Feb 2025 22:43:13 GMT&ascending=yes', 'ascending', earlier, undefined],
];

describe('the range of a walk', () => {
  for (const [query, direction, from, until] of ranges) {
    test(`for '${query}'`, () => {
      const parsed = parse(query);
      assert.ok(parsed.ok);
      const { direction: seen, from: first, until: last } = parsed.value;
      assert.deepEqual([seen, first, last], [direction, from, until]);
    });
  }

  const refused: ReadonlyArray<readonly [query: string, problem: RegExp]> = [
    [`begin=${seconds(earlier)}&end=${seconds(now)}&ascending=no`, /^ascending: 'no' contradicts/],
    [`begin=${seconds(now)}&end=${seconds(earlier)}&ascending=yes`, /^ascending: 'yes' contradicts/],
    ['ascending=true', /^ascending: 'true' is neither yes nor no/],
    ['begin=yesterday', /^begin: 'yesterday'/],
    ['limit=0', /^limit: '0'/],
    ['limit=-1', /^limit: '-1'/],
    ['limit=many', /^limit: 'many'/],
    ['limit=1&limit=2', /^limit: is given more than once/],
    [`subject=${'x'.repeat(limits.filterChars + 1)}`, /^subject: the filter is too long/],
    [`event=${'a+'.repeat(limits.filterTerms + 1)}`, /^event: the filter is too long/],
    [`from=${'x'.repeat(limits.filterChars)}&to=y`, /^to: the filter is too long/],
  ];
  for (const [query, problem] of refused) {
    test(`is refused for '${query.slice(0, 60)}'`, () => {
      const parsed = parse(query);
      assert.ok(!parsed.ok);
      assert.match(parsed.problem, problem);
    });
  }

  test('has pages of 100, or as many as asked for up to the bound', () => {
    const limitOf = (query: string) => {
      const parsed = parse(query);
      return parsed.ok ? parsed.value.limit : null;
    };
    assert.deepEqual(['', 'limit=', 'limit=1', 'limit=300', 'limit=301', 'limit=99999'].map(limitOf), [
      100,
      100,
      1,
      300,
      maxPage,
      maxPage,
    ]);
  });
});

test('filters keep field, text and order; empty ones are passed over', () => {
  const parsed = parse('tags=a&event=failed&tags=b+OR+c&subject=&recipient=%20&begin=&pretty=yes');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.filters.map(({ field, text }) => [field, text]),
    [
      ['event', 'failed'],
      ['tags', 'a'],
      ['tags', 'b OR c'],
    ],
  );
});

describe('a page token', () => {
  const requests: fc.Arbitrary<PageRequest> = fc
    .record({
      query: fc.array(
        fc.tuple(fc.constantFrom(...filterFields), fc.string({ unit: 'grapheme', maxLength: 20 })),
        { maxLength: 5 },
      ),
      ascending: fc.boolean(),
      limit: fc.integer({ min: 1, max: maxPage }),
      cursor: fc.option(
        fc
          .tuple(fc.nat(), fc.nat(), fc.string({ unit: 'grapheme', maxLength: 20 }))
          .map(([at, sequence, node]) => ({ at, sequence, node })),
      ),
      backwards: fc.boolean(),
    })
    .map(({ query, ascending, limit, cursor, backwards }) => {
      const parsed = parse(
        new URLSearchParams([
          ...query,
          ['ascending', ascending ? 'yes' : 'no'],
          ['limit', `${limit}`],
        ]).toString(),
      );
      assert.ok(parsed.ok);
      return { traversal: parsed.value, cursor, backwards };
    });

  test('brings back what it was made of, as one segment of a path', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const token = writeToken(request);
        assert.match(token, /^[A-Za-z0-9_-]+$/);
        assert.deepEqual(readToken(token), request);
      }),
    );
  });

  test('fits into a URL, whatever the filters hold', () => {
    const parsed = parse(`subject=${encodeURIComponent('é'.repeat(limits.filterChars))}`);
    assert.ok(parsed.ok);
    assert.ok(
      writeToken({ traversal: parsed.value, cursor: null, backwards: false }).length <
        limits.httpUrlBytes - 1000,
    );
  });

  test('of other making is refused', () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const right = { d: 'ascending', l: 10, f: [], c: null };
    assert.ok(readToken(encode(right)));
    const wrong = [
      { ...right, d: 'sideways' },
      { ...right, l: 0 },
      { ...right, l: maxPage + 1 },
      { ...right, f: [['mailId', '1']] },
      { ...right, f: [['subject', 'x'.repeat(limits.filterChars + 1)]] },
      { ...right, c: [1, 2] },
      { ...right, c: [-1, 2, ''] },
      { ...right, c: [1.5, 2, ''] },
      { ...right, c: [1, 2, 'x'.repeat(256)] },
      { ...right, tenantId: 1 },
      { d: 'ascending' },
      [],
      null,
      'text',
    ];
    for (const value of wrong)
      assert.equal(readToken(encode(value)), null, JSON.stringify(value).slice(0, 80));
    for (const text of ['', 'W3siYiI6', '%00', '..', 'a'.repeat(10_000)]) assert.equal(readToken(text), null);
  });
});
