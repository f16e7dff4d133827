/** Limits, quotas and holds, by a relay with a real store and spool. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock, systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { silentLog } from '../base/log.ts';
import { installationKey } from '../base/secret.ts';
import { createOutboxReader, openQueue } from '../queue/queue.ts';
import { connect, createSessionPool } from '../smtp-client/smtp-client.ts';
import { openSpool } from '../spool/spool.ts';
import { createGroupCommit, openStore } from '../store/store.ts';
import { openTenants } from '../tenants/tenants.ts';
import { createEarlyChecks } from './early-checks.ts';
import { createRelay, holdDelivery, releaseDelivery, type Submission } from './relay.ts';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-admission-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  const queue = openQueue(store);
  const spool = openSpool(join(directory, 'spool'), store);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), systemClock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const { tenant, stream } = made.value;
  tenants.addSendingDomain(tenant.id, 'acme.test');
  const nothingFound = () => Promise.reject(new Error('nothing is looked up'));
  const relay = createRelay({
    clock: systemClock,
    hostname: 'relay.example.net',
    nextHop: null,
    findTargets: { mx: nothingFound, host: nothingFound },
    sessions: createSessionPool(connect, systemClock),
    node: { number: 0, name: 'relay' },
    plan: { waitsMs: [60_000] },
    notices: null,
    bounds: { attempts: 10, perDestination: 5 },
    ...{ tenants, queue, spool, log: silentLog },
    commit: createGroupCommit(store, (fault) => {
      throw fault;
    }),
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
  const submit = (forwardPaths: string[], more: Partial<Submission> = {}) =>
    relay.submit({
      ...{ tenantId: tenant.id, streamId: stream.id, trustedNetwork: false, origin: '127.0.0.1' },
      ...{ greetingName: 'client', transport: 'smtp', protocol: 'ESMTPA', reversePath: 'app@acme.test' },
      forwardPaths,
      content: Buffer.from('From: app@acme.test\r\nSubject: x\r\n\r\nbody\r\n'),
      ...more,
    });
  const outbox = createOutboxReader(store);
  const story = (forwardPath: string) =>
    outbox
      .read(0, 1000)
      .filter(({ delivery }) => delivery.forwardPath === forwardPath)
      .map(({ type }) => type);
  const until = async (look: () => boolean) => {
    for (const deadline = Date.now() + 10_000; !look(); ) {
      assert.ok(Date.now() < deadline, 'not in time');
      await systemClock.sleep(10);
    }
  };
  const acceptedMailId = async (...args: Parameters<typeof submit>) => {
    const result = await submit(...args);
    assert.ok(result.ok);
    return result.mailId;
  };
  return { store, relay, queue, tenants, id: tenant.id, submit, acceptedMailId, story, until, outbox };
}

test('of many at once no more are accepted than the quota allows; nothing of the others stays', async (t) => {
  const { relay, queue, tenants, id, submit, until, store } = setUp(t);
  tenants.setLimits(id, { quotas: { month: { most: 7, whenFull: 'refuse' } } });
  const large = Buffer.from(`From: app@acme.test\r\n\r\n${'x\r\n'.repeat(limits.inlineContentBytesAlone)}`);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) => submit(['ok@example.test'], n % 3 === 0 ? { content: large } : {})),
  );
  const refused = results.flatMap((result) => (result.ok ? [] : [result.reply]));
  assert.equal(refused.length, 13);
  assert.ok(refused.every(({ code, enhancedStatus }) => code === 452 && enhancedStatus === '4.7.1'));
  assert.equal(tenants.quotasOf(id)[0]?.used, 7);
  await until(() => queue.count({ states: ['delivered'] }) === 7);
  await until(() => relay.open() === 0);
  assert.equal(store.get('SELECT count(*) AS n FROM mails')?.['n'], 7);
});

test('of a mail to many, those that fit go at once, the others are held until there is room', async (t) => {
  const { queue, tenants, id, acceptedMailId, story, until, relay } = setUp(t);
  tenants.setLimits(id, { quotas: { month: { most: 2, whenFull: 'hold' } } });
  tenants.suppress({ tenantId: id, address: 'off@example.test', kind: 'unsubscribe' });
  const paths = ['a', 'off', 'b', 'c', 'd'].map((name) => `${name}@example.test`);
  const mailId = await acceptedMailId(paths);
  await until(() => queue.count({ mailId, states: ['delivered'] }) === 2);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((n) => queue.delivery(mailId, n)?.facts.state),
    ['delivered', 'suppressed', 'delivered', 'held', 'held'],
  );
  await until(() => relay.open() === 0);
  const held = queue.delivery(mailId, 4);
  assert.partialDeepStrictEqual(held, {
    heldFor: id,
    facts: { reason: 'rate-limited', attempts: 0, leased: false, nextAttemptAt: null },
  });
  assert.deepEqual(story('c@example.test'), ['accepted', 'held']);
  tenants.setLimits(id, { quotas: { month: { most: 3, whenFull: 'hold' } } });
  await until(() => queue.delivery(mailId, 4)?.facts.state === 'delivered');
  assert.equal(queue.delivery(mailId, 5)?.facts.state, 'held');
  assert.deepEqual(story('c@example.test'), ['accepted', 'held', 'released', 'attempted', 'delivered']);
  assert.equal(queue.delivery(mailId, 4)?.facts.reason, null);
});

test('mail held until a time is counted when its time has come, and waits on if there is no room', async (t) => {
  const { queue, tenants, id, acceptedMailId, story, until } = setUp(t);
  tenants.setLimits(id, { quotas: { month: { most: 1, whenFull: 'hold' } } });
  const later = await acceptedMailId(['later@example.test'], { holdUntil: systemClock.now() + 500 });
  await acceptedMailId(['now@example.test']);
  await until(() => queue.delivery(later, 1)?.heldFor === id);
  assert.equal(queue.delivery(later, 1)?.facts.state, 'held');
  tenants.setLimits(id, { quotas: { month: null } });
  await until(() => queue.delivery(later, 1)?.facts.state === 'delivered');
  assert.deepEqual(story('later@example.test'), ['accepted', 'held', 'released', 'attempted', 'delivered']);
});

test('a denied destination is rejected, the others go; a mail to denied ones alone is refused', async (t) => {
  const { tenants, id, submit, story, until, queue, outbox } = setUp(t);
  tenants.addDenyRule({ tenantId: id, type: 'destination', data: 'no.test' });
  assert.ok((await submit(['a@no.test', 'ok@example.test'])).ok);
  await until(() => queue.count({ states: ['delivered'] }) === 1);
  assert.deepEqual(story('a@no.test'), ['rejected']);
  const refused = await submit(['b@no.test', 'c@below.no.test']);
  assert.ok(!refused.ok);
  assert.deepEqual([refused.reply.code, refused.reply.enhancedStatus], [550, '5.7.1']);
  assert.deepEqual([story('b@no.test'), story('c@below.no.test')], [['rejected'], ['rejected']]);
  const reasons = outbox.read(0, 100).filter(({ type }) => type === 'rejected');
  assert.ok(reasons.every(({ delivery }) => delivery.reason === 'deny-rule'));
});

test('limits of one mail', async (t) => {
  const { tenants, id, submit, outbox } = setUp(t);
  tenants.setLimits(id, { recipientsPerMail: 2, bytesPerMail: 100 });
  const codeOf = async (...args: Parameters<typeof submit>) => {
    const result = await submit(...args);
    return result.ok ? 'ok' : `${result.reply.code} ${result.reply.enhancedStatus}`;
  };
  assert.equal(await codeOf(['a@x.test', 'b@x.test', 'c@x.test']), '550 5.5.3');
  const content = Buffer.from(`From: a@acme.test\r\n\r\n${'x'.repeat(90)}\r\n`);
  assert.equal(await codeOf(['a@x.test'], { content }), '552 5.3.4');
  assert.equal(outbox.newest(), 0);
  assert.equal(await codeOf(['a@x.test', 'b@x.test']), 'ok');
});

test('hold and release: waiting, under way, held for a quota, ended', async (t) => {
  const { store, queue, tenants, id, acceptedMailId, story, until } = setUp(t);
  const hold = (mailId: number) =>
    store.transaction(() => holdDelivery(queue, { mailId, n: 1 }, systemClock.now()));
  const release = (mailId: number) =>
    store.transaction(() => releaseDelivery(queue, { mailId, n: 1 }, systemClock.now()));
  const stateOf = (mailId: number) => queue.delivery(mailId, 1)?.facts.state;

  const waiting = await acceptedMailId(['greylist@example.test']);
  await until(() => stateOf(waiting) === 'deferred');
  const expiresAt = queue.delivery(waiting, 1)?.facts.expiresAt ?? 0;
  assert.deepEqual([hold(waiting), hold(waiting), stateOf(waiting)], ['held', 'held', 'held']);
  await systemClock.sleep(30);
  assert.equal(release(waiting), 'released');
  assert.ok((queue.delivery(waiting, 1)?.facts.expiresAt ?? 0) >= expiresAt + 30);
  await until(() => stateOf(waiting) === 'delivered');
  assert.deepEqual(story('greylist@example.test'), [
    ...['accepted', 'deferred', 'held', 'released', 'attempted', 'delivered'],
  ]);
  assert.deepEqual([hold(waiting), release(waiting)], ['ended', 'not-held']);
  assert.deepEqual([hold(999), release(999)], ['unknown', 'unknown']);

  const slow = await acceptedMailId(['slow@example.test']);
  assert.deepEqual([hold(slow), release(slow), release(slow)], ['requested', 'withdrawn', 'not-held']);

  tenants.setLimits(id, { quotas: { month: { most: 0, whenFull: 'hold' } } });
  const over = await acceptedMailId(['over@example.test']);
  assert.deepEqual([queue.delivery(over, 1)?.heldFor, hold(over)], [id, 'held']);
  tenants.setLimits(id, { quotas: { month: null } });
  await until(() => stateOf(slow) === 'delivered');
  assert.equal(stateOf(over), 'held', 'by a person now, whatever the quota says');
  assert.equal(release(over), 'released');
});

test('what the rehearsal refuses is not put on the list; what is on it by hand is suppressed', async (t) => {
  const { queue, tenants, id, acceptedMailId, until, story } = setUp(t);
  const first = await acceptedMailId(['bounce@example.test', 'block@example.test']);
  await until(() => queue.count({ mailId: first, states: ['failed'] }) === 2);
  assert.equal(tenants.countSuppressions({}), 0);
  tenants.suppress({ tenantId: id, address: 'bounce@example.test', kind: 'bounce' });
  const second = await acceptedMailId(['Bounce@example.test']);
  assert.equal(queue.delivery(second, 1)?.facts.reason, 'suppress-bounce');
  assert.deepEqual(story('Bounce@example.test'), ['accepted', 'suppressed']);
});

test('early checks tell what the rules say, and learn of a change within their time', (t) => {
  const { tenants, id } = setUp(t);
  const clock = manualClock(systemClock.now());
  const checks = createEarlyChecks(tenants, clock);
  const reply = (refused: { reply: { code: number; enhancedStatus: string } } | null) =>
    refused && `${refused.reply.code} ${refused.reply.enhancedStatus}`;
  const rcpt = (count: number, path = 'a@x.test') => reply(checks.checkForwardPath(id, path, count));
  assert.deepEqual([rcpt(1000), reply(checks.checkSize(id, 10 ** 9))], [null, null]);
  tenants.addDenyRule({ tenantId: id, type: 'destination', data: 'no.test' });
  tenants.setLimits(id, {
    ...{ recipientsPerMail: 5, bytesPerMail: 1000 },
    quotas: { month: { most: 3, whenFull: 'refuse' }, day: { most: 1, whenFull: 'hold' } },
  });
  clock.advance(limits.tenantRulesCacheMs);
  assert.deepEqual([rcpt(3), rcpt(4), rcpt(6)], [null, '452 4.7.1', '452 4.5.3']);
  assert.equal(checks.checkForwardPath(id, 'a@no.test', 1)?.denied, true);
  assert.equal(checks.checkForwardPath(id, 'a@x.test', 4)?.denied, false);
  assert.deepEqual(
    [null, 1000, 1001].map((bytes) => reply(checks.checkSize(id, bytes))),
    [null, null, '552 5.3.4'],
  );
});
