import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { relayIdOf } from '../../base/id.ts';
import { queryOf } from '../../http/query.ts';
import type { DeliveryFilter } from '../../ledger/ledger.ts';
import { type LogQuestion, type Now, parseLog, parseStats } from './parse.ts';

const now: Now = { at: Date.parse('2024-05-15T12:34:56.789Z'), zone: 'UTC' };
/** Its relay id has letters. */
const mailId = 50_000_000_000_128;

function parse(query: string, at: Now = now): LogQuestion {
  const question = parseLog(queryOf(`/mail/log?${query}`), at);
  assert.ok(question.ok, `${query}: ${JSON.stringify(question)}`);
  return question;
}

/** The filter without the states, which every question has. */
function filterOf(query: string, at: Now = now): Omit<DeliveryFilter, 'status'> | null {
  const { filter } = parse(query, at);
  if (filter === null) return null;
  const { status, ...rest } = filter;
  assert.ok(status);
  return rest;
}

function statesOf(query: string): string[] {
  const [condition, ...others] = parse(query).filter?.status ?? [];
  assert.deepEqual(others, []);
  return [...(condition?.states ?? [])].sort();
}

test('the defaults', () => {
  const question = parse('');
  assert.equal(question.orderId, null);
  assert.equal(question.groupBy, 'recipient');
  assert.deepEqual(question.page, { offset: 0, limit: 100, direction: 'descending' });
  assert.deepEqual(filterOf(''), {});
});

test('each filter by its name on the wire', () => {
  const rows: [query: string, filter: DeliveryFilter][] = [
    ['origin=192.0.2.7', { origin: '192.0.2.7' }],
    ['origin=2001:DB8:0:0::25', { origin: '2001:db8::25' }],
    ['origin=::ffff:192.0.2.7', { origin: '192.0.2.7' }],
    ['mx=mx.google.com', { remoteMta: 'mx.google.com' }],
    ['mx=ASPMX.L.GOOGLE.COM', { remoteMta: 'ASPMX.L.GOOGLE.COM' }],
    ['from=me@sender.com', { reversePath: 'me@sender.com' }],
    ['to=you%2Btag@receiver.com', { forwardPath: 'you+tag@receiver.com' }],
    ["to=o'hara@receiver.com", { forwardPath: "o'hara@receiver.com" }],
    ['subject=Your+order%20has shipped', { subject: 'Your order has shipped' }],
    ["subject=' OR 1=1 --", { subject: "' OR 1=1 --" }],
    ['subject=+padded+', { subject: ' padded ' }],
    [`mailid=${relayIdOf(mailId)}`, { mailId }],
    ['messageId=<abc123@yourdomain.com>', { messageIdContains: '<abc123@yourdomain.com>' }],
    ['messageId=%25_', { messageIdContains: '%_' }],
    ['replyto=replies@sender.com', { replyTo: 'replies@sender.com' }],
    ['headerfrom=newsletter@sender.com', { fromField: 'newsletter@sender.com' }],
  ];
  for (const [query, filter] of rows) assert.deepEqual(filterOf(query), filter, query);
});

test('filters combine', () => {
  const filter = filterOf('from=a@b.example&to=c@d.example&subject=x&startDate=10&endDate=20');
  const bounds = { from: 10_000, to: 21_000 };
  assert.deepEqual(filter, {
    ...bounds,
    reversePath: 'a@b.example',
    forwardPath: 'c@d.example',
    subject: 'x',
  });
});

test('the names that generated clients use stand for those on the wire', () => {
  assert.deepEqual(filterOf('var_from=a@b.example&message_id=x&start_date=10&end_date=20'), {
    reversePath: 'a@b.example',
    messageIdContains: 'x',
    from: 10_000,
    to: 21_000,
  });
  assert.deepEqual(filterOf('messageId=wire&message_id=alias'), { messageIdContains: 'wire' });
  assert.deepEqual(filterOf('messageId=&message_id=alias'), { messageIdContains: 'alias' });
});

test('an empty value counts as not sent, an unknown name does not count, the last value wins', () => {
  const names = 'id origin mx from to subject mailid messageId replyto headerfrom delivered skip limit';
  const all = `${names} startDate endDate sort dir groupby`.split(' ');
  assert.deepEqual(parse(all.map((name) => `${name}=`).join('&')), parse(''));
  assert.deepEqual(parse('tos=a@b.example&__proto__=1&constructor=2&to[]=x&ID=7'), parse(''));
  assert.deepEqual(filterOf('subject=a&subject=b'), { subject: 'b' });
});

test('delivered splits what the log shows in two; refused submissions are not shown', () => {
  const all = ['canceled', 'deferred', 'delivered', 'expired', 'failed', 'held', 'queued', 'suppressed'];
  assert.deepEqual(statesOf(''), all);
  assert.deepEqual(statesOf('delivered=1'), ['delivered']);
  assert.deepEqual(
    statesOf('delivered=0'),
    all.filter((state) => state !== 'delivered'),
  );
});

test('page, order and grouping', () => {
  const rows: [query: string, expected: Partial<LogQuestion['page']>][] = [
    ['skip=20&limit=5', { offset: 20, limit: 5 }],
    ['skip=-5', { offset: 0 }],
    ['skip=10000000', { offset: 10_000_000 }],
    ['limit=0', { limit: 1 }],
    ['limit=-7', { limit: 1 }],
    ['limit=1', { limit: 1 }],
    ['limit=1000', { limit: 1000 }],
    ['limit=10000', { limit: 10_000 }],
    ['limit=10001', { limit: 10_000 }],
    ['limit=999999999999', { limit: 10_000 }],
    ['limit=+7', { limit: 7 }],
    ['sort=time&dir=desc', { direction: 'descending' }],
    ['dir=asc', { direction: 'ascending' }],
  ];
  for (const [query, expected] of rows) {
    assert.deepEqual({ ...parse(query).page, ...expected }, parse(query).page, query);
  }
  assert.equal(parse('groupby=message').groupBy, 'message');
  assert.equal(parse('groupby=recipient').groupBy, 'recipient');
  assert.equal(parse('id=2604').orderId, 2604);
  assert.equal(parse('id=-1').orderId, -1);
});

test('a mail id that none of ours can be finds nothing', () => {
  const before2024 = '185997065c60008840';
  for (const id of [before2024, relayIdOf(mailId).toUpperCase(), 'x'.repeat(18), '0'.repeat(19)]) {
    assert.equal(parse(`mailid=${id}`).filter, null, id);
  }
});

test('what is wrong is refused, and the message names the parameter', () => {
  const wrong: Record<string, string[]> = {
    id: ['x', '1.5', '1e3', '0x10', '1 2', '9'.repeat(16), '١'],
    origin: ['x', '1.2.3', '1.2.3.4.5', '256.1.1.1', '192.0.2.0/24', 'localhost', ':::'],
    mx: ['a b', 'a..b', '-a.example', 'a-.example', '.', 'http://mx.example', `${'a'.repeat(64)}.example`],
    from: [
      'x',
      '@x.example',
      'a@',
      'a b@x.example',
      '<a@x.example>',
      'a@x.example,b@x.example',
      'a@x..y',
      '<>',
    ],
    to: ['x', "' OR 1=1 --", 'a@x.example\0'],
    replyto: ['x'],
    headerfrom: ['Name <a@x.example>'],
    mailid: ['1', '1'.repeat(17), '1'.repeat(20)],
    delivered: ['2', '-1', 'true', 'yes', '01', '1.0'],
    skip: ['x', '1.5', '10000001', '9'.repeat(30)],
    limit: ['x', '1.5', 'Infinity', 'NaN', '1e3'],
    startDate: ['xx', 'last', '2024-13-01', '1e999x', '<script>', '2024-01-15; DROP TABLE x'],
    endDate: ['nonsense', '32 January 2024'],
    sort: ['size', 'TIME', '_id'],
    dir: ['up', 'DESC', 'desc;'],
    groupby: ['day', 'Message'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const refusal = parseLog(queryOf(`/?${new URLSearchParams({ [name]: value })}`), now);
      assert.ok(!refusal.ok, `${name}=${value}`);
      assert.equal(refusal.status, 400);
      assert.ok(refusal.message.startsWith(`The parameter ${name} `), refusal.message);
      assert.match(refusal.message, /^[\w ,()]+\.$/, 'what was sent is not repeated');
    }
  }
});

test('dates are Unix seconds or words, and both ends are included to the second', () => {
  const at = (text: string) => Date.parse(text);
  const rows: [query: string, filter: DeliveryFilter][] = [
    ['startDate=1704067200&endDate=1706745599', { from: 1_704_067_200_000, to: 1_706_745_600_000 }],
    ['startDate=0', { from: 0 }],
    ['startDate=-5', { from: -5000 }],
    ['startDate=1704067200.9', { from: 1_704_067_200_000 }],
    ['startDate=1.7e9', { from: 1_700_000_000_000 }],
    ['startDate=2024-01-01&endDate=2024-01-31', { from: at('2024-01-01'), to: at('2024-01-31') + 1000 }],
    ['startDate=2024-01-01 00:00:00', { from: at('2024-01-01') }],
    ['startDate=last monday', { from: at('2024-05-13') }],
    ['startDate=yesterday&endDate=today', { from: at('2024-05-14'), to: at('2024-05-15') + 1000 }],
    ['endDate=now', { to: at('2024-05-15T12:34:57Z') }],
    ['startDate=@1704067200', { from: 1_704_067_200_000 }],
    ['startDate=1e300', { from: 8.64e15 }],
    ['startDate=20240115', { from: 20_240_115_000 }],
  ];
  for (const [query, filter] of rows) assert.deepEqual(filterOf(query), filter, query);
});

test('dates without a zone are those of the configured one', () => {
  const york = { ...now, zone: 'America/New_York' };
  assert.deepEqual(filterOf('startDate=2024-01-15', york), { from: Date.parse('2024-01-15T05:00:00Z') });
  assert.deepEqual(filterOf('startDate=2024-07-15', york), { from: Date.parse('2024-07-15T04:00:00Z') });
  assert.deepEqual(filterOf('startDate=2024-01-15T00:00:00Z', york), { from: Date.parse('2024-01-15') });
});

test('whatever is sent, the answer is a question within bounds or a refusal', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer().map(String),
    fc.constantFrom('', '__proto__'),
  );
  const name = fc.constantFrom(
    'id',
    'skip',
    'limit',
    'startDate',
    'endDate',
    'to',
    'mailid',
    'origin',
    '__proto__',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const question = parseLog(queryOf(`/?${new URLSearchParams(pairs)}`), now);
      if (!question.ok) return assert.equal(question.status, 400);
      assert.ok(question.page.limit >= 1 && question.page.limit <= 10_000);
      assert.ok(question.page.offset >= 0 && question.page.offset <= 10_000_000);
    }),
  );
});

test('the window of the statistics; what is unknown counts as the last hour', () => {
  for (const time of ['1h', '24h', '7d', 'month', 'day', 'billing', 'all']) {
    assert.equal(parseStats(queryOf(`/?time=${time}`)), time);
  }
  for (const query of ['', 'time=', 'time=2h', 'time=ALL', 'time=__proto__', 'time[]=all', 'Time=all']) {
    assert.equal(parseStats(queryOf(`/?${query}`)), '1h', query);
  }
  assert.equal(parseStats(queryOf('/?time=day&time=all')), 'all');
});
