import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryRow } from '../../../test/support/delivery-rows.ts';
import { composeMailId } from '../../base/id.ts';
import { costOf, renderEntry, renderStats } from './render.ts';

const settings = { zone: 'UTC', basePrice: 1, pricePerThousand: 0.2, currency: 'USD', billingDay: 1 };

/** The published example's id begins with its time in hex milliseconds; this one's does as well. */
const acceptedAt = Date.parse('2025-10-14T12:30:09.934Z');
const mailId = composeMailId({ at: acceptedAt, node: 3, sequence: 5 });

const mail = {
  mailId,
  streamId: 21_472,
  acceptedAt,
  reversePath: 'person@mysite.example',
  subject: 'Welcome',
  messageIdField: 'vmiLEebsuCbSpUxD7oN3REpaN4VbN6BrdCAbNKIrdAo@relay0.mailbaby.example',
  origin: '192.0.2.7',
  transport: 'smtp',
  protocol: 'ESMTPSA',
  bodyBytes: 63,
} as const;

test('a delivered mail, with the names and types of the published model', () => {
  const delivered = {
    n: 1,
    forwardPath: 'client@isp.example',
    domain: 'isp.example',
    state: 'delivered',
    lastAttemptAt: 1_760_445_010_041,
    replyCode: 250,
    diagnostic: '250 2.0.0 Ok: queued as C91D83E128C',
    remoteMta: 'mx.isp.example',
    node: 'relay1',
  } as const;
  assert.deepEqual(renderEntry(deliveryRow(delivered, mail), 'America/New_York'), {
    _id: mailId,
    id: '199e2b3100e0050003',
    from: 'person@mysite.example',
    to: 'client@isp.example',
    subject: 'Welcome',
    messageId: '<vmiLEebsuCbSpUxD7oN3REpaN4VbN6BrdCAbNKIrdAo@relay0.mailbaby.example>',
    created: '2025-10-14 08:30:09',
    time: 1_760_445_009,
    user: 'mb21472',
    transtype: 'ESMTPSA',
    origin: '192.0.2.7',
    interface: 'feeder',
    sendingZone: 'default',
    bodySize: 63,
    seq: 1,
    delivered: 1,
    code: 250,
    response: '250 2.0.0 Ok: queued as C91D83E128C',
    recipient: 'client@isp.example',
    domain: 'isp.example',
    locked: 0,
    lockTime: '1760445010041',
    assigned: 'relay1',
    queued: '2025-10-14T12:30:09.934Z',
    mxHostname: 'mx.isp.example',
  });
});

test('a mail not tried yet has nulls where the attempt would speak', () => {
  const { code, response, lockTime, mxHostname, delivered, locked, messageId } = renderEntry(
    deliveryRow({}, { messageIdField: '' }),
    'UTC',
  );
  assert.deepEqual(
    { code, response, lockTime, mxHostname, delivered, locked, messageId },
    {
      code: null,
      response: null,
      lockTime: null,
      mxHostname: null,
      delivered: 0,
      locked: 0,
      messageId: null,
    },
  );
});

test('only a delivered mail counts as delivered; a lease is a lock', () => {
  for (const state of [
    'queued',
    'held',
    'deferred',
    'failed',
    'expired',
    'suppressed',
    'canceled',
  ] as const) {
    assert.equal(renderEntry(deliveryRow({ state }), 'UTC').delivered, 0, state);
  }
  assert.equal(renderEntry(deliveryRow({ leased: true }), 'UTC').locked, 1);
  assert.equal(
    renderEntry(deliveryRow({ state: 'suppressed', diagnostic: 'own words' }), 'UTC').response,
    'own words',
  );
});

test('mail by HTTP comes from another interface', () => {
  const { interface: name, transtype } = renderEntry(
    deliveryRow({}, { transport: 'http', protocol: 'HTTP' }),
    'UTC',
  );
  assert.deepEqual([name, transtype], ['api', 'HTTP']);
  assert.equal(renderEntry(deliveryRow({}, { transport: 'smtps' }), 'UTC').interface, 'feeder');
});

test('local time has no offset, at any hour of the year', () => {
  const created = (at: string, zone: string) =>
    renderEntry(deliveryRow({}, { acceptedAt: Date.parse(at) }), zone).created;
  assert.equal(created('2024-12-31T23:59:59.999Z', 'UTC'), '2024-12-31 23:59:59');
  assert.equal(created('2024-12-31T23:59:59.999Z', 'Asia/Kolkata'), '2025-01-01 05:29:59');
  assert.equal(created('2024-11-03T05:30:00Z', 'America/New_York'), '2024-11-03 01:30:00');
  assert.equal(created('2024-11-03T06:30:00Z', 'America/New_York'), '2024-11-03 01:30:00');
});

test('the cost: base price, and the use rounded up to a cent', () => {
  const rows: [usage: number, cost: number][] = [
    [0, 1],
    [1, 1.01],
    [50, 1.01],
    [51, 1.02],
    [55, 1.02],
    [150, 1.03],
    [1000, 1.2],
    [1001, 1.21],
    [123_456, 25.7],
  ];
  for (const [usage, cost] of rows) assert.equal(costOf(usage, settings), cost, `${usage} mails`);
  assert.equal(costOf(1000, { ...settings, basePrice: 0, pricePerThousand: 0 }), 0);
  assert.equal(costOf(3, { ...settings, basePrice: 0.1, pricePerThousand: 100 }), 0.4);
});

test('statistics are objects of counts, also when empty and whatever the keys are called', () => {
  const totals = { accepted: 3, delivered: 2 };
  const none = { to: [], from: [], ip: [] };
  const empty = renderStats({ time: '1h', usage: 55, totals, volume: none }, settings);
  assert.equal(
    JSON.stringify(empty),
    '{"time":"1h","usage":55,"currency":"USD","cost":1.02,"received":3,"sent":2,"volume":{"to":{},"from":{},"ip":{}}}',
  );
  const from = [
    { key: 'b@x.example', count: 9 },
    { key: '__proto__', count: 2 },
    { key: 'constructor', count: 2 },
    { key: '', count: 1 },
  ];
  const named = renderStats({ time: 'all', usage: 0, totals, volume: { ...none, from } }, settings);
  assert.equal(JSON.stringify(named.volume.from), '{"b@x.example":9,"__proto__":2,"constructor":2,"":1}');
});
