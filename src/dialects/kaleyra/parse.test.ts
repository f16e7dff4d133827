import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { composeMailId, uuidOf } from '../../base/id.ts';
import { installationKey } from '../../base/secret.ts';
import { fieldsOf, queryOf } from '../../http/query.ts';
import { parseLogs, parseMessageId, parseStats } from './parse.ts';

const key = installationKey(Buffer.alloc(32, 7));
const mailId = composeMailId({ at: Date.UTC(2025, 0, 1), node: 1, sequence: 0 });
const uuid = uuidOf(key, mailId);
const utc = (text: string) => Date.parse(text);

function stats(query: string, zone = 'UTC') {
  return parseStats(queryOf(`/?${query}`), zone);
}

function logs(query: string, zone = 'UTC') {
  return parseLogs(queryOf(`/?${query}`), zone, key);
}

test('without parameters: all time, the first 50', () => {
  assert.deepEqual(stats(''), { ok: true, page: null, limit: 50, offset: 0, range: {} });
  assert.deepEqual(logs(''), { ok: true, page: null, limit: 50, offset: 0, filter: {} });
  assert.deepEqual(logs('start_date=&end_date=&page=&limit=&toMail=&messageId=&search='), logs(''));
});

test('a day is a day of the zone: 23, 24 or 25 hours, from its first instant', () => {
  const table: [string, string, string, number][] = [
    ['UTC', '2022-01-12', '2022-01-12T00:00:00Z', 24],
    ['Asia/Kolkata', '2022-01-12', '2022-01-11T18:30:00Z', 24],
    ['America/New_York', '2025-03-09', '2025-03-09T05:00:00Z', 23],
    ['America/New_York', '2025-11-02', '2025-11-02T04:00:00Z', 25],
    ['Australia/Lord_Howe', '2025-04-06', '2025-04-05T13:00:00Z', 24.5],
    // Clocks went from 00:00 to 01:00: the day began at one.
    ['America/Santiago', '2024-09-08', '2024-09-08T04:00:00Z', 23],
  ];
  for (const [zone, day, from, hours] of table) {
    const question = stats(`start_date=${day}&end_date=${day}`, zone);
    assert.ok(question.ok);
    assert.deepEqual(
      question.range,
      { from: utc(from), to: utc(from) + hours * 3_600_000 },
      `${zone} ${day}`,
    );
  }
});

test('either date alone leaves the other end open', () => {
  const from = stats('start_date=2022-01-12');
  const to = stats('end_date=2022-01-12');
  assert.ok(from.ok && to.ok);
  assert.deepEqual(from.range, { from: utc('2022-01-12T00:00:00Z') });
  assert.deepEqual(to.range, { to: utc('2022-01-13T00:00:00Z') });
});

test('leap days exist in leap years; far years are cut to what can hold mail', () => {
  for (const day of ['2024-02-29', '2000-02-29', '2022-12-31']) assert.ok(stats(`start_date=${day}`).ok, day);
  const farthest = stats('start_date=0000-01-01&end_date=9999-12-31');
  assert.ok(farthest.ok);
  assert.deepEqual(farthest.range, { from: 0, to: utc('2100-01-01T00:00:00Z') });
});

test('what is refused, and in which words', () => {
  const dateRule = 'must be a date that exists, of the form YYYY-MM-DD';
  const table: [string, string][] = [
    ['start_date=2022-02-30', `start_date ${dateRule}`],
    ['end_date=2023-02-29', `end_date ${dateRule}`],
    ['start_date=1900-02-29', `start_date ${dateRule}`],
    ['start_date=2022-13-01', `start_date ${dateRule}`],
    ['start_date=2022-00-10', `start_date ${dateRule}`],
    ['start_date=2022-1-1', `start_date ${dateRule}`],
    ['start_date=20220101', `start_date ${dateRule}`],
    ['start_date=12-01-2022', `start_date ${dateRule}`],
    ['start_date=2022-01-12T00:00:00Z', `start_date ${dateRule}`],
    ['start_date=2022-01-12%0A', `start_date ${dateRule}`],
    ['start_date=1641945600', `start_date ${dateRule}`],
    ['start_date=2022-01-13&end_date=2022-01-12', 'start_date is after end_date'],
    ['page=0', 'page must be a whole number from 1'],
    ['page=-1', 'page must be a whole number from 1'],
    ['page=1.5', 'page must be a whole number from 1'],
    ['page=one', 'page must be a whole number from 1'],
    ['page=%2B1', 'page must be a whole number from 1'],
    ['page=99999999999999999999', 'page must be a whole number from 1'],
    ['page=999999999999999', 'page is too high'],
    ['limit=0', 'limit must be a whole number from 1 to 100'],
    ['limit=-5', 'limit must be a whole number from 1 to 100'],
    ['limit=101', 'limit must be a whole number from 1 to 100'],
    ['limit=1e1', 'limit must be a whole number from 1 to 100'],
    ['limit=all', 'limit must be a whole number from 1 to 100'],
  ];
  for (const [query, message] of table) {
    for (const outcome of [stats(query), logs(query)]) {
      assert.deepEqual(outcome, { ok: false, status: 400, message }, query);
    }
  }
  const tooMany = logs(Array(21).fill('search=a').join('&'));
  assert.deepEqual(tooMany, { ok: false, status: 400, message: 'search may be given 20 times at most' });
});

test('pages', () => {
  const table: [string, object][] = [
    ['page=1', { page: 1, limit: 50, offset: 0 }],
    ['page=3&limit=20', { page: 3, limit: 20, offset: 40 }],
    ['limit=100', { page: null, limit: 100, offset: 0 }],
    ['page=007&limit=1', { page: 7, limit: 1, offset: 6 }],
    ['page=1&page=2', { page: 2, limit: 50, offset: 50 }],
  ];
  for (const [query, expected] of table) {
    assert.deepEqual(logs(query), { ok: true, ...expected, filter: {} }, query);
    assert.deepEqual(stats(query), { ok: true, ...expected, range: {} }, query);
  }
});

test('filters of the log', () => {
  const filterOf = (query: string) => {
    const question = logs(query);
    assert.ok(question.ok);
    return question.filter;
  };
  assert.deepEqual(filterOf('toMail=Ann@shop.example'), { forwardPath: 'Ann@shop.example' });
  assert.deepEqual(filterOf(`messageId=${uuid}:2&end_date=2022-01-12`), {
    mailId,
    n: 2,
    to: utc('2022-01-13T00:00:00Z'),
  });
  assert.deepEqual(filterOf(`messageId=${uuid}`), { mailId });
  assert.deepEqual(filterOf('search=delivered&search=%20ann@shop.example%20&search='), {
    search: [
      { text: 'delivered', status: [{ states: ['delivered'], engaged: false }] },
      { text: 'ann@shop.example' },
    ],
  });
  for (const messageId of ['x', `${uuid}:0`, `${uuid}:`, 'a12a270d-acee-4554-87da-0106f8967c54:2']) {
    assert.equal(filterOf(`messageId=${messageId}`), null);
  }
});

test('message ids', () => {
  assert.deepEqual(parseMessageId(uuid, key), { mailId });
  assert.deepEqual(parseMessageId(`${uuid}:1`, key), { mailId, n: 1 });
  assert.deepEqual(parseMessageId(`${uuid.toUpperCase()}:99999`, key), { mailId, n: 99_999 });
  const other = installationKey(Buffer.alloc(32, 8));
  assert.equal(parseMessageId(uuid, other), null);
  for (const tail of [':0', ':01', ':-1', ':1:1', ':', ' ', ':100000'])
    assert.equal(parseMessageId(uuid + tail, key), null);
});

test('any query ends as a question within bounds or as a refusal', () => {
  const name = fc.constantFrom(
    'start_date',
    'end_date',
    'page',
    'limit',
    'toMail',
    'messageId',
    'search',
    '__proto__',
  );
  const value = fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('2022-01-12', uuid));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const question = parseLogs(fieldsOf(pairs), 'America/New_York', key);
      if (!question.ok) return assert.equal(question.status, 400);
      assert.ok(question.limit >= 1 && question.limit <= 100);
      assert.ok(question.offset >= 0 && question.offset <= 10_000_000);
    }),
  );
});
