/** Notifications in the queue: with the verdicts they tell of or not at all, to whom, and for whose account. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../base/clock.ts';
import { createMailIds } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { silentLog } from '../base/log.ts';
import { installationKey } from '../base/secret.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { MailFacts } from '../events/event.ts';
import {
  type ForwardPathOptions,
  type MailOptions,
  noForwardPathOptions,
  noMailOptions,
} from '../protocol/smtp/envelope-options.ts';
import { createOutboxReader, openQueue } from '../queue/queue.ts';
import { openSpool } from '../spool/spool.ts';
import { createGroupCommit, openStore } from '../store/store.ts';
import { generateDkimKeyPair, installationTenant, openTenants } from '../tenants/tenants.ts';
import { newDelivery } from './new-delivery.ts';
import { createNotify } from './notices.ts';
import { defaultNoticePolicy, type NoticePolicy } from './notify-sender.ts';
import { readReport } from './receive-report.ts';
import { settle } from './settle.ts';
import { createSignNow } from './sign.ts';

const hour = 60 * 60_000;
const now = Date.UTC(2026, 10, 22, 10);
const plan = { waitsMs: [5 * hour, 5 * hour, 5 * hour] };
const mailId = 100;

interface SetUp {
  policy?: NoticePolicy | null;
  reversePath?: string;
  options?: Partial<MailOptions>;
  /** Of each delivery. */
  asked?: Partial<ForwardPathOptions>[];
  body?: string;
  acceptedAt?: number;
}

function setUp(t: TestContext, given: SetUp = {}) {
  const {
    policy = defaultNoticePolicy,
    reversePath = 'app@acme.test',
    body = 'body',
    asked = [{}, {}],
  } = given;
  const directory = mkdtempSync(join(tmpdir(), 'waybill-notices-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  const spool = openSpool(join(directory, 'spool'), store);
  t.after(() => {
    spool.close();
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(now);
  const queue = openQueue(store);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), clock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const tenantId = made.value.tenant.id;
  tenants.addSendingDomain(tenantId, 'acme.test');
  const { acceptedAt = now } = given;
  const facts = { mailId, tenantId, reversePath, acceptedAt, messageIdField: 'm@acme.test' } as MailFacts;
  const content = Buffer.from(
    `From: app@acme.test\r\nMessage-ID: <m@acme.test>\r\nX-Mark: kept\r\n\r\n${body}\r\n`,
  );
  store.transaction(() => {
    const place = spool.keepMade(mailId, content);
    queue.insertMail({ facts, content: place, options: { ...noMailOptions, ...given.options } });
    for (const [index, options] of asked.entries()) {
      const path = { n: index + 1, forwardPath: `u${index + 1}@example.org`, displayName: '' };
      const delivery = newDelivery(path, acceptedAt, { node: 'relay', plan, clock });
      const leased = { ...delivery, leased: true, attempts: 1, firstAttemptAt: now, lastAttemptAt: now };
      const all = { ...noForwardPathOptions, ...options };
      queue.insertDelivery(mailId, { destination: 'example.org', facts: leased, options: all });
    }
  });
  const hostname = 'relay.acme.test';
  const notify = createNotify({
    ...{ clock, hostname, node: 'relay', plan, policy, tenants, queue, spool, log: silentLog },
    newMailId: createMailIds(clock, 0, 0),
    signNow: createSignNow(tenants, hostname, silentLog),
  });
  const commit = createGroupCommit(store, (fault) => {
    throw fault;
  });
  const deps = { clock, plans: { of: () => plan }, queue, tenants, commit, notify };
  const notices = () =>
    queue.list({ tenantId: installationTenant.id }, { mailId: 0, n: 0 }, 10).map((delivery) => {
      const mail = queue.mail(delivery.mailId);
      assert.ok(mail?.content);
      const read = spool.read(delivery.mailId, mail.content);
      assert.ok(read.ok);
      return { delivery, facts: mail.facts, content: read.content };
    });
  const types = () =>
    createOutboxReader(store)
      .read(0, 100)
      .map(({ type, mail, delivery: { n } }) => `${mail.tenantId}:${n} ${type}`);
  return { deps, clock, store, queue, tenants, tenantId, notices, types };
}

function status(outcome: DeliveryStatus['outcome'], more: Partial<DeliveryStatus> = {}): DeliveryStatus {
  const code = { delivered: 250, deferred: 450, failed: 550 }[outcome];
  return {
    ...{ outcome, stage: 'rcpt', reply: { code, text: 'so it is' }, reason: null },
    enhancedStatus: { value: `${String(code).charAt(0)}.1.1`, origin: 'received' },
    diagnostic: `${code} so it is`,
    remoteMta: { name: 'mx.example.org', address: '192.0.2.1', port: 25 },
    ...{ sendingIp: '', tls: null, startedAt: now, durationMs: 1 },
    ...more,
  };
}

const failedBoth = [1, 2].map((n) => ({ mailId, n, status: status('failed') }));

test('forward-paths that fail in one attempt share one notice, which belongs to the installation', async (t) => {
  const { deps, notices, types, tenantId } = setUp(t);
  await settle(failedBoth, deps);
  const [notice, ...others] = notices();
  assert.ok(notice);
  assert.deepEqual(others, []);
  assert.deepEqual(types(), [
    `${tenantId}:1 failed`,
    `${tenantId}:2 failed`,
    '0:1 accepted',
    `${tenantId}:1 notified`,
    `${tenantId}:2 notified`,
  ]);
  assert.partialDeepStrictEqual(notice.delivery.facts, { forwardPath: 'app@acme.test', state: 'queued' });
  assert.deepEqual(notice.delivery.options, { notify: ['NEVER'], orcpt: '' });
  assert.equal(notice.facts.reversePath, '');
  assert.equal(notice.facts.fromField.address, 'MAILER-DAEMON@relay.acme.test');
  assert.deepEqual(
    readReport(notice.content).recipients.map(({ finalRecipient }) => finalRecipient),
    ['u1@example.org', 'u2@example.org'],
  );
  assert.match(notice.content.toString(), /X-Mark: kept/);
});

test('a notice about a notice, or about a mail without reverse-path, is never made', async (t) => {
  const { deps, queue, notices, store, types } = setUp(t);
  await settle(failedBoth, deps);
  const [notice] = notices();
  assert.ok(notice);
  const { delivery } = notice;
  store.transaction(() => queue.update(delivery, { ...delivery.facts, leased: true, lastAttemptAt: now }));
  const before = types().length;
  await settle([{ mailId: delivery.mailId, n: 1, status: status('failed', { reason: 'bounce' }) }], deps);
  assert.deepEqual(types().slice(before), ['0:1 failed']);
  const bare = setUp(t, { reversePath: '', policy: { ...defaultNoticePolicy, to: 'any' } });
  await settle(failedBoth, bare.deps);
  assert.deepEqual(bare.notices(), []);
});

test('only a reverse-path of the tenant is written to, unless the policy says any; or none', async (t) => {
  const toAny = { ...defaultNoticePolicy, to: 'any' as const };
  for (const [reversePath, policy, count] of [
    ['x@below.acme.test', defaultNoticePolicy, 1],
    ['victim@example.com', defaultNoticePolicy, 0],
    ['victim@example.com', toAny, 1],
    ['app@acme.test', null, 0],
  ] as const) {
    const world = setUp(t, { reversePath, policy });
    await settle(failedBoth, world.deps);
    assert.equal(world.notices().length, count, `${reversePath} ${policy?.to}`);
  }
});

test('NOTIFY decides, and a server that offers DSN reports a success itself', async (t) => {
  const asked: Partial<ForwardPathOptions>[] = [
    { notify: ['NEVER'] },
    { notify: ['SUCCESS'] },
    { notify: ['SUCCESS'], orcpt: 'rfc822;first@example.org' },
    {},
  ];
  const { deps, notices } = setUp(t, { asked, options: { envid: 'QQ+2B1' } });
  const statuses = [
    status('failed'),
    status('delivered', { dsnOffered: true }),
    status('delivered'),
    status('delivered'),
  ];
  await settle(
    statuses.map((one, index) => ({ mailId, n: index + 1, status: one })),
    deps,
  );
  const [notice] = notices();
  assert.ok(notice);
  assert.deepEqual(
    readReport(notice.content).recipients.map(({ finalRecipient, action }) => [finalRecipient, action]),
    [['u3@example.org', 'relayed']],
  );
  assert.match(notice.content.toString(), /Original-Recipient: rfc822; first@example\.org/);
  assert.match(notice.content.toString(), /Original-Envelope-Id: QQ\+1/);
});

test('a sender is warned once, at the first deferral after the time', async (t) => {
  const { deps, clock, queue, store, notices } = setUp(t, { asked: [{}], acceptedAt: now });
  const actions: string[][] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await settle([{ mailId, n: 1, status: status('deferred') }], deps);
    actions.push(
      notices().flatMap(({ content }) => readReport(content).recipients.map(({ action }) => action)),
    );
    clock.advance(5 * hour);
    store.transaction(() => {
      const before = queue.delivery(mailId, 1);
      assert.ok(before);
      queue.update(before, { ...before.facts, leased: true, lastAttemptAt: clock.now() });
    });
  }
  await settle([{ mailId, n: 1, status: status('deferred') }], deps);
  actions.push(
    notices().flatMap(({ content }) => readReport(content).recipients.map(({ action }) => action)),
  );
  assert.deepEqual(actions, [[], ['delayed'], ['delayed'], ['delayed', 'failed']]);
});

test('the whole is returned to who asks for it, within the cap; then the header section', async (t) => {
  for (const [bytes, whole] of [
    [1_000, true],
    [limits.dsnContentBytes + 1, false],
  ] as const) {
    const body = `begin\r\n${'a'
      .repeat(70)
      .concat('\r\n')
      .repeat(Math.ceil(bytes / 72))}end`;
    const { deps, notices } = setUp(t, { options: { ret: 'FULL' }, body });
    await settle(failedBoth, deps);
    const content = notices()[0]?.content ?? Buffer.alloc(0);
    assert.equal(/^begin/m.test(content.toString()), whole);
    assert.match(content.toString(), /X-Mark: kept/);
    assert.ok(content.length < 2 * limits.dsnContentBytes);
  }
});

test('a notice is signed with the keys of the domain our host name is under', async (t) => {
  const { deps, tenants, tenantId, notices } = setUp(t);
  const own = { tenantId, domain: 'acme.test' };
  tenants.addDkimKeys(own, [await generateDkimKeyPair('ed25519-sha256')]);
  assert.ok(tenants.rotateDkimKeys(own, 0).ok);
  await settle(failedBoth, deps);
  assert.match(notices()[0]?.content.toString() ?? '', /^DKIM-Signature: [\s\S]*d=acme\.test/);
});

test('a verdict that cannot be written leaves no notice', async (t) => {
  const { deps, notices, types } = setUp(t);
  await assert.rejects(
    settle([...failedBoth, { mailId, n: 9, status: status('failed') }], deps),
    /without a lease/,
  );
  assert.deepEqual([notices(), types()], [[], []]);
});
