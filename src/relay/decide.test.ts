import assert from 'node:assert/strict';
import test from 'node:test';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts } from '../events/event.ts';
import { decide } from './decide.ts';
import { expiryOf, waitAfter } from './retry.ts';

const now = 1_790_000_000_000;
const plan = { waitsMs: [300_000, 900_000, 3_600_000] };

const leased: DeliveryFacts = {
  n: 1,
  forwardPath: 'ok@example.test',
  domain: 'example.test',
  provider: 'example.test',
  displayName: '',
  state: 'queued',
  stateAt: now - 1_000,
  attempts: 1,
  deferrals: 0,
  firstAttemptAt: now - 500,
  lastAttemptAt: now - 500,
  deliveredAt: null,
  nextAttemptAt: now - 1_000,
  expiresAt: null,
  leased: true,
  reason: null,
  replyCode: null,
  enhancedStatus: '',
  diagnostic: '',
  remoteMta: '',
  remoteMtaAddress: '',
  sendingIp: '',
  node: 'relay',
};

const delivered: DeliveryStatus = {
  outcome: 'delivered',
  stage: 'end-of-data',
  reply: { code: 250, text: 'Ok' },
  enhancedStatus: { value: '2.0.0', origin: 'received' },
  reason: null,
  diagnostic: '250 2.0.0 Ok',
  remoteMta: { name: 'mx.example.test', address: '192.0.2.1', port: 25 },
  sendingIp: '192.0.2.9',
  tls: null,
  startedAt: now - 500,
  durationMs: 500,
};
const deferred: DeliveryStatus = {
  ...delivered,
  outcome: 'deferred',
  stage: 'rcpt',
  reply: { code: 450, text: 'Greylisted' },
  enhancedStatus: { value: '4.7.1', origin: 'received' },
  reason: 'greylisted',
  diagnostic: '450 4.7.1 Greylisted',
};
const failed: DeliveryStatus = {
  ...deferred,
  outcome: 'failed',
  reply: { code: 550, text: 'No' },
  reason: 'bounce',
};

const circumstances = { now, plan: () => plan, cancelRequested: false };

test('what becomes of a delivery, by verdict', () => {
  const rows: [DeliveryStatus, Partial<DeliveryFacts>, string, Partial<DeliveryFacts>][] = [
    [
      delivered,
      {},
      'delivered',
      { state: 'delivered', deliveredAt: now, nextAttemptAt: null, replyCode: 250, reason: null },
    ],
    [failed, {}, 'failed', { state: 'failed', nextAttemptAt: null, replyCode: 550, reason: 'bounce' }],
    [
      deferred,
      {},
      'deferred',
      { state: 'deferred', deferrals: 1, nextAttemptAt: now + 300_000, reason: 'greylisted' },
    ],
    [deferred, { deferrals: 2 }, 'deferred', { deferrals: 3, nextAttemptAt: now + 3_600_000 }],
    [
      deferred,
      { deferrals: 3 },
      'expired',
      { state: 'expired', deferrals: 4, nextAttemptAt: null, reason: 'old', replyCode: 450 },
    ],
  ];
  for (const [status, before, type, expected] of rows) {
    const decision = decide({ ...leased, ...before }, status, circumstances);
    assert.equal(decision.type, type);
    assert.equal(decision.facts.leased, false);
    assert.deepEqual({ ...decision.facts, ...expected }, decision.facts);
  }
});

test('a cancellation during the attempt: the answer of the remote counts, no further attempt is made', () => {
  const requested = { ...circumstances, cancelRequested: true };
  assert.equal(decide(leased, delivered, requested).type, 'delivered');
  assert.equal(decide(leased, failed, requested).type, 'failed');
  const { type, facts } = decide(leased, deferred, requested);
  assert.equal(type, 'canceled');
  assert.equal(facts.reason, 'canceled');
  assert.equal(facts.nextAttemptAt, null);
});

test('an attempt that reached no host keeps what is known of the one before', () => {
  const status = { ...deferred, reply: null, remoteMta: null, sendingIp: '', reason: 'dns' as const };
  const { facts } = decide(
    { ...leased, remoteMta: 'mx.example.test', sendingIp: '192.0.2.9' },
    status,
    circumstances,
  );
  assert.equal(facts.remoteMta, 'mx.example.test');
  assert.equal(facts.sendingIp, '192.0.2.9');
  assert.equal(facts.replyCode, null);
});

test('the plan: as many attempts as waits, and one', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((deferrals) => waitAfter(plan, deferrals)),
    [300_000, 900_000, 3_600_000, null],
  );
  assert.equal(expiryOf(plan, now), now + 4_800_000);
});

test('the end follows the schedule as it is at each deferral', () => {
  const longer = { ...circumstances, plan: () => ({ waitsMs: [60_000, 120_000, 240_000] }) };
  const { facts } = decide({ ...leased, deferrals: 1, expiresAt: now }, deferred, longer);
  assert.partialDeepStrictEqual(facts, { nextAttemptAt: now + 120_000, expiresAt: now + 360_000 });
  const { facts: last } = decide({ ...leased, deferrals: 2 }, deferred, circumstances);
  assert.equal(last.expiresAt, last.nextAttemptAt);
});
