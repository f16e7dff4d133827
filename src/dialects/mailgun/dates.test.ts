import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDate, printDate } from './dates.ts';

/** 2016-08-01T12:34:56Z. */
const noon = 1_470_054_896_000;

const readable: ReadonlyArray<readonly [text: string, at: number]> = [
  // RFC 2822 §3.3, each way a client writes Greenwich.
  ['Mon, 01 Aug 2016 12:34:56 UTC', noon],
  ['Mon, 01 Aug 2016 12:34:56 GMT', noon],
  ['Mon, 01 Aug 2016 12:34:56 UT', noon],
  ['Mon, 01 Aug 2016 12:34:56 Z', noon],
  ['Mon, 01 Aug 2016 12:34:56 +0000', noon],
  ['Mon, 01 Aug 2016 12:34:56 -0000', noon],
  ['Mon, 01 Aug 2016 12:34:56 +0000 (UTC)', noon],
  ['mon, 01 aug 2016 12:34:56 utc', noon],
  // Offsets.
  ['Mon, 01 Aug 2016 14:34:56 +0200', noon],
  ['Mon, 01 Aug 2016 07:34:56 -0500', noon],
  ['Mon, 01 Aug 2016 18:19:56 +0545', noon],
  ['Tue, 02 Aug 2016 02:34:56 +1400', noon],
  ['Mon, 01 Aug 2016 14:34:56 +02:00', noon],
  // A plus sign that the query string turned into a space.
  ['Mon, 01 Aug 2016 14:34:56  0200', noon],
  // Obsolete zones, RFC 2822 §4.3.
  ['Mon, 01 Aug 2016 07:34:56 CDT', noon],
  ['Mon, 01 Aug 2016 08:34:56 EDT', noon],
  ['Mon, 01 Aug 2016 07:34:56 EST', noon],
  ['Mon, 01 Aug 2016 06:34:56 MDT', noon],
  ['Mon, 01 Aug 2016 04:34:56 PST', noon],
  ['Mon, 01 Aug 2016 12:34:56 A', noon],
  // Weekday absent, without comma, wrong (as in the service's own samples).
  ['01 Aug 2016 12:34:56 UTC', noon],
  ['1 Aug 2016 12:34:56 UTC', noon],
  ['Mon 01 Aug 2016 12:34:56 UTC', noon],
  ['Fri, 01 Aug 2016 12:34:56 UTC', noon],
  ['Fri, 01 Apr 2012 00:00:00 UTC', 1_333_238_400_000],
  ['Tue, 30 Nov 2024 20:56:50 -0500', 1_733_018_210_000],
  // Seconds absent, leap second, years of two and three digits.
  ['Mon, 01 Aug 2016 12:34 UTC', noon - 56_000],
  ['Sat, 31 Dec 2016 23:59:60 UTC', 1_483_228_800_000],
  ['01 Aug 16 12:34:56 UTC', noon],
  ['01 Aug 116 12:34:56 UTC', noon],
  ['01 Jan 70 00:00:00 UTC', 0],
  ['31 Dec 99 00:00:00 UTC', 946_598_400_000],
  ['29 Feb 2024 00:00:00 UTC', 1_709_164_800_000],
  ['Fri, 31 Dec 9999 23:59:59 UTC', 253_402_300_799_000],
  // Unix seconds.
  ['1470054896', noon],
  ['1470054896.0', noon],
  ['1470054896.789', noon + 789],
  ['0', 0],
  [' 1470054896 ', noon],
];

const unreadable: readonly string[] = [
  '',
  ' ',
  'yesterday',
  '-1',
  '1e9',
  '0x10',
  'NaN',
  '1470054896.',
  '.5',
  '2016-08-01',
  '2016-08-01T12:34:56Z',
  '01/08/2016',
  'Mon, 01 Aug 2016',
  'Mon, 01 Aug 2016 12:34:56',
  'Mon, 01 Aug 2016 12 UTC',
  'Mon, 01 Aug 2016 24:00:00 UTC',
  'Mon, 01 Aug 2016 12:60:00 UTC',
  'Mon, 01 Aug 2016 12:34:61 UTC',
  'Mon, 00 Aug 2016 12:34:56 UTC',
  'Mon, 32 Aug 2016 12:34:56 UTC',
  '30 Feb 2024 00:00:00 UTC',
  '29 Feb 2023 00:00:00 UTC',
  '31 Apr 2024 00:00:00 UTC',
  'Mon, 01 Foo 2016 12:34:56 UTC',
  'Mon, 01 August 2016 12:34:56 UTC',
  'Mon, 01 Aug 2016 12:34:56 J',
  'Mon, 01 Aug 2016 12:34:56 CEST',
  'Mon, 01 Aug 2016 12:34:56 +2400',
  'Mon, 01 Aug 2016 12:34:56 +0060',
  'Mon, 01 Aug 2016 12:34:56 +000',
  'Mon, 01 Aug 2016 12:34:56 UTC and more',
  // Out of range: before 1970, and milliseconds taken for seconds.
  '31 Dec 1969 23:59:59 UTC',
  '01 Jan 0000 00:00:00 UTC',
  '1470054896000',
  '9'.repeat(100),
  '9'.repeat(100_000),
  `Mon${' '.repeat(100_000)}x`,
];

describe('a date that comes in', () => {
  for (const [text, at] of readable) {
    test(`is read: ${JSON.stringify(text)}`, () => assert.deepEqual(parseDate(text), { ok: true, at }));
  }
  for (const text of unreadable) {
    test(`is refused: ${JSON.stringify(text.slice(0, 60))}`, () => {
      const parsed = parseDate(text);
      assert.ok(!parsed.ok);
      assert.ok(parsed.problem.length < 300, 'the refusal stays short');
    });
  }
  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
        parseDate(text);
      }),
    );
  });
});

describe('a date that goes out', () => {
  test('has the form of the recorded replies', () => {
    assert.equal(printDate(1_470_009_600_000), 'Mon, 01 Aug 2016 00:00:00 UTC');
    assert.equal(printDate(1_740_355_200_000), 'Mon, 24 Feb 2025 00:00:00 UTC');
    assert.equal(printDate(0), 'Thu, 01 Jan 1970 00:00:00 UTC');
  });
  test('is the UTC form of the platform but for the word of the zone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        assert.equal(printDate(seconds * 1000), new Date(seconds * 1000).toUTCString().replace('GMT', 'UTC'));
      }),
    );
  });
  test('is read back to the same second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        assert.deepEqual(parseDate(printDate(seconds * 1000)), { ok: true, at: seconds * 1000 });
      }),
    );
  });
});
