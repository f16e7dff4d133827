import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { z } from 'zod';
import { queryOf } from '../../http/query.ts';
import { filterQuery, readQuery, totalDomainsQuery, totalQuery } from './parse.ts';

const read = (schema: z.ZodObject, query: string) => readQuery(schema, queryOf(`http://host/path?${query}`));

const accepted: ReadonlyArray<readonly [schema: z.ZodObject, query: string, value: object]> = [
  [totalQuery, 'event=accepted', { event: ['accepted'] }],
  [totalQuery, 'event=opened&event=accepted&event=opened', { event: ['opened', 'accepted'] }],
  [
    totalQuery,
    'event=stored&start=1470054896&end=1470054897.5',
    { event: ['stored'], start: 1_470_054_896_000, end: 1_470_054_897_500 },
  ],
  [
    totalQuery,
    'event=stored&start=Sun%2C+25+Dec+2022+00%3A00%3A00+GMT',
    { event: ['stored'], start: 1_671_926_400_000 },
  ],
  [
    totalQuery,
    'event=stored&resolution=hour&duration=12h',
    { event: ['stored'], resolution: 'hour', duration: { count: 12, unit: 'hour' } },
  ],
  [
    totalQuery,
    'event=stored&duration=999999d',
    { event: ['stored'], duration: { count: 999_999, unit: 'day' } },
  ],
  // Empty is absent, unknown parameters are passed over.
  [totalQuery, 'event=stored&start=&end=&resolution=&duration=&page=3&__proto__=x', { event: ['stored'] }],
  [
    totalDomainsQuery,
    'event=failed&timestamp=0',
    { event: ['failed'], timestamp: 0, resolution: 'day', limit: 0 },
  ],
  [
    totalDomainsQuery,
    'event=failed&timestamp=0&resolution=month&limit=20',
    { event: ['failed'], timestamp: 0, resolution: 'month', limit: 20 },
  ],
  [filterQuery, 'event=failed', { event: ['failed'], group: 'time' }],
  [
    filterQuery,
    'event=failed&group=domain&filter=domain:My.Example.com',
    { event: ['failed'], group: 'domain', filter: { dimension: 'domain', value: 'my.example.com' } },
  ],
  [
    filterQuery,
    'event=failed&filter=domain:B%C3%BCcher.example',
    { event: ['failed'], group: 'time', filter: { dimension: 'domain', value: 'xn--bcher-kva.example' } },
  ],
  [
    filterQuery,
    'event=failed&filter=tag:Spring:2025',
    { event: ['failed'], group: 'time', filter: { dimension: 'tag', value: 'Spring:2025' } },
  ],
  [
    filterQuery,
    'event=failed&filter=ip:2001:DB8::25',
    { event: ['failed'], group: 'time', filter: { dimension: 'ip', value: '2001:db8::25' } },
  ],
  [
    filterQuery,
    'event=failed&filter=country:US',
    { event: ['failed'], group: 'time', filter: { dimension: 'country', value: 'us' } },
  ],
  [
    filterQuery,
    'event=failed&filter=provider:gmail.com&group=total',
    { event: ['failed'], group: 'total', filter: { dimension: 'provider', value: 'gmail.com' } },
  ],
];

const refused: ReadonlyArray<readonly [schema: z.ZodObject, query: string, problem: RegExp]> = [
  [totalQuery, '', /^event: is required/],
  [totalQuery, 'event=', /^event: unknown event ''/],
  [totalQuery, 'event=accepted,delivered', /^event: unknown event 'accepted,delivered'; .*repeating/],
  [totalQuery, 'event=accepted&event=bounced', /^event: unknown event 'bounced'/],
  [totalQuery, 'event=Accepted', /^event: unknown event 'Accepted'/],
  [totalQuery, 'event=rejected', /^event: unknown event 'rejected'/],
  [totalQuery, 'event=toString', /^event: unknown event/],
  [totalQuery, 'event=stored&start=yesterday', /^start: 'yesterday' is neither/],
  [totalQuery, 'event=stored&end=2025-01-01', /^end: '2025-01-01' is neither/],
  [totalQuery, 'event=stored&start=1470054896000', /^start: .* outside the years/],
  [
    totalQuery,
    'event=stored&resolution=week',
    /^resolution: unknown resolution 'week'; known are hour, day, month/,
  ],
  [totalQuery, 'event=stored&duration=7', /^duration: '7' is no duration/],
  [totalQuery, 'event=stored&duration=1w', /^duration: '1w'/],
  [totalQuery, 'event=stored&duration=0d', /^duration: '0d'/],
  [totalQuery, 'event=stored&duration=-1d', /^duration: '-1d'/],
  [totalQuery, 'event=stored&duration=1.5d', /^duration: '1.5d'/],
  [totalQuery, 'event=stored&duration=1000000h', /^duration: '1000000h'/],
  [totalQuery, 'event=stored&duration=1d%0A', /^duration: /],
  [totalQuery, 'event=stored&start=1&start=2', /^start: is given more than once/],
  [totalDomainsQuery, 'event=stored', /^timestamp: is required/],
  [totalDomainsQuery, 'event=stored&timestamp=', /^timestamp: is required/],
  [totalDomainsQuery, 'event=stored&timestamp=now', /^timestamp: 'now' is neither/],
  [totalDomainsQuery, 'timestamp=0', /^event: is required/],
  [totalDomainsQuery, 'event=stored&timestamp=0&limit=-1', /^limit: '-1' is no number/],
  [totalDomainsQuery, 'event=stored&timestamp=0&limit=ten', /^limit: 'ten' is no number/],
  [totalDomainsQuery, 'event=stored&timestamp=0&limit=9999999999', /^limit: /],
  [filterQuery, 'event=stored&group=week', /^group: unknown group 'week'/],
  [filterQuery, 'event=stored&group=constructor', /^group: unknown group/],
  [filterQuery, 'event=stored&filter=my.example.com', /^filter: 'my.example.com' is no filter/],
  [filterQuery, 'event=stored&filter=subaccount:1', /^filter: 'subaccount:1' is no filter/],
  [filterQuery, 'event=stored&filter=domain:', /^filter: 'domain:' is no filter/],
  [filterQuery, 'event=stored&filter=__proto__:x', /^filter: /],
  [filterQuery, 'event=stored&filter=tag:a&filter=tag:b', /^filter: is given more than once/],
];

describe('a query', () => {
  for (const [schema, query, value] of accepted) {
    test(`is understood: ${query}`, () => {
      assert.deepEqual(read(schema, query), { ok: true, value });
    });
  }
  for (const [schema, query, problem] of refused) {
    test(`is refused: ${query}`, () => {
      const result = read(schema, query);
      assert.ok(!result.ok);
      assert.match(result.problem, problem);
    });
  }

  test('is refused in few words, however long it is', () => {
    for (const name of ['event', 'start', 'duration', 'resolution', 'filter', 'group']) {
      const result = read(filterQuery, `event=stored&${name}=${'x'.repeat(10_000)}`);
      assert.ok(!result.ok);
      assert.ok(result.problem.length < 400, `${name}: ${result.problem.length} characters`);
    }
  });

  test('never throws, whatever it holds', () => {
    const name = fc.constantFrom(
      'event',
      'start',
      'end',
      'resolution',
      'duration',
      'filter',
      'group',
      'timestamp',
      'limit',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary' }))), (pairs) => {
        for (const schema of [totalQuery, totalDomainsQuery, filterQuery]) {
          readQuery(schema, queryOf(`http://host/?${new URLSearchParams(pairs)}`));
        }
      }),
    );
  });
});
