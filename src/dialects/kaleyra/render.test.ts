import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryRow } from '../../../test/support/delivery-rows.ts';
import { uuidOf } from '../../base/id.ts';
import { installationKey } from '../../base/secret.ts';
import type { CountRow } from '../../ledger/ledger.ts';
import { dayStats, type Rendering, renderLogs, renderMessage, renderStats } from './render.ts';

const key = installationKey(Buffer.alloc(32, 7));
const rendering: Rendering = { key, zone: 'UTC', sid: 'WB0123456789', price: 0.25 };
const firstPage = { page: null, limit: 50 };
const at = Date.UTC(2025, 5, 15, 12, 0, 5, 999);

function shapeOf(value: object): [string, string][] {
  return Object.entries(value).map(([name, member]) => [
    name,
    Array.isArray(member) ? 'array' : typeof member,
  ]);
}

function messageOf(...changes: Parameters<typeof deliveryRow>) {
  const [message] = renderMessage([deliveryRow(...changes)], rendering).data;
  assert.ok(message);
  const [recipient] = message.recipients;
  assert.ok(recipient);
  return { message, recipient };
}

function logRowOf(...changes: Parameters<typeof deliveryRow>) {
  const [row] = renderLogs({ total: 1, rows: [deliveryRow(...changes)] }, firstPage, rendering).data;
  assert.ok(row);
  return row;
}

test('a message: keys and types in the order of the vendor page', () => {
  const body = renderMessage([deliveryRow()], rendering);
  assert.deepEqual(shapeOf(body), [
    ['data', 'array'],
    ['error', 'object'],
  ]);
  assert.deepEqual(body.error, {});
  const { message, recipient } = messageOf();
  assert.deepEqual(shapeOf(message), [
    ['message_id', 'string'],
    ['from_mail', 'string'],
    ['request_datetime', 'string'],
    ['recipients', 'array'],
  ]);
  assert.deepEqual(shapeOf(recipient), [
    ['delivery_datetime', 'string'],
    ['to', 'string'],
    ['status', 'string'],
    ['error_code', 'string'],
    ['error_message', 'string'],
  ]);
});

test('a message: the four states of the vendor page', () => {
  const { message, recipient } = messageOf();
  const row = deliveryRow();
  assert.equal(message.message_id, `${uuidOf(key, row.mail.mailId)}:1`);
  assert.equal(message.request_datetime, '2025-06-15 12:00:00');
  const accepted = {
    delivery_datetime: '',
    to: 'ann@shop.example',
    status: 'ACCEPTED',
    error_code: '',
    error_message: '',
  };
  assert.deepEqual(recipient, accepted);
  const arrived = '2025-06-15 12:00:05';
  assert.deepEqual(
    messageOf({ state: 'delivered', deliveredAt: at, replyCode: 250, diagnostic: '250 OK' }).recipient,
    {
      ...accepted,
      delivery_datetime: arrived,
      status: 'DELIVERED',
    },
  );
  assert.deepEqual(
    messageOf({
      state: 'failed',
      stateAt: at,
      reason: 'bounce',
      replyCode: 550,
      diagnostic: '550 5.1.1 No "such" user',
    }).recipient,
    {
      ...accepted,
      delivery_datetime: arrived,
      status: 'BOUNCE',
      error_code: '550',
      error_message: '550 5.1.1 No "such" user',
    },
  );
  assert.deepEqual(
    messageOf({ state: 'rejected', stateAt: at, reason: 'sender-domain', diagnostic: 'rejected' }).recipient,
    { ...accepted, status: 'BLOCKED', error_message: 'invalid sender domain' },
  );
});

test('a message: the other states', () => {
  const table: [Parameters<typeof deliveryRow>[0], [string, string, string, string]][] = [
    [
      { state: 'deferred', reason: 'greylisted', replyCode: 450, diagnostic: '450 later' },
      ['DEFERRED', '', '450', '450 later'],
    ],
    [
      { state: 'failed', stateAt: at, reason: 'no-mx', diagnostic: 'no MX and no address' },
      ['BOUNCE', '2025-06-15 12:00:05', '', 'no MX and no address'],
    ],
    [
      { state: 'suppressed', reason: 'suppress-unsubscribe', diagnostic: 'x' },
      ['SUPPRESSED', '', '', 'recipient unsubscribed'],
    ],
    // The text of the retry before it is no error of the canceled mail.
    [
      { state: 'canceled', reason: 'canceled', replyCode: 450, diagnostic: '450 later' },
      ['FAILED', '', '', 'canceled'],
    ],
    [{ state: 'held', reason: 'rate-limited', diagnostic: '450 later' }, ['ACCEPTED', '', '', '']],
  ];
  for (const [facts, expected] of table) {
    const { status, delivery_datetime, error_code, error_message } = messageOf(facts).recipient;
    assert.deepEqual([status, delivery_datetime, error_code, error_message], expected);
  }
});

const logShape: [string, string][] = [
  ['message_id', 'string'],
  ['company_id', 'string'],
  ['status', 'string'],
  ['description', 'string'],
  ['from_mail', 'string'],
  ['to_mail', 'string'],
  ['template_name', 'string'],
  ['submitted_at', 'string'],
  ['delivered_at', 'string'],
  ['sale_price', 'number'],
  ['source', 'string'],
  ['source_type', 'string'],
  ['user_details', 'object'],
  ['email_body', 'string'],
  ['service_id', 'string'],
  ['route', 'string'],
];

test('logs: keys and types in the order of the vendor page, of its older and its newest sample', () => {
  const body = renderLogs({ total: 16, rows: [deliveryRow()] }, { page: null, limit: 4 }, rendering);
  const { data: _, ...rest } = body;
  assert.deepEqual(rest, { error: {}, total: 16, limit: '4', offset: '', page: '0' });
  assert.deepEqual(shapeOf(logRowOf()), logShape);
  assert.deepEqual(shapeOf(logRowOf({}, { category: 'MKT' })), [...logShape, ['type', 'string']]);
  assert.equal(renderLogs({ total: 0, rows: [] }, { page: 2, limit: 50 }, rendering).page, '2');
});

test('logs: a row', () => {
  const { message_id: _, ...row } = logRowOf(
    { state: 'delivered', deliveredAt: at },
    { template: 'new_template', category: 'OTP', transport: 'smtps' },
    { opens: 1 },
  );
  assert.deepEqual(row, {
    company_id: 'WB0123456789',
    status: 'OPEN',
    description: 'Message is opened by the recipient.',
    from_mail: 'news@mail.example.com',
    to_mail: 'ann@shop.example',
    template_name: 'new_template',
    submitted_at: '2025-06-15 12:00:00',
    delivered_at: '2025-06-15 12:00:05',
    sale_price: 0.25,
    source: 'SMTP',
    source_type: 'SMTP',
    user_details: {},
    email_body: '',
    service_id: '',
    route: '',
    type: 'OTP',
  });
});

test('logs: only mail that arrived is charged; a bounce shows its time', () => {
  assert.equal(logRowOf({ state: 'delivered', deliveredAt: at }).sale_price, 0.25);
  const bounced = logRowOf({ state: 'failed', reason: 'bounce', stateAt: at });
  assert.deepEqual([bounced.sale_price, bounced.delivered_at], [0, '2025-06-15 12:00:05']);
  assert.deepEqual(logRowOf().sale_price, 0);
});

test('times are those of the zone, before and after its clocks change', () => {
  const timesIn = (zone: string, acceptedAt: number) => {
    const rows = [deliveryRow({}, { acceptedAt })];
    return renderLogs({ total: 1, rows }, firstPage, { ...rendering, zone }).data[0]?.submitted_at;
  };
  assert.equal(timesIn('Asia/Kolkata', Date.UTC(2025, 5, 30, 18, 30)), '2025-07-01 00:00:00');
  assert.equal(timesIn('America/New_York', Date.UTC(2025, 2, 9, 6, 59, 59, 999)), '2025-03-09 01:59:59');
  assert.equal(timesIn('America/New_York', Date.UTC(2025, 2, 9, 7)), '2025-03-09 03:00:00');
});

function cell(day: string, type: CountRow['type'], count: number, more: Partial<CountRow> = {}): CountRow {
  const facts = { group: '', reason: null, authenticated: true, first: false, unique: 0 };
  return { bucketAt: Date.parse(day), type, count, ...facts, ...more };
}

test('counts: ascending days, five metrics in the order of the vendor page', () => {
  const days = dayStats(
    [
      cell('2022-01-19T00:00Z', 'accepted', 6),
      cell('2022-01-11T00:00Z', 'accepted', 4),
      cell('2022-01-11T00:00Z', 'accepted', 5, { authenticated: false }),
      cell('2022-01-11T00:00Z', 'delivered', 3, { first: true }),
      cell('2022-01-11T00:00Z', 'delivered', 1),
      cell('2022-01-11T00:00Z', 'deferred', 2, { first: true, reason: 'greylisted' }),
      cell('2022-01-11T00:00Z', 'deferred', 7, { reason: 'greylisted' }),
      cell('2022-01-11T00:00Z', 'opened', 8, { unique: 2 }),
      cell('2022-01-11T00:00Z', 'rejected', 1, { reason: 'sender-domain' }),
      cell('2022-01-11T00:00Z', 'rejected', 9, { reason: 'deny-rule' }),
      cell('2022-01-12T00:00Z', 'deferred', 7, { reason: 'greylisted' }),
      cell('2022-01-13T00:00Z', 'rejected', 9, { reason: 'template' }),
    ],
    'UTC',
  );
  const eleventh = {
    date: '2022-01-11',
    stats: [{ metrics: { blocks: 1, deferred: 2, delivered: 4, opens: 8, accepted: 9 } }],
  };
  const nineteenth = {
    date: '2022-01-19',
    stats: [{ metrics: { blocks: 0, deferred: 0, delivered: 0, opens: 0, accepted: 6 } }],
  };
  assert.equal(JSON.stringify(days), JSON.stringify([eleventh, nineteenth]));
  const all = { offset: 0, limit: 50 };
  assert.equal(
    JSON.stringify(renderStats(days, all)),
    JSON.stringify({ data: [eleventh, nineteenth], error: {} }),
  );
  assert.deepEqual(renderStats(days, { offset: 1, limit: 1 }).data, [nineteenth]);
  assert.deepEqual(renderStats(days, { offset: 2, limit: 1 }).data, []);
});

test('counts: the date is the day of the zone', () => {
  const days = dayStats([cell('2022-01-11T18:30Z', 'accepted', 1)], 'Asia/Kolkata');
  assert.deepEqual(
    days.map(({ date }) => date),
    ['2022-01-12'],
  );
});
