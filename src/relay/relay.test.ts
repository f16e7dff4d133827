/** The relay with a real store and spool, and the rehearsal destination for a remote. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../base/clock.ts';
import { relayIdOf } from '../base/id.ts';
import { silentLog } from '../base/log.ts';
import { installationKey } from '../base/secret.ts';
import type { EventType } from '../events/event.ts';
import { type ForwardPathOptions, noMailOptions } from '../protocol/smtp/envelope-options.ts';
import { createOutboxReader, openQueue } from '../queue/queue.ts';
import { connect, createSessionPool } from '../smtp-client/smtp-client.ts';
import { openSpool } from '../spool/spool.ts';
import { createGroupCommit, openStore } from '../store/store.ts';
import { openTenants } from '../tenants/tenants.ts';
import { cancelDelivery, createRelay, releaseDelivery, retryDelivery, type Submission } from './relay.ts';

interface SetUp {
  waitsMs?: number[];
}

function setUp(t: test.TestContext, { waitsMs = [60_000] }: SetUp = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-relay-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  const queue = openQueue(store);
  const spool = openSpool(join(directory, 'spool'), store);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), systemClock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const { tenant, stream } = made.value;
  tenants.addSendingDomain(tenant.id, 'acme.test');
  const relay = createRelay({
    clock: systemClock,
    hostname: 'relay.example.net',
    nextHop: null,
    findTargets: {
      mx: () => Promise.reject(new Error('nothing is looked up')),
      host: () => Promise.reject(new Error('nothing is looked up')),
    },
    sessions: createSessionPool(connect, systemClock),
    node: { number: 0, name: 'relay' },
    plan: { waitsMs },
    bounds: { attempts: 10, perDestination: 5 },
    notices: null,
    tenants,
    queue,
    spool,
    commit: createGroupCommit(store, (fault) => {
      throw fault;
    }),
    log: silentLog,
  });
  const stop = new AbortController();
  const running = relay.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    spool.close();
    store.close();
    rmSync(directory, { recursive: true });
  });
  const outbox = createOutboxReader(store);
  const submission = (forwardPaths: string[], more: Partial<Submission> = {}): Submission => ({
    tenantId: tenant.id,
    streamId: stream.id,
    trustedNetwork: false,
    origin: '127.0.0.1',
    greetingName: 'client',
    transport: 'smtp',
    protocol: 'ESMTPA',
    reversePath: 'app@acme.test',
    forwardPaths,
    content: Buffer.from('From: app@acme.test\r\nSubject: x\r\n\r\nbody\r\n'),
    ...more,
  });
  const story = (mailId: number): Record<number, EventType[]> => {
    const story: Record<number, EventType[]> = {};
    for (const { type, mail, delivery } of outbox.read(0, 1000)) {
      if (mail.mailId === mailId) story[delivery.n] = [...(story[delivery.n] ?? []), type];
    }
    return story;
  };
  const accepted = async (forwardPaths: string[], more: Partial<Submission> = {}) => {
    const result = await relay.submit(submission(forwardPaths, more));
    assert.ok(result.ok);
    return result.mailId;
  };
  const ended = async (mailId: number) => {
    const open = () => queue.count({ mailId, states: ['queued', 'deferred', 'held'] });
    for (const deadline = Date.now() + 10_000; open() > 0; ) {
      assert.ok(Date.now() < deadline, 'the mail has not ended in time');
      await systemClock.sleep(10);
    }
  };
  return { relay, queue, store, spool, outbox, tenants, tenant, submission, story, accepted, ended };
}

test('accepted means on disk: mail, content, deliveries and events', async (t) => {
  const { accepted, queue, spool, story } = setUp(t);
  const mailId = await accepted(['defer@example.test']);
  const mail = queue.mail(mailId);
  assert.ok(mail?.content);
  const read = spool.read(mailId, mail.content);
  assert.ok(read.ok);
  assert.match(read.content.toString(), new RegExp(`id ${relayIdOf(mailId)}`));
  assert.equal(story(mailId)[1]?.[0], 'accepted');
});

test('each forward-path has its own story', async (t) => {
  const { accepted, ended, story } = setUp(t, { waitsMs: [10] });
  const mailId = await accepted([
    'ok@example.test',
    'bounce@example.test',
    'greylist@example.test',
    'defer@example.test',
  ]);
  await ended(mailId);
  assert.deepEqual(story(mailId), {
    1: ['accepted', 'delivered'],
    2: ['accepted', 'failed'],
    3: ['accepted', 'deferred', 'attempted', 'delivered'],
    4: ['accepted', 'deferred', 'attempted', 'expired'],
  });
});

test('the rehearsal bounces each time: its addresses are not remembered', async (t) => {
  const { accepted, ended, story } = setUp(t);
  for (let i = 0; i < 2; i += 1) {
    const mailId = await accepted(['bounce@example.test']);
    await ended(mailId);
    assert.deepEqual(story(mailId), { 1: ['accepted', 'failed'] });
  }
});

test('a path given twice is one delivery', async (t) => {
  const { accepted, ended, story } = setUp(t);
  const mailId = await accepted(['ok@example.test', 'ok@example.test']);
  await ended(mailId);
  assert.deepEqual(story(mailId), { 1: ['accepted', 'delivered'] });
});

test('a suppressed address is accepted and not tried', async (t) => {
  const { accepted, ended, story, tenants, tenant, queue } = setUp(t);
  tenants.suppress({ tenantId: tenant.id, address: 'OK@example.test', kind: 'complaint', createdAt: 1 });
  const mailId = await accepted(['ok@example.test', 'other@example.test']);
  await ended(mailId);
  assert.deepEqual(story(mailId), { 1: ['accepted', 'suppressed'], 2: ['accepted', 'delivered'] });
  assert.equal(queue.delivery(mailId, 1)?.facts.reason, 'suppress-complaint');
});

test('a sender that is not the tenant’s is refused and on record; nothing is queued', async (t) => {
  const { relay, submission, outbox, queue } = setUp(t);
  const content = Buffer.from('From: ceo@else.test\r\n\r\nbody\r\n');
  const result = await relay.submit(submission(['ok@example.test', 'joe@example.test'], { content }));
  assert.ok(!result.ok);
  assert.equal(result.reply.code, 550);
  assert.deepEqual(
    outbox.read(0, 10).map(({ type, delivery }) => [type, delivery.reason, delivery.n]),
    [
      ['rejected', 'sender-domain', 1],
      ['rejected', 'sender-domain', 2],
    ],
  );
  assert.equal(queue.count({}), 0);
});

test('cancel: at once while it waits, after the answer while it is tried, never when it has ended', async (t) => {
  const { accepted, ended, story, queue, store } = setUp(t);
  const waiting = await accepted(['defer@example.test']);
  while (queue.delivery(waiting, 1)?.facts.state !== 'deferred') await systemClock.sleep(5);
  const tried = await accepted(['slow@example.test']);
  const cancel = (mailId: number) =>
    store.transaction(() => cancelDelivery(queue, { mailId, n: 1 }, systemClock.now()));
  assert.equal(cancel(waiting), 'canceled');
  assert.equal(cancel(waiting), 'ended');
  assert.equal(cancel(tried), 'requested');
  assert.equal(cancel(999), 'unknown');
  await ended(tried);
  assert.deepEqual(story(waiting), { 1: ['accepted', 'deferred', 'canceled'] });
  assert.deepEqual(story(tried), { 1: ['accepted', 'delivered'] });
});

test('retry makes a waiting delivery due at once', async (t) => {
  const { accepted, ended, story, queue, store } = setUp(t);
  const mailId = await accepted(['greylist@example.test']);
  while (queue.delivery(mailId, 1)?.facts.state !== 'deferred') await systemClock.sleep(5);
  assert.equal(
    store.transaction(() => retryDelivery(queue, { mailId, n: 1 }, systemClock.now())),
    'due',
  );
  await ended(mailId);
  assert.deepEqual(story(mailId), { 1: ['accepted', 'deferred', 'attempted', 'delivered'] });
  assert.equal(
    store.transaction(() => retryDelivery(queue, { mailId, n: 1 }, systemClock.now())),
    'ended',
  );
});

test('an ended mail is cleared once the ledger has its events, not before', async (t) => {
  const { accepted, ended, outbox, queue, store } = setUp(t);
  const mailId = await accepted(['ok@example.test'], {
    content: Buffer.from(`Subject: x\r\nFrom: a@acme.test\r\n\r\n${'x'.repeat(70)}\r\n`),
  });
  await ended(mailId);
  assert.ok(queue.mail(mailId));
  outbox.advance(outbox.newest());
  for (const deadline = Date.now() + 5_000; queue.mail(mailId); ) {
    assert.ok(Date.now() < deadline, 'the mail was not cleared in time');
    await systemClock.sleep(20);
  }
  assert.equal(store.get('SELECT count(*) AS n FROM contents')?.['n'], 0);
});

test('content that is gone is a failure of ours, said so, not a retry for ever', async (t) => {
  const { accepted, ended, queue, store } = setUp(t, { waitsMs: [20, 20] });
  const mailId = await accepted(['defer@example.test']);
  store.run('DELETE FROM contents');
  await ended(mailId);
  const facts = queue.delivery(mailId, 1)?.facts;
  assert.equal(facts?.state, 'failed');
  assert.equal(facts?.reason, 'internal');
  assert.match(facts?.diagnostic ?? '', /missing/);
});

test('a mail is held until the time its sender chose, then goes the way of every other', async (t) => {
  const { accepted, ended, story, queue } = setUp(t);
  const holdUntil = Date.now() + 300;
  const mailId = await accepted(['ok@example.test', 'bounce@example.test'], { holdUntil });
  assert.equal(queue.count({ mailId, states: ['held'] }), 2);
  assert.equal(queue.delivery(mailId, 1)?.facts.nextAttemptAt, holdUntil);
  assert.equal(queue.delivery(mailId, 1)?.facts.expiresAt, holdUntil + 60_000);
  await ended(mailId);
  assert.ok(Date.now() >= holdUntil);
  assert.deepEqual(story(mailId), {
    1: ['accepted', 'held', 'released', 'attempted', 'delivered'],
    2: ['accepted', 'held', 'released', 'attempted', 'failed'],
  });
});

test('a held delivery can be canceled, released early, and is not held for a time that is over', async (t) => {
  const { accepted, ended, story, queue, store } = setUp(t);
  const holdUntil = Date.now() + 3_600_000;
  const canceled = await accepted(['ok@example.test'], { holdUntil });
  assert.equal(
    store.transaction(() => cancelDelivery(queue, { mailId: canceled, n: 1 }, Date.now())),
    'canceled',
  );
  const released = await accepted(['ok@example.test'], { holdUntil });
  const release = (mailId: number) =>
    store.transaction(() => releaseDelivery(queue, { mailId, n: 1 }, Date.now()));
  assert.equal(release(released), 'released');
  assert.equal(release(canceled), 'not-held');
  await ended(released);
  const late = await accepted(['ok@example.test'], { holdUntil: Date.now() - 1 });
  await ended(late);
  assert.deepEqual(story(canceled)[1], ['accepted', 'held', 'canceled']);
  assert.deepEqual(story(released)[1], ['accepted', 'held', 'released', 'attempted', 'delivered']);
  assert.deepEqual(story(late)[1], ['accepted', 'delivered']);
});

test('what the client asked for is on disk with the mail', async (t) => {
  const { accepted, queue } = setUp(t);
  const options = { ...noMailOptions, ret: 'HDRS', priority: -1 } as const;
  const never: ForwardPathOptions = { notify: ['NEVER'], orcpt: '' };
  const forwardPathOptions = new Map([['defer@example.test', never]]);
  const mailId = await accepted(['ok@example.test', 'defer@example.test'], { options, forwardPathOptions });
  assert.deepEqual(queue.mail(mailId)?.options, options);
  assert.equal(queue.delivery(mailId, 1)?.options, null);
  assert.deepEqual(queue.delivery(mailId, 2)?.options, never);
});

test('more mails than places for attempts: all are tried', async (t) => {
  const { accepted, ended } = setUp(t);
  // There are ten places; the rest waits for one that becomes free.
  const mails = await Promise.all(Array.from({ length: 60 }, () => accepted(['ok@example.test'])));
  for (const mailId of mails) await ended(mailId);
});
