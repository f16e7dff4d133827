/** Events of the service as an import reads them, however they are laid out. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type ImportWorld, newImportWorld } from '../../../test/support/import-world.ts';
import { eventExport } from './import-events.ts';

let world: ImportWorld;
beforeEach(() => {
  world = newImportWorld();
});
afterEach(() => world.close());

const headers = {
  'message-id': '20261120.1@acme.test',
  from: 'Acme <news@acme.test>',
  to: 'Ann <ann@example.org>',
  subject: 'Hello',
};
const about = (recipient: string) => ({
  recipient,
  envelope: { sender: 'bounce+1@acme.test', transport: 'smtp', targets: recipient },
  message: { headers, attachments: [], size: 4711 },
  flags: { 'is-authenticated': true, 'is-test-mode': false },
  tags: ['news'],
  'user-variables': {},
});
const at = 1_795_168_800.123;
const events = [
  { event: 'accepted', id: 'a1', timestamp: at, method: 'HTTP', ...about('ann@example.org') },
  {
    event: 'failed',
    id: 'a2',
    timestamp: at + 1,
    severity: 'temporary',
    reason: 'greylisted',
    'delivery-status': {
      code: 451,
      message: '4.7.1 Greylisted',
      'attempt-no': 1,
      'session-seconds': 0.5,
      'mx-host': 'mx.example.org',
    },
    ...about('ann@example.org'),
  },
  {
    event: 'delivered',
    id: 'a3',
    timestamp: at + 60,
    'delivery-status': { code: 250, message: 'OK', 'mx-host': 'mx.example.org' },
    ...about('ann@example.org'),
  },
  {
    event: 'opened',
    id: 'a4',
    timestamp: at + 100,
    ip: '192.0.2.5',
    geolocation: { country: 'DE' },
    'client-info': { 'client-name': 'Chrome', 'device-type': 'desktop', 'user-agent': 'Mozilla/5.0' },
    ...about('ann@example.org'),
  },
  {
    event: 'clicked',
    id: 'a5',
    timestamp: at + 101,
    url: 'https://acme.test/{"x":"]"}',
    ...about('ann@example.org'),
  },
  { event: 'complained', id: 'a6', timestamp: at + 102, ...about('ann@example.org') },
  { event: 'unsubscribed', id: 'a7', timestamp: at + 103, ...about('ann@example.org') },
  { event: 'stored', id: 'a8', timestamp: at + 104, ...about('ann@example.org') },
  { event: 'accepted', id: 'b1', timestamp: at, ...about('bob@example.net') },
  {
    event: 'failed',
    id: 'b2',
    timestamp: at + 2,
    severity: 'permanent',
    reason: 'bounce',
    'delivery-status': { code: 550, message: '5.1.1 no such user' },
    ...about('bob@example.net'),
  },
  {
    event: 'failed',
    id: 'c1',
    timestamp: at + 3,
    severity: 'permanent',
    reason: 'suppress-bounce',
    'delivery-status': { code: 605, message: '' },
    ...about('cyd@example.net'),
  },
  {
    event: 'failed',
    id: 'd1',
    timestamp: at + 4,
    severity: 'permanent',
    reason: 'old',
    'delivery-status': { code: 602, message: 'Too old' },
    ...about('dan@example.net'),
  },
  {
    event: 'delivered',
    id: 'e1',
    timestamp: at + 5,
    'delivery-status': { code: 250, message: 'OK' },
    ...about('eve@example.net'),
  },
  {
    event: 'failed',
    id: 'e2',
    timestamp: at + 500,
    severity: 'permanent',
    reason: 'bounce',
    ...about('eve@example.net'),
    flags: { 'is-delayed-bounce': true },
    'delivery-status': { code: 550, message: 'gone' },
  },
  {
    event: 'rejected',
    id: 'f1',
    timestamp: at + 6,
    reject: { reason: 'Sandbox subdomains are for test purposes only.' },
    ...about('fay@example.net'),
  },
  { event: 'list_member_uploaded', id: 'g1', timestamp: at + 7 },
];

const stories = [
  'bounce+1@acme.test > ann@example.org: accepted deferred delivered opened clicked complained unsubscribed stored',
  'bounce+1@acme.test > bob@example.net: accepted failed',
  'bounce+1@acme.test > cyd@example.net: accepted suppressed',
  'bounce+1@acme.test > dan@example.net: accepted expired',
  'bounce+1@acme.test > eve@example.net: accepted delivered returned',
  'bounce+1@acme.test > fay@example.net: rejected',
];
const page = (items: unknown[]) =>
  JSON.stringify({ items, paging: { next: 'https://x.test/{', last: '["' } }, null, 2);
const layouts = {
  'one array, newest first': JSON.stringify(events.toReversed()),
  'one object a line': events.map((event) => JSON.stringify(event)).join('\n'),
  'pages one after the other': `${page(events.toReversed().slice(0, 7))}\n${page(events.toReversed().slice(7))}${page([])}`,
  webhooks: events
    .map((event) => JSON.stringify({ signature: { token: 'x' }, 'event-data': event }))
    .join('\n'),
};

for (const [name, text] of Object.entries(layouts)) {
  test(name, async () => {
    const summary = await world.import(eventExport, [world.file('events.json', text)]);
    const {
      lines,
      mails,
      deliveries,
      delivered,
      deferred,
      failed,
      expired,
      unparsed,
      suppressed,
      rejected,
      ignored,
    } = summary;
    assert.deepEqual(
      [lines, mails, deliveries, delivered, deferred, failed, expired, unparsed],
      [16, 1, 5, 1, 0, 2, 1, 0],
    );
    assert.deepEqual([suppressed, rejected, ignored], [1, 1, 1]);
    assert.deepEqual(world.stories().sort(), stories.toSorted());
    const again = await world.import(eventExport, [world.file('again.json', `${text}\n`)]);
    assert.equal(again.newEvents, 0);
  });
}

test('facts, reasons, times to the millisecond', async () => {
  await world.import(eventExport, [world.file('events.json', layouts['one array, newest first'])]);
  const of = (type: string) => world.events().find((event) => event.type === type);
  const mail = of('accepted')?.mail;
  assert.deepEqual(
    [mail?.subject, mail?.fromField, mail?.tags, mail?.contentBytes],
    ['Hello', { address: 'news@acme.test', name: 'Acme' }, ['news'], 4711],
  );
  assert.deepEqual([mail?.sendingDomain, mail?.acceptedAt], ['acme.test', 1_795_168_800_123]);
  assert.deepEqual(
    [of('deferred')?.delivery.reason, of('deferred')?.delivery.replyCode, of('deferred')?.delivery.remoteMta],
    ['greylisted', 451, 'mx.example.org'],
  );
  assert.deepEqual(
    [of('suppressed')?.delivery.reason, of('expired')?.delivery.reason],
    ['suppress-bounce', 'old'],
  );
  assert.deepEqual(
    [of('opened')?.engagement?.country, of('opened')?.engagement?.device, of('opened')?.at],
    ['de', 'desktop', 1_795_168_900_123],
  );
  assert.equal(of('clicked')?.engagement?.url, 'https://acme.test/{"x":"]"}');
});

test('what is no event, and half of one', async () => {
  const text = `not json\n{"event":"delivered"}\n{"a":1}\n${JSON.stringify(events[0])}\n{"event": "deliv`;
  const summary = await world.import(eventExport, [world.file('events.json', text)]);
  assert.deepEqual([summary.lines, summary.mails, summary.unparsed], [5, 1, 4]);
});
