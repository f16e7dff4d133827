import assert from 'node:assert/strict';
import test from 'node:test';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, EventType, MailFacts } from '../events/event.ts';
import { readDeliveryStatus } from '../protocol/dsn/dsn.ts';
import { readParts } from '../protocol/dsn/parts.ts';
import {
  type ForwardPathOptions,
  type MailOptions,
  type NotifyWord,
  noMailOptions,
} from '../protocol/smtp/envelope-options.ts';
import {
  type DecidedDelivery,
  defaultNoticePolicy,
  type NoticePolicy,
  noticeFor,
  writeNotice,
} from './notify-sender.ts';
import { rehearsalMta } from './rehearsal.ts';

const hour = 60 * 60_000;
const acceptedAt = Date.UTC(2026, 10, 22, 10);

const mail: MailFacts = {
  mailId: 7,
  tenantId: 1,
  streamId: 10001,
  sendingDomain: 'acme.test',
  acceptedAt,
  reversePath: 'app@acme.test',
  fromField: { address: 'app@acme.test', name: '' },
  toField: 'b@example.org',
  replyTo: '',
  subject: 'x',
  messageIdField: 'm1@acme.test',
  contentBytes: 100,
  bodyBytes: 10,
  origin: '192.0.2.1',
  transport: 'smtp',
  protocol: 'ESMTPA',
  authenticated: true,
  tags: [],
  template: '',
  category: '',
};

const queued: DeliveryFacts = {
  n: 1,
  forwardPath: 'b@example.org',
  domain: 'example.org',
  provider: 'example.org',
  displayName: '',
  state: 'queued',
  stateAt: acceptedAt,
  attempts: 1,
  deferrals: 0,
  firstAttemptAt: acceptedAt,
  lastAttemptAt: acceptedAt,
  deliveredAt: null,
  nextAttemptAt: null,
  expiresAt: acceptedAt + 120 * hour,
  leased: true,
  reason: null,
  replyCode: null,
  enhancedStatus: '',
  diagnostic: '',
  remoteMta: '',
  remoteMtaAddress: '',
  sendingIp: '',
  node: 'n',
};

const verdicts = {
  failed: [550, '5.1.1', 'bounce'],
  deferred: [451, '4.3.0', 'generic'],
  delivered: [250, '2.0.0', null],
} as const;

function statusOf(outcome: DeliveryStatus['outcome']): DeliveryStatus {
  const [code, value, reason] = verdicts[outcome];
  return {
    outcome,
    stage: 'rcpt',
    reply: { code, text: 'words' },
    enhancedStatus: { value, origin: 'received' },
    reason,
    diagnostic: `${code} ${value} words`,
    remoteMta: { name: 'mx.example.org', address: '192.0.2.9', port: 25 },
    sendingIp: '192.0.2.2',
    tls: null,
    startedAt: acceptedAt,
    durationMs: 5,
  };
}

const outcomes: Partial<Record<EventType, DeliveryStatus['outcome']>> = {
  failed: 'failed',
  deferred: 'deferred',
  expired: 'deferred',
  delivered: 'delivered',
};

function decided(type: EventType, changes: Partial<DecidedDelivery> = {}): DecidedDelivery {
  const outcome = outcomes[type];
  const status = outcome ? statusOf(outcome) : null;
  return { type, before: queued, facts: queued, status, options: null, remoteNotifies: false, ...changes };
}

function notifying(...notify: NotifyWord[]): { options: ForwardPathOptions } {
  return { options: { notify, orcpt: '' } };
}

interface Changes {
  mail?: Partial<MailFacts>;
  options?: Partial<MailOptions>;
  now?: number;
  policy?: Partial<NoticePolicy>;
}

function notice(deliveries: DecidedDelivery[], changes: Changes = {}) {
  return noticeFor({
    mail: { ...mail, ...changes.mail },
    options: changes.options ? { ...noMailOptions, ...changes.options } : null,
    decided: deliveries,
    now: changes.now ?? acceptedAt + 5 * hour,
    policy: { ...defaultNoticePolicy, ...changes.policy },
  });
}

function actionOf(delivery: DecidedDelivery, changes: Changes = {}): string | null {
  return notice([delivery], changes)?.report.recipients[0]?.action ?? null;
}

const wanted: [type: EventType, notify: NotifyWord[], action: string | null][] = [
  ['failed', [], 'failed'],
  ['failed', ['FAILURE'], 'failed'],
  ['failed', ['SUCCESS', 'DELAY'], null],
  ['failed', ['NEVER'], null],
  ['expired', [], 'failed'],
  ['expired', ['FAILURE', 'DELAY'], 'failed'],
  ['expired', ['DELAY'], null],
  ['expired', ['NEVER'], null],
  ['deferred', [], 'delayed'],
  ['deferred', ['DELAY'], 'delayed'],
  ['deferred', ['FAILURE'], null],
  ['deferred', ['SUCCESS'], null],
  ['deferred', ['NEVER'], null],
  ['delivered', [], null],
  ['delivered', ['SUCCESS'], 'relayed'],
  ['delivered', ['FAILURE', 'DELAY'], null],
  ['delivered', ['NEVER'], null],
  ['suppressed', [], null],
  ['suppressed', ['FAILURE'], 'failed'],
  ['suppressed', ['NEVER'], null],
  ['returned', [], 'failed'],
  ['returned', ['FAILURE'], 'failed'],
  ['returned', ['SUCCESS', 'DELAY'], null],
  ['returned', ['NEVER'], null],
  ...(['accepted', 'rejected', 'held', 'released', 'attempted', 'canceled', 'notified'] as const).map(
    (type): [EventType, NotifyWord[], null] => [type, ['SUCCESS', 'FAILURE', 'DELAY'], null],
  ),
];
for (const [type, notify, action] of wanted) {
  test(`${type} with NOTIFY=${notify.join() || '(absent)'}: ${action ?? 'nothing'}`, () => {
    assert.equal(actionOf(decided(type, notifying(...notify))), action);
    if (notify.length === 0) assert.equal(actionOf(decided(type, { options: null })), action);
    assert.equal(actionOf(decided(type, notifying(...notify)), { mail: { reversePath: '' } }), null);
  });
}

test('a delivery is reported by the server that took it if it reports; ours are at the rehearsal only', () => {
  const asked = notifying('SUCCESS');
  assert.equal(actionOf(decided('delivered', { ...asked, remoteNotifies: true })), null);
  assert.equal(actionOf(decided('failed', { ...notifying('FAILURE'), remoteNotifies: true })), 'failed');
  const status = { ...statusOf('delivered'), remoteMta: rehearsalMta };
  assert.equal(actionOf(decided('delivered', { ...asked, status })), 'delivered');
});

test('one warning: at the first deferral after the time, whatever the times of the attempts', () => {
  for (const everyMs of [7 * 60_000, hour, 3 * hour, 4 * hour, 50 * hour]) {
    let before = queued;
    const warnedAt: number[] = [];
    for (let at = acceptedAt; at <= acceptedAt + 120 * hour; at += everyMs) {
      const facts: DeliveryFacts = {
        ...before,
        state: 'deferred',
        stateAt: at,
        deferrals: before.deferrals + 1,
      };
      if (actionOf(decided('deferred', { before, facts }), { now: at })) warnedAt.push(at - acceptedAt);
      before = facts;
    }
    assert.deepEqual(warnedAt, [Math.ceil((4 * hour) / everyMs) * everyMs]);
  }
});

test('a mail that was held past the time is warned of at its first deferral', () => {
  const before: DeliveryFacts = { ...queued, stateAt: acceptedAt + 6 * hour };
  assert.equal(actionOf(decided('deferred', { before }), { now: acceptedAt + 6 * hour }), 'delayed');
});

test('the policy says when to warn, and whether without being asked', () => {
  const now = acceptedAt + hour;
  assert.equal(actionOf(decided('deferred'), { now }), null);
  assert.equal(actionOf(decided('deferred'), { now, policy: { warnAfterMs: hour } }), 'delayed');
  const policy = { warnUnasked: false };
  assert.equal(actionOf(decided('deferred'), { policy }), null);
  assert.equal(actionOf(decided('deferred', notifying('DELAY')), { policy }), 'delayed');
});

test('what is copied: ENVID and ORCPT decoded, facts of the attempt', () => {
  const options: ForwardPathOptions = { notify: [], orcpt: 'rfc822;B+2Bold@example.net' };
  const found = notice([decided('failed', { options })], { options: { envid: 'a+2Bb+3Dc' } });
  assert.deepEqual(found?.numbers, [1]);
  assert.deepEqual(found.report, {
    arrivalAt: acceptedAt,
    now: acceptedAt + 5 * hour,
    envelopeId: 'a+b=c',
    to: 'app@acme.test',
    recipients: [
      {
        finalRecipient: 'b@example.org',
        originalRecipient: { type: 'rfc822', address: 'B+old@example.net' },
        action: 'failed',
        status: '5.1.1',
        diagnostic: { type: 'smtp', text: '550 5.1.1 words' },
        remoteMta: 'mx.example.org',
        lastAttemptAt: acceptedAt,
        willRetryUntil: null,
      },
    ],
    inReplyTo: 'm1@acme.test',
  });
});

for (const [orcpt, type, address] of [
  ['utf-8;jörg@x.example', 'utf-8', 'jörg@x.example'],
  ['utf-8;j\\x{F6}rg\\x{2B}1@x.example', 'utf-8', 'jörg+1@x.example'],
  ['UTF-8;\\x{1F600}@x.example', 'UTF-8', '\u{1f600}@x.example'],
  ['utf-8;a\\x{110000}', 'utf-8', 'a\\x{110000}'],
  ['rfc822;a\\x+7BF6+7D@x.example', 'rfc822', 'a\\x{F6}@x.example'],
  ['x400;/C+3DUS/', 'x400', '/C=US/'],
] as const) {
  test(`the original recipient of ORCPT=${orcpt}`, () => {
    const found = notice([decided('failed', { options: { notify: [], orcpt } })]);
    assert.deepEqual(found?.report.recipients[0]?.originalRecipient, { type, address });
  });
}

test('the class of a status fits its action; what expired keeps the last one', () => {
  const withStatus = (type: EventType, value: string, options: DecidedDelivery['options'] = null) => {
    const status = { ...statusOf('failed'), enhancedStatus: { value, origin: 'received' as const } };
    return notice([decided(type, { status, options })])?.report.recipients[0]?.status;
  };
  assert.equal(withStatus('expired', '4.4.1'), '4.4.1');
  assert.equal(withStatus('failed', '5.7.1'), '5.7.1');
  assert.equal(withStatus('failed', '2.0.0'), '5.0.0');
  assert.equal(withStatus('deferred', '5.7.1'), '4.7.1');
  assert.equal(withStatus('deferred', ''), '4.0.0');
  assert.equal(withStatus('delivered', '5.0.0', { notify: ['SUCCESS'], orcpt: '' }), '2.0.0');
});

test('our own words are not called those of a server', () => {
  const status = {
    ...statusOf('failed'),
    reply: null,
    remoteMta: null,
    diagnostic: 'the domain takes no mail',
  };
  const facts = { ...queued, remoteMta: 'mx.of.an.attempt.before' };
  const recipient = notice([decided('failed', { status, facts })])?.report.recipients[0];
  assert.deepEqual(recipient?.diagnostic, { type: 'x-waybill', text: 'the domain takes no mail' });
  assert.equal(recipient.remoteMta, null);
});

const content = Buffer.from('Subject: x\r\nTo: b@example.org\r\n\r\nHello\r\n');
const material = { content, hostname: 'relay.acme.test', messageId: 'n1@relay.acme.test' };

const returns: [what: string, type: EventType, changes: Changes, returned: string][] = [
  ['RET absent', 'failed', {}, 'text/rfc822-headers'],
  ['RET=HDRS', 'failed', { options: { ret: 'HDRS' } }, 'text/rfc822-headers'],
  ['RET=FULL', 'failed', { options: { ret: 'FULL' } }, 'message/rfc822'],
  ['RET=FULL of an expired mail', 'expired', { options: { ret: 'FULL' } }, 'message/rfc822'],
  ['RET=FULL without a failure', 'deferred', { options: { ret: 'FULL' } }, 'text/rfc822-headers'],
  [
    'RET=FULL of a mail at the limit',
    'failed',
    { options: { ret: 'FULL' }, policy: { returnedContentBytes: content.length } },
    'message/rfc822',
  ],
  [
    'RET=FULL of a mail beyond the limit',
    'failed',
    { options: { ret: 'FULL' }, policy: { returnedContentBytes: content.length - 1 } },
    'text/rfc822-headers',
  ],
  [
    'RET=FULL with REQUIRETLS',
    'failed',
    { options: { ret: 'FULL', requireTls: true } },
    'text/rfc822-headers',
  ],
];
for (const [what, type, changes, returned] of returns) {
  test(`what is returned: ${what}`, () => {
    const found = notice([decided(type)], changes);
    assert.ok(found);
    const written = writeNotice(found, material);
    const part = readParts(written.content).parts[2];
    assert.equal(part?.type, returned);
    assert.match(part.text, /^Subject: x\nTo: b@example\.org\n/);
    assert.equal(part.text.includes('Hello'), returned === 'message/rfc822');
    assert.equal(written.options.requireTls, changes.options?.requireTls ?? false);
  });
}

test('the mail: a null reverse-path, to the reverse-path, and no notification about it', () => {
  const found = notice([decided('failed')]);
  assert.ok(found);
  const { content: dsn, ...envelope } = writeNotice(found, material);
  assert.deepEqual(envelope, {
    reversePath: '',
    forwardPath: 'app@acme.test',
    options: noMailOptions,
    forwardPathOptions: { notify: ['NEVER'], orcpt: '' },
  });
  assert.match(dsn.toString(), /^Message-ID: <n1@relay\.acme\.test>\r$/m);
  assert.match(dsn.toString(), /^Reporting-MTA: dns; relay\.acme\.test\r$/m);
  const international = notice([decided('failed')], { mail: { reversePath: 'jörg@acme.test' } });
  assert.ok(international);
  assert.equal(writeNotice(international, material).options.smtpUtf8, true);
});

test('forward-paths that end together share one notification, each as it asked', () => {
  const at = (n: number, type: EventType, ...notify: NotifyWord[]) =>
    decided(type, { facts: { ...queued, n, forwardPath: `user${n}@example.org` }, ...notifying(...notify) });
  const found = notice([
    at(1, 'failed'),
    at(2, 'failed', 'NEVER'),
    at(3, 'delivered', 'SUCCESS', 'FAILURE'),
    at(4, 'deferred', 'DELAY'),
    at(5, 'delivered'),
    at(6, 'canceled'),
  ]);
  assert.deepEqual(found?.numbers, [1, 3, 4]);
  const status = readParts(writeNotice(found, material).content).parts[1];
  assert.deepEqual(
    readDeliveryStatus(status?.text ?? '')?.recipients.map((one) => [
      one.finalRecipient,
      one.action,
      one.status,
    ]),
    [
      ['user1@example.org', 'failed', '5.1.1'],
      ['user3@example.org', 'relayed', '2.0.0'],
      ['user4@example.org', 'delayed', '4.3.0'],
    ],
  );
  assert.equal(notice([]), null);
});
