import assert from 'node:assert/strict';
import test from 'node:test';
import type { DeliveryStatus, Stage } from '../events/delivery-status.ts';
import { classify } from './classify.ts';
import { isAddressGone } from './hard-bounce.ts';

/** As the relay sees it: the reply, classified. */
function statusOf(stage: Stage, reply: string, provider = 'example.org'): DeliveryStatus {
  const [, code = '', enhanced, text = ''] = /^(\d{3})[ -](?:(\d\.\d+\.\d+)[ -])?(.*)$/s.exec(reply) ?? [];
  const said = { code: Number(code), text };
  const enhancedStatus = enhanced ?? null;
  const verdict = classify({ stage, reply: said, enhancedStatus, cause: null, text: '' }, { provider });
  return {
    ...verdict,
    stage,
    reply: said,
    remoteMta: null,
    sendingIp: '',
    tls: null,
    startedAt: 0,
    durationMs: 0,
  };
}

const rows: [suppress: boolean, stage: Stage, reply: string, provider?: string][] = [
  [true, 'rcpt', '550 5.1.1 <b@example.org>: Recipient address rejected: User unknown'],
  [true, 'rcpt', '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found', 'outlook.com'],
  [true, 'rcpt', '550 5.1.2 Host unknown'],
  [true, 'rcpt', '550 5.2.1 The email account that you tried to reach is disabled', 'gmail.com'],
  [true, 'rcpt', '525 5.7.13 Disabled recipient address'],
  [true, 'rcpt', '550 5.1.6 recipient no longer on server'],
  [true, 'rcpt', '550 <b@example.org>: User unknown'],
  [true, 'rcpt', '550 5.0.0 Rejected'],
  // What says nothing about the address.
  [false, 'rcpt', '550 5.7.1 Blocked: message refused due to local policy'],
  [false, 'rcpt', '550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using a list'],
  [false, 'rcpt', '554 5.7.1 <b@example.org>: Relay access denied'],
  [false, 'rcpt', '550 5.7.1 User Unknown: b@example.org'],
  [false, 'rcpt', '552 5.2.2 Mailbox full'],
  [false, 'rcpt', '550 5.1.1 Account temporarily unavailable'],
  [false, 'rcpt', '550 5.1.8 Sender address rejected: Domain not found'],
  [false, 'rcpt', '450 4.1.1 User unknown in virtual alias table'],
  [false, 'mail', '550 5.1.1 no'],
  [false, 'end-of-data', '550 5.1.1 User unknown'],
  [false, 'end-of-data', '554 5.7.1 Spam message rejected'],
  [false, 'end-of-data', '250 2.0.0 Ok'],
];

for (const [suppress, stage, reply, provider] of rows) {
  test(`${suppress ? 'suppressed' : 'not suppressed'}: ${reply} (${stage})`, () => {
    assert.equal(isAddressGone(statusOf(stage, reply, provider)), suppress);
  });
}

test('what our own lookup found is asked again each time', () => {
  for (const cause of ['null-mx', 'no-mx'] as const) {
    const observation = { stage: 'dns' as const, reply: null, enhancedStatus: null, cause, text: 'none' };
    const verdict = classify(observation, { provider: 'example.org' });
    const rest = { remoteMta: null, sendingIp: '', tls: null, startedAt: 0, durationMs: 0 };
    assert.equal(isAddressGone({ ...verdict, stage: 'dns', reply: null, ...rest }), false);
  }
});
