import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DeliveryPlan, play } from '../../../test/support/histories.ts';
import { installationKey } from '../../base/secret.ts';
import { type EventType, eventTypes, type MailEvent } from '../../events/event.ts';
import { reasons } from '../../events/reason.ts';
import { renderEvent } from './render-event.ts';
import { eventWords, reasonWord } from './words.ts';

const key = installationKey(Buffer.alloc(32, 7));
const acceptedAt = Date.parse('2025-02-24T10:00:00Z');

/** The events of one delivery; variants pick from the tables of `histories.ts`. */
function live(facts: Partial<DeliveryPlan>): MailEvent[] {
  const delivery: DeliveryPlan = {
    forwardPath: 'ann@gmail.com',
    displayName: '',
    fate: 'delivered',
    deferrals: 0,
    heldFirst: false,
    stepMs: 1000,
    variant: 0,
    engagements: [],
    ...facts,
  };
  const mail = {
    tenantId: 1,
    streamId: 10_001,
    sendingDomain: 'a.example',
    acceptedAt,
    subject: 'Grüße',
    fromName: 'News',
    localPart: 'news',
    replyTo: '',
    tags: ['welcome'],
    template: '',
    authenticated: true,
    nullReversePath: false,
    variant: 0,
    deliveries: [delivery],
  };
  return play([mail]).events;
}

function entry(type: EventType, facts: Partial<DeliveryPlan>): Record<string, unknown> {
  const event = live(facts).find((one) => one.type === type);
  assert.ok(event, `the delivery has no ${type}`);
  const { id, timestamp, ...rest } = renderEvent(key, event) as Record<string, unknown>;
  assert.equal(timestamp, event.at / 1000);
  assert.match(String(id), /^[\w-]{22}$/);
  return rest;
}

const head = {
  recipient: 'ann@gmail.com',
  'recipient-domain': 'gmail.com',
  'recipient-provider': 'gmail.com',
  tags: ['welcome'],
  campaigns: [],
  'user-variables': {},
};
const message = {
  headers: {
    to: '<ann@gmail.com>',
    'message-id': live({})[0]?.mail.messageIdField,
    from: 'News <news@a.example>',
    subject: 'Grüße',
  },
  attachments: [],
  recipients: ['ann@gmail.com'],
  size: 1500,
};
const flags = {
  'is-routed': false,
  'is-authenticated': true,
  'is-system-test': false,
  'is-test-mode': false,
};
const envelope = { sender: 'news@a.example', transport: 'smtp', targets: 'ann@gmail.com' };

describe('an entry of the event log', () => {
  test('accepted', () => {
    assert.deepEqual(entry('accepted', {}), {
      event: 'accepted',
      'log-level': 'info',
      ...head,
      method: 'smtp',
      'originating-ip': '10.0.1.0',
      envelope,
      flags,
      message,
    });
  });

  test('delivered', () => {
    assert.deepEqual(entry('delivered', { variant: 1 }), {
      event: 'delivered',
      'log-level': 'info',
      ...head,
      envelope: { ...envelope, 'sending-ip': '192.0.2.11' },
      flags,
      'delivery-status': {
        'attempt-no': 1,
        'session-seconds': 0.021,
        'enhanced-code': '2.0.0',
        'first-delivery-attempt-seconds': 1,
        'mx-host': 'mx2.gmail.com',
        tls: true,
        'certificate-verified': false,
        utf8: true,
        code: 250,
        message: 'OK queued',
        description: '',
      },
      message,
    });
  });

  test('failed for a while', () => {
    assert.deepEqual(entry('deferred', { fate: 'deferred', deferrals: 1, variant: 1 }), {
      event: 'failed',
      'log-level': 'warn',
      ...head,
      severity: 'temporary',
      reason: 'espblock',
      envelope: { ...envelope, 'sending-ip': '192.0.2.11' },
      flags: { ...flags, 'is-delayed-bounce': false },
      'delivery-status': {
        'attempt-no': 1,
        'session-seconds': 0.021,
        'enhanced-code': '4.7.0',
        'first-delivery-attempt-seconds': 1,
        'mx-host': 'mx2.gmail.com',
        tls: true,
        'certificate-verified': false,
        utf8: true,
        code: 421,
        message: 'Unusual rate of mail from your IP',
        description: '',
        'retry-seconds': 1,
      },
      message,
    });
  });

  const failures: ReadonlyArray<
    readonly [type: EventType, facts: Partial<DeliveryPlan>, reason: string, code: number, more?: object]
  > = [
    ['failed', { fate: 'failed' }, 'bounce', 550],
    ['failed', { fate: 'failed', variant: 1 }, 'espblock', 554],
    ['failed', { fate: 'failed', variant: 2 }, 'generic', 498],
    ['failed', { fate: 'failed', variant: 3 }, 'generic', 552],
    ['expired', { fate: 'expired' }, 'old', 602, { 'last-code': 450, description: 'Too old', message: '' }],
    ['expired', { fate: 'expired', variant: 3 }, 'old', 602, { description: 'Too old', message: '' }],
    ['deferred', { fate: 'deferred', variant: 3 }, 'generic', 680, { message: 'connection timed out' }],
    ['deferred', { fate: 'deferred' }, 'greylisted', 450],
    [
      'suppressed',
      { fate: 'suppressed' },
      'suppress-bounce',
      605,
      { 'attempt-no': 1, 'session-seconds': 0, message: '' },
    ],
    ['suppressed', { fate: 'suppressed', variant: 1 }, 'suppress-complaint', 607],
    ['suppressed', { fate: 'suppressed', variant: 2 }, 'suppress-unsubscribe', 606],
    ['canceled', { fate: 'canceled' }, 'generic', 0],
    ['returned', { fate: 'returned' }, 'bounce', 550],
  ];
  for (const [type, facts, reason, code, more = {}] of failures) {
    test(`failed: ${type} ${reason} ${code}`, () => {
      const rendered = entry(type, facts);
      const status = rendered['delivery-status'] as Record<string, unknown>;
      const severity = type === 'deferred' ? 'temporary' : 'permanent';
      assert.deepEqual(
        [rendered.event, rendered.severity, rendered.reason, status.code, rendered['log-level']],
        ['failed', severity, reason, code, severity === 'temporary' ? 'warn' : 'error'],
      );
      assert.equal((rendered.flags as Record<string, unknown>)['is-delayed-bounce'], type === 'returned');
      assert.equal('retry-seconds' in status, type === 'deferred');
      for (const [name, value] of Object.entries(more)) assert.deepEqual(status[name], value, name);
    });
  }

  test('rejected', () => {
    assert.deepEqual(entry('rejected', { fate: 'rejected' }), {
      event: 'rejected',
      'log-level': 'warn',
      ...head,
      reject: { reason: 'rejected: sender-domain', description: '' },
      flags: { 'is-test-mode': false },
      message,
    });
  });

  test('opened by a person, clicked by a program', () => {
    const engagements = [
      { type: 'opened' as const, afterMs: 1000, variant: 1 },
      { type: 'clicked' as const, afterMs: 1000, variant: 49 },
    ];
    const head2 = { message: { headers: { 'message-id': message.headers['message-id'] } } };
    assert.deepEqual(entry('opened', { engagements }), {
      event: 'opened',
      'log-level': 'info',
      ...head,
      ip: '203.0.113.1',
      geolocation: { country: 'US', region: 'Unknown', city: 'Unknown' },
      'client-info': {
        'client-type': 'mobile browser',
        'client-os': 'Linux',
        'device-type': 'mobile',
        'client-name': 'Firefox',
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)',
        bot: '',
      },
      ...head2,
    });
    assert.deepEqual(entry('clicked', { engagements }), {
      event: 'clicked',
      'log-level': 'info',
      ...head,
      ip: '203.0.113.49',
      geolocation: { country: 'Unknown', region: 'Unknown', city: 'Unknown' },
      'client-info': {
        'client-type': 'robot',
        'client-os': 'unknown',
        'device-type': 'unknown',
        'client-name': 'unknown',
        'user-agent': 'GoogleImageProxy',
        bot: 'generic',
      },
      url: `https://example.com/?q=49&x='%00"`,
      ...head2,
    });
  });

  test('exists for the events that have a name there, and for no others', () => {
    const [event] = live({});
    assert.ok(event);
    const silent = eventTypes.filter((type) => renderEvent(key, { ...event, type }) === null);
    assert.deepEqual(silent, ['held', 'released', 'attempted', 'notified']);
  });
});

test('every failure has one of the reasons of the service', () => {
  const known = [
    'bounce',
    'espblock',
    'greylisted',
    'generic',
    'old',
    'suppress-bounce',
    'suppress-complaint',
    'suppress-unsubscribe',
  ];
  for (const type of eventTypes.filter((one) => eventWords[one]?.severity !== undefined)) {
    for (const reason of [...reasons, null])
      assert.ok(known.includes(reasonWord(type, reason)), `${type} ${reason}`);
  }
  assert.equal(reasonWord('expired', 'espblock'), 'old');
  assert.equal(reasonWord('returned', 'mailbox-full'), 'bounce');
  assert.equal(reasonWord('deferred', 'bounce'), 'generic');
});
