import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordedExchanges, skipWithoutRecordings } from '../../../test/support/mailgun-recordings.ts';
import { type EventType, eventTypes } from '../../events/event.ts';
import { type Reason, reasons } from '../../events/reason.ts';
import type { CountRow } from '../../ledger/ledger.ts';
import {
  renderAggregate,
  renderBuckets,
  renderItem,
  renderStats,
  renderValues,
  typesOf,
  valuesOf,
} from './render.ts';
import { bucketStarts, windowOf } from './window.ts';
import { statsEvents } from './words.ts';

const august = 1_470_009_600_000;

function row(type: EventType, facts: Partial<CountRow> = {}): CountRow {
  return {
    bucketAt: august,
    group: '',
    type,
    reason: null,
    authenticated: true,
    first: false,
    count: 1,
    unique: 0,
    ...facts,
  };
}

/** Every counter of every event, as the service's OpenAPI file names them; all empty here. */
const emptyItem = {
  time: 'Mon, 01 Aug 2016 00:00:00 UTC',
  accepted: { incoming: 0, outgoing: 0, total: 0 },
  delivered: { smtp: 0, http: 0, optimized: 0, total: 0 },
  failed: {
    temporary: { espblock: 0, total: 0 },
    permanent: {
      'suppress-bounce': 0,
      'suppress-unsubscribe': 0,
      'suppress-complaint': 0,
      bounce: 0,
      'delayed-bounce': 0,
      webhook: 0,
      optimized: 0,
      total: 0,
    },
  },
  opened: { total: 0, unique: 0 },
  clicked: { total: 0, unique: 0 },
  unsubscribed: { total: 0 },
  complained: { total: 0 },
  stored: { total: 0 },
};

describe('an item', () => {
  test('has every counter of every event asked for', () => {
    assert.deepEqual(renderItem(august, statsEvents, []), emptyItem);
  });

  for (const event of statsEvents) {
    test(`of ${event} alone has no other event`, () => {
      assert.deepEqual(renderItem(august, [event], []), { time: emptyItem.time, [event]: emptyItem[event] });
    });
  }

  test('keeps the order in which the service writes its keys', () => {
    assert.equal(
      JSON.stringify(renderItem(august, ['failed'], [])),
      JSON.stringify({ time: emptyItem.time, failed: emptyItem.failed }),
    );
  });

  test('tells mail of authenticated clients from other mail', () => {
    const rows = [row('accepted', { count: 3 }), row('accepted', { count: 2, authenticated: false })];
    const { accepted } = renderItem(august, ['accepted'], rows) as unknown as typeof emptyItem;
    assert.deepEqual(accepted, { incoming: 2, outgoing: 3, total: 5 });
  });

  test('counts opens and those that opened', () => {
    const rows = [
      row('opened', { count: 5, unique: 2 }),
      row('clicked', { count: 4, unique: 1 }),
      row('opened', { count: 1, unique: 1 }),
    ];
    const item = renderItem(august, ['opened', 'clicked'], rows);
    assert.deepEqual(item, {
      time: emptyItem.time,
      opened: { total: 6, unique: 3 },
      clicked: { total: 4, unique: 1 },
    });
  });

  test('shows nothing of events that have no place here', () => {
    const rows = (['rejected', 'held', 'released', 'attempted', 'notified'] as const).map((type) =>
      row(type, { reason: 'espblock' }),
    );
    assert.deepEqual(renderItem(august, statsEvents, rows), emptyItem);
  });
});

/** Which parts of `failed` one event adds to; `total` of its half is implied. */
const failures: ReadonlyArray<
  readonly [type: EventType, reason: Reason | null, half: 'temporary' | 'permanent', part: string | null]
> = [
  ['deferred', 'espblock', 'temporary', 'espblock'],
  ['deferred', 'greylisted', 'temporary', null],
  ['deferred', 'generic', 'temporary', null],
  ['deferred', 'connect', 'temporary', null],
  ['deferred', 'mailbox-full', 'temporary', null],
  ['deferred', 'bounce', 'temporary', null],
  ['deferred', null, 'temporary', null],
  ['failed', 'bounce', 'permanent', 'bounce'],
  ['failed', 'null-mx', 'permanent', 'bounce'],
  ['failed', 'espblock', 'permanent', null],
  ['failed', 'generic', 'permanent', null],
  ['failed', 'mailbox-full', 'permanent', null],
  ['failed', 'no-mx', 'permanent', null],
  ['failed', 'dns', 'permanent', null],
  ['failed', 'internal', 'permanent', null],
  ['failed', 'credit', 'permanent', null],
  ['failed', null, 'permanent', null],
  ['expired', 'old', 'permanent', null],
  ['expired', 'bounce', 'permanent', null],
  ['expired', 'espblock', 'permanent', null],
  ['canceled', 'canceled', 'permanent', null],
  ['canceled', 'bounce', 'permanent', null],
  ['suppressed', 'suppress-bounce', 'permanent', 'suppress-bounce'],
  ['suppressed', 'suppress-complaint', 'permanent', 'suppress-complaint'],
  ['suppressed', 'suppress-unsubscribe', 'permanent', 'suppress-unsubscribe'],
  ['returned', 'bounce', 'permanent', 'delayed-bounce'],
  ['returned', 'suppress-bounce', 'permanent', 'delayed-bounce'],
  ['returned', null, 'permanent', 'delayed-bounce'],
];

describe('a failure', () => {
  for (const [type, reason, half, part] of failures) {
    test(`${type} for ${reason} counts as ${half}, ${part ?? 'in the total alone'}`, () => {
      const expected = structuredClone(emptyItem.failed) as Record<string, Record<string, number>>;
      expected[half] = { ...expected[half], ...(part === null ? {} : { [part]: 7 }), total: 7 };
      const item = renderItem(august, ['failed'], [row(type, { reason, count: 7 })]);
      assert.deepEqual(item, { time: emptyItem.time, failed: expected });
    });
  }

  test('never adds to two parts, whatever its reason', () => {
    for (const type of eventTypes) {
      for (const reason of [...reasons, null]) {
        const item = renderItem(august, ['failed'], [row(type, { reason })]) as unknown as typeof emptyItem;
        for (const { total, ...parts } of [item.failed.temporary, item.failed.permanent]) {
          assert.ok(total <= 1 && Object.values(parts).reduce((sum, part) => sum + part, 0) <= total);
        }
      }
    }
  });
});

describe('a reply', () => {
  test('is the recorded one, but for the recipients counted once', { skip: skipWithoutRecordings }, () => {
    const recorded = recordedExchanges('domains.yml').find(({ url }) =>
      url.pathname.endsWith('/stats/total'),
    );
    assert.ok(recorded);
    const window = windowOf({}, recorded.recordedAt);
    assert.ok(window.ok);
    const starts = bucketStarts(window.value);
    assert.ok(starts.ok);
    const body = JSON.stringify(renderStats(window.value, renderBuckets(starts.value, ['clicked'], [])));
    assert.equal(body.replaceAll(',"unique":0', ''), recorded.body);
  });

  test('puts each row into its bucket and leaves no bucket out', () => {
    const starts = [august, august + 86_400_000, august + 2 * 86_400_000];
    const rows = [
      row('stored', { bucketAt: august + 2 * 86_400_000, count: 4 }),
      row('stored', { bucketAt: august, count: 1 }),
    ];
    assert.deepEqual(renderBuckets(starts, ['stored'], rows), [
      { time: 'Mon, 01 Aug 2016 00:00:00 UTC', stored: { total: 1 } },
      { time: 'Tue, 02 Aug 2016 00:00:00 UTC', stored: { total: 0 } },
      { time: 'Wed, 03 Aug 2016 00:00:00 UTC', stored: { total: 4 } },
    ]);
  });

  test('by value names the value in each item, also when it has no events', () => {
    const rows = [
      row('stored', { group: '__proto__', count: 2 }),
      row('stored', { group: 'a.example', count: 3 }),
    ];
    assert.deepEqual(
      renderValues({ at: august, key: 'domain' }, ['__proto__', 'a.example', 'b.example'], ['stored'], rows),
      [
        { time: emptyItem.time, domain: '__proto__', stored: { total: 2 } },
        { time: emptyItem.time, domain: 'a.example', stored: { total: 3 } },
        { time: emptyItem.time, domain: 'b.example', stored: { total: 0 } },
      ],
    );
  });

  test('lists values by name and leaves out events without one', () => {
    const rows = ['us', '', 'de', 'us'].map((group) => row('opened', { group }));
    assert.deepEqual(valuesOf(rows), ['de', 'us']);
  });
});

test('an aggregate has eight numbers for each value, and any text may be a value', () => {
  const rows = [
    row('accepted', { group: 'gmail.com', count: 9 }),
    row('delivered', { group: 'gmail.com', count: 8 }),
    row('opened', { group: 'gmail.com', count: 5, unique: 3 }),
    row('clicked', { group: 'gmail.com', count: 4, unique: 2 }),
    row('complained', { group: '__proto__', count: 1 }),
    row('unsubscribed', { group: '__proto__', count: 1 }),
  ];
  const zeros = {
    accepted: 0,
    clicked: 0,
    complained: 0,
    delivered: 0,
    opened: 0,
    unique_clicked: 0,
    unique_opened: 0,
    unsubscribed: 0,
  };
  const body = JSON.parse(JSON.stringify(renderAggregate(['gmail.com', '__proto__'], rows)));
  assert.deepEqual(Object.entries(body), [
    [
      'gmail.com',
      { ...zeros, accepted: 9, clicked: 4, delivered: 8, opened: 5, unique_clicked: 2, unique_opened: 3 },
    ],
    ['__proto__', { ...zeros, complained: 1, unsubscribed: 1 }],
  ]);
});

test('only what is counted is asked for', () => {
  assert.deepEqual(typesOf(['accepted', 'stored']), ['accepted', 'stored']);
  assert.deepEqual(
    new Set(typesOf(['failed'])),
    new Set(['deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned']),
  );
});
