import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryRow } from '../../../test/support/delivery-rows.ts';
import { deliveryOfSendId } from '../../base/id.ts';
import { installationKey } from '../../base/secret.ts';
import type { LogQuestion } from './parse.ts';
import { renderLog } from './render.ts';
import { standardWords } from './words.ts';

const key = installationKey(Buffer.alloc(32, 7));
const question: LogQuestion = {
  startDate: 1_644_152_198,
  endDate: 1_644_238_598,
  rows: 50,
  offset: 0,
  app: '',
  filter: {},
};

/** Keys and JSON types of the sample on the vendor's page, in its order. */
const golden = {
  body: {
    status: 'string',
    start_date: 'number',
    end_date: 'number',
    total: 'number',
    offset: 'number',
    results: 'number',
    data: 'object',
  },
  row: {
    appid: 'string',
    sendID: 'string',
    to_address: 'string',
    to_name: 'string',
    from_address: 'string',
    from_name: 'string',
    reply: 'string',
    subject: 'string',
    send_at: 'number',
    sent_at: 'number',
    status: 'number',
    bounce: 'number',
    ip_address: 'string',
    message: 'string',
  },
};

function shapeOf(value: object): Record<string, string> {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, typeof member]));
}

function render(...changes: Parameters<typeof deliveryRow>) {
  const row = deliveryRow(...changes);
  const [rendered] = renderLog(question, { total: 1, rows: [row] }, key, standardWords).data;
  assert.ok(rendered);
  return { row, rendered };
}

test('keys, order and types are those of the vendor page', () => {
  const rows = [deliveryRow(), deliveryRow({ state: 'failed', reason: 'bounce' })];
  const body = renderLog(question, { total: 724, rows }, key, standardWords);
  assert.deepEqual(Object.entries(shapeOf(body)), Object.entries(golden.body));
  for (const row of body.data) assert.deepEqual(Object.entries(shapeOf(row)), Object.entries(golden.row));
});

test('the head repeats the question; results is the size of a page, total all that match', () => {
  const asked = { ...question, rows: 20, offset: 40 };
  const { data: _, ...head } = renderLog(asked, { total: 41, rows: [deliveryRow()] }, key, standardWords);
  assert.deepEqual(head, {
    status: 'success',
    start_date: 1_644_152_198,
    end_date: 1_644_238_598,
    total: 41,
    offset: 40,
    results: 20,
  });
});

test('a delivered mail', () => {
  const deliveredAt = Date.UTC(2025, 5, 15, 12, 0, 5, 999);
  const { row, rendered } = render(
    {
      state: 'delivered',
      deliveredAt,
      lastAttemptAt: deliveredAt - 90,
      attempts: 1,
      diagnostic: '250 2.0.0 OK',
      displayName: '张三',
    },
    { replyTo: 'help@mail.example.com' },
  );
  const { sendID, ...rest } = rendered;
  assert.deepEqual(rest, {
    appid: '10001',
    to_address: 'ann@shop.example',
    to_name: '张三',
    from_address: 'news@mail.example.com',
    from_name: 'News',
    reply: 'help@mail.example.com',
    subject: 'Verification',
    send_at: Date.UTC(2025, 5, 15, 12, 0, 0) / 1000,
    sent_at: Date.UTC(2025, 5, 15, 12, 0, 5) / 1000,
    status: 6,
    bounce: 0,
    ip_address: '192.0.2.7',
    message: '',
  });
  assert.match(sendID, /^[0-9a-f]{32}$/);
  assert.deepEqual(deliveryOfSendId(key, sendID), { mailId: row.mail.mailId, n: 1 });
});

test('sent_at and message along the life of a mail', () => {
  const attemptAt = Date.UTC(2025, 5, 15, 12, 10);
  const greylisted = { reason: 'greylisted', diagnostic: '450 4.2.0 Greylisted' } as const;
  const table: [Parameters<typeof deliveryRow>[0], number, string][] = [
    [{ state: 'queued' }, 0, ''],
    [{ state: 'queued', leased: true, attempts: 1, lastAttemptAt: attemptAt }, 0, ''],
    [
      { state: 'deferred', attempts: 1, lastAttemptAt: attemptAt, ...greylisted },
      attemptAt / 1000,
      '450 4.2.0 Greylisted',
    ],
    [
      { state: 'deferred', leased: true, attempts: 2, lastAttemptAt: attemptAt, ...greylisted },
      attemptAt / 1000,
      '450 4.2.0 Greylisted',
    ],
    [
      {
        state: 'failed',
        attempts: 1,
        lastAttemptAt: attemptAt,
        reason: 'bounce',
        diagnostic: '550 5.1.1 No',
      },
      attemptAt / 1000,
      '550 5.1.1 No',
    ],
    [{ state: 'suppressed', reason: 'suppress-bounce', diagnostic: 'suppressed' }, 0, 'suppressed'],
  ];
  for (const [facts, sentAt, message] of table) {
    const { rendered } = render(facts);
    assert.deepEqual([rendered.sent_at, rendered.message], [sentAt, message], JSON.stringify(facts));
  }
});

test('a mail returned after its delivery is a bounce that keeps the time it was delivered', () => {
  const deliveredAt = Date.UTC(2025, 5, 15, 12, 0, 5);
  const { rendered } = render({ state: 'failed', reason: 'bounce', deliveredAt, diagnostic: '550 gone' });
  assert.deepEqual([rendered.status, rendered.bounce, rendered.sent_at], [8, 1, deliveredAt / 1000]);
});
