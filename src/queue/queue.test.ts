import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { openStore } from '../store/store.ts';
import { createOutboxReader, openQueue, passInOutbox } from './queue.ts';

const now = 1_790_000_000_000;

const mail: MailFacts = {
  mailId: 100,
  tenantId: 1,
  streamId: 10_001,
  sendingDomain: 'example.test',
  acceptedAt: now,
  reversePath: 'app@example.test',
  fromField: { address: 'app@example.test', name: '' },
  toField: '',
  replyTo: '',
  subject: 'Grüße "quoted" \u2028',
  messageIdField: 'm@example.test',
  contentBytes: 10,
  bodyBytes: 5,
  origin: '192.0.2.1',
  transport: 'smtp',
  protocol: 'ESMTPA',
  authenticated: true,
  tags: ['__proto__'],
  template: '',
  category: '',
};

const queued: DeliveryFacts = {
  n: 1,
  forwardPath: 'ok@example.org',
  domain: 'example.org',
  provider: 'example.org',
  displayName: '',
  state: 'queued',
  stateAt: now,
  attempts: 0,
  deferrals: 0,
  firstAttemptAt: null,
  lastAttemptAt: null,
  deliveredAt: null,
  nextAttemptAt: now,
  expiresAt: now + 1_000,
  leased: false,
  reason: null,
  replyCode: null,
  enhancedStatus: '',
  diagnostic: '',
  remoteMta: '',
  remoteMtaAddress: '',
  sendingIp: '',
  node: 'relay',
};
const leased: DeliveryFacts = {
  ...queued,
  leased: true,
  attempts: 1,
  firstAttemptAt: now,
  lastAttemptAt: now,
};
const delivered: DeliveryFacts = {
  ...leased,
  leased: false,
  state: 'delivered',
  nextAttemptAt: null,
  deliveredAt: now,
};
const content = { segment: null, offset: null, bytes: 10, checksum: 1 };

function setUp(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-queue-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const queue = openQueue(store);
  const change = (facts: DeliveryFacts, mailId = mail.mailId) => {
    const before = queue.delivery(mailId, facts.n);
    assert.ok(before);
    queue.update(before, facts);
  };
  const record = (type: 'accepted' | 'delivered', delivery: DeliveryFacts, mailId = mail.mailId) =>
    queue.record({ mailId, type, at: now, delivery, status: null, engagement: null });
  return { store, queue, outbox: createOutboxReader(store), change, record };
}

test('a delivery is due when queued, not while leased, never when ended', (t) => {
  const { queue, change } = setUp(t);
  queue.insertMail({ facts: mail, content });
  queue.insertDelivery(mail.mailId, { destination: 'example.org', facts: queued });
  const lane = { class: 'transactional', tenantId: mail.tenantId, destination: 'example.org' } as const;
  const due = (at = now) => queue.dueIn(lane, { now: at, limit: 10 }).map(({ n }) => n);
  const next = () => queue.nextTenant('transactional', 0);
  assert.deepEqual(due(), [1]);
  assert.deepEqual(next(), { tenantId: mail.tenantId, lookAt: now });
  assert.deepEqual(due(now - 1), []);
  change(leased);
  assert.deepEqual(due(), []);
  assert.equal(queue.leased().length, 1);
  change({ ...leased, leased: false, state: 'deferred', nextAttemptAt: now - 5 });
  assert.deepEqual(due(), [1]);
  change(delivered);
  assert.deepEqual(due(), []);
  assert.equal(next(), null);
  assert.equal(queue.leased().length, 0);
});

test('a mail is clearable when every delivery has ended and the ledger has every event', (t) => {
  const { queue, outbox, change, record } = setUp(t);
  queue.insertMail({ facts: mail, content });
  for (const n of [1, 2]) {
    queue.insertDelivery(mail.mailId, { destination: 'example.org', facts: { ...queued, n } });
    record('accepted', { ...queued, n });
  }
  const clearable = () => queue.clearable(10).map(({ mailId }) => mailId);
  outbox.advance(2);
  change(delivered);
  record('delivered', delivered);
  assert.deepEqual(clearable(), []);
  change({ ...delivered, n: 2 });
  record('delivered', { ...delivered, n: 2 });
  assert.deepEqual(clearable(), []);
  outbox.advance(3);
  assert.deepEqual(clearable(), []);
  outbox.advance(4);
  assert.deepEqual(clearable(), [mail.mailId]);
  queue.clear(mail.mailId);
  assert.equal(queue.mail(mail.mailId), null);
  assert.equal(queue.highestMailId(), mail.mailId);
});

test('events come out of the outbox as they went in, in order, without holes, also after an undone transaction', (t) => {
  const { store, queue, outbox, record } = setUp(t);
  queue.insertMail({ facts: mail, content });
  record('accepted', queued);
  assert.throws(() =>
    store.transaction(() => {
      record('accepted', queued);
      throw new Error('undone');
    }),
  );
  record('delivered', delivered);
  assert.deepEqual(outbox.read(0, 10), [
    { sequence: 1, type: 'accepted', at: now, mail, delivery: queued, status: null, engagement: null },
    { sequence: 2, type: 'delivered', at: now, mail, delivery: delivered, status: null, engagement: null },
  ]);
  assert.equal(outbox.newest(), 2);
  outbox.begin(1);
  assert.deepEqual(outbox.cursor(), { appendedTo: 0, pendingTo: 1 });
  outbox.advance(1);
  assert.deepEqual(outbox.cursor(), { appendedTo: 1, pendingTo: null });
  outbox.advance(2);
  record('accepted', queued);
  assert.deepEqual(
    outbox.read(2, 10).map(({ sequence }) => sequence),
    [3],
  );
});

test('the list is filtered and paged by mail and number', (t) => {
  const { queue } = setUp(t);
  for (const mailId of [1, 2, 3]) {
    queue.insertMail({ facts: { ...mail, mailId, tenantId: mailId === 3 ? 2 : 1 }, content });
    for (const n of [1, 2])
      queue.insertDelivery(mailId, {
        destination: n === 1 ? 'example.org' : 'example.net',
        facts: { ...queued, n },
      });
  }
  const ids = (filter: Parameters<typeof queue.list>[0], after = { mailId: 0, n: 0 }, limit = 10) =>
    queue.list(filter, after, limit).map(({ mailId, facts }) => `${mailId}:${facts.n}`);
  assert.deepEqual(ids({}), ['1:1', '1:2', '2:1', '2:2', '3:1', '3:2']);
  assert.deepEqual(ids({}, { mailId: 1, n: 2 }, 2), ['2:1', '2:2']);
  assert.deepEqual(ids({ tenantId: 2 }), ['3:1', '3:2']);
  assert.deepEqual(ids({ destination: 'example.net', mailId: 2 }), ['2:2']);
  assert.deepEqual(ids({ forwardPath: 'OK@example.org', n: 1, states: ['queued'] }), ['1:1', '2:1', '3:1']);
  assert.deepEqual(ids({ states: ['held'] }), []);
  assert.equal(queue.count({ tenantId: 1 }), 4);
});

test('what is held is not due; its time comes by itself', (t) => {
  const { queue } = setUp(t);
  queue.insertMail({ facts: mail, content });
  const held = { ...queued, state: 'held' as const };
  const insert = (n: number, nextAttemptAt: number | null) =>
    queue.insertDelivery(mail.mailId, { facts: { ...held, n, nextAttemptAt }, destination: 'example.org' });
  insert(1, now);
  insert(2, now + 1);
  insert(3, null);
  assert.deepEqual(queue.dueOfMail(mail.mailId, { now: now + 10, limit: 10 }), []);
  assert.equal(queue.nextTenant('transactional', 0), null);
  const heldDue = (at: number, limit = 10) => queue.heldDue(at, limit).map(({ n }) => n);
  assert.deepEqual(heldDue(now - 1), []);
  assert.deepEqual(heldDue(now), [1]);
  assert.deepEqual(heldDue(now + 10), [1, 2]);
  assert.deepEqual(heldDue(now + 10, 1), [1]);
});

test('options of a mail and of its forward-paths come back as they were', (t) => {
  const { queue } = setUp(t);
  const options = { smtpUtf8: true, ret: 'HDRS', envid: 'a+2Bb', requireTls: true, priority: -3 } as const;
  queue.insertMail({ facts: mail, content, options });
  const wanted = { notify: ['SUCCESS', 'DELAY'], orcpt: 'utf-8;ö@x' } as const;
  queue.insertDelivery(mail.mailId, { facts: queued, destination: 'example.org', options: wanted });
  queue.insertDelivery(mail.mailId, { facts: { ...queued, n: 2 }, destination: 'example.org' });
  assert.deepEqual(queue.mail(mail.mailId)?.options, options);
  assert.deepEqual(queue.delivery(mail.mailId, 1)?.options, wanted);
  assert.equal(queue.delivery(mail.mailId, 2)?.options, null);
  queue.insertMail({ facts: { ...mail, mailId: 101 }, content });
  assert.equal(queue.mail(101)?.options, null);
});

test('a store older than the ledger: what the ledger has is passed, new events are numbered after it', (t) => {
  const { store, queue, outbox, record } = setUp(t);
  store.transaction(() => {
    queue.insertMail({ facts: mail, content });
    for (let count = 0; count < 6; count += 1) record('accepted', queued);
  });
  outbox.advance(2);
  passInOutbox(store, 1);
  assert.deepEqual(
    outbox.cursor(),
    { appendedTo: 2, pendingTo: null },
    'a ledger that has less changes nothing',
  );
  outbox.begin(4);
  passInOutbox(store, 3);
  assert.deepEqual(outbox.cursor(), { appendedTo: 2, pendingTo: 4 }, 'half a batch is repeated');
  passInOutbox(store, 5);
  assert.deepEqual(outbox.cursor(), { appendedTo: 5, pendingTo: null });
  assert.deepEqual(
    outbox.read(5, 10).map(({ sequence }) => sequence),
    [6],
  );
  passInOutbox(store, 20);
  store.transaction(() => record('delivered', delivered));
  assert.deepEqual(
    outbox.read(20, 10).map(({ sequence }) => sequence),
    [21],
  );
  assert.deepEqual(outbox.cursor(), { appendedTo: 20, pendingTo: null });
});

test('a new store beside a ledger that knows its node goes on behind it', (t) => {
  const { store, queue, outbox, record } = setUp(t);
  passInOutbox(store, 7);
  store.transaction(() => {
    queue.insertMail({ facts: mail, content });
    record('accepted', queued);
  });
  assert.deepEqual(
    outbox.read(7, 10).map(({ sequence }) => sequence),
    [8],
  );
});
