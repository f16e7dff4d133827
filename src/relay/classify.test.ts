import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../base/limits.ts';
import { type Stage, stages } from '../events/delivery-status.ts';
import { isEnhancedStatus } from '../protocol/smtp/enhanced-status.ts';
import { type ReceivedReply, ReplyReader } from '../protocol/smtp/reply-reader.ts';
import type { FailureCause, Observation } from '../smtp-client/smtp-client.ts';
import { classify, findRule } from './classify.ts';
import { rules, siteStages } from './classify-rules.ts';

/** As the sending side would have read it. */
function heard(stage: Stage, lines: string): Observation {
  const reader = new ReplyReader();
  reader.push(Buffer.from(`${lines.replaceAll('\n', '\r\n')}\r\n`));
  const reply = reader.next();
  assert.ok(reply !== null && 'code' in reply, `no reply: ${lines}`);
  return observed(stage, reply);
}

function observed(stage: Stage, { code, text, enhancedStatus }: ReceivedReply): Observation {
  return { stage, reply: { code, text }, enhancedStatus, cause: null, text: '' };
}

function unheard(stage: Stage, cause: FailureCause, enhancedStatus: string | null = null): Observation {
  return { stage, reply: null, enhancedStatus, cause, text: 'words' };
}

function inShort(observation: Observation, provider = ''): string {
  const { outcome, reason, enhancedStatus } = classify(observation, { provider });
  return `${outcome} ${reason} ${enhancedStatus.value} ${enhancedStatus.origin}`;
}

for (const rule of rules) {
  test(`rule: ${rule.means}`, () => {
    assert.ok(rule.examples.length > 0, 'a rule stands on replies');
    for (const [stage, lines, provider = ''] of rule.examples) {
      const observation = heard(stage, lines);
      assert.ok(observation.reply);
      const found = findRule(observation, observation.reply, provider);
      assert.equal(found.means, rule.means, lines);
      const verdict = classify(observation, { provider });
      assert.equal(verdict.reason, rule.reason);
      assert.equal(
        verdict.diagnostic,
        lines.replace(/\n\d{3}[- ](?:\d\.\d+\.\d+ )?/g, ' ').replace(/^(\d{3})-/, '$1 '),
      );
      const byClass = observation.reply.code < 500 || siteStages.includes(stage) ? 'deferred' : 'failed';
      assert.equal(verdict.outcome, rule.outcome ?? byClass);
      assert.ok(
        verdict.enhancedStatus.origin === 'received' ||
          verdict.enhancedStatus.value.endsWith(rule.assign ?? ''),
      );
    }
  });
}

const replies: [stage: Stage, reply: string, expected: string][] = [
  ['end-of-data', '250 2.0.0 Ok: queued as 1', 'delivered null 2.0.0 received'],
  ['end-of-data', '250 OK', 'delivered null 2.0.0 assigned'],
  ['rcpt', '550 5.1.1 no such user', 'failed bounce 5.1.1 received'],
  ['rcpt', '550 no such user', 'failed bounce 5.1.1 assigned'],
  ['rcpt', '550 no', 'failed bounce 5.1.0 assigned'],
  ['rcpt', '451 4.3.0 Try again later', 'deferred generic 4.3.0 received'],
  ['rcpt', '450 4.7.1 Greylisted, please try again', 'deferred greylisted 4.7.1 received'],
  ['rcpt', '450 greylisted', 'deferred greylisted 4.7.1 assigned'],
  ['rcpt', '550 5.7.1 Blocked: message refused due to local policy', 'failed espblock 5.7.1 received'],
  ['rcpt', '452 4.2.2 Mailbox full', 'deferred mailbox-full 4.2.2 received'],
  ['rcpt', '552 5.2.2 Mailbox full', 'failed mailbox-full 5.2.2 received'],
  ['rcpt', '552 too many recipients', 'deferred rate-limited 4.5.3 assigned'],
  ['rcpt', '556 no mail', 'failed null-mx 5.1.10 assigned'],
  ['greeting', '554 no', 'deferred espblock 4.7.1 assigned'],
  ['greeting', '554 5.7.1 listed at a list', 'deferred espblock 5.7.1 received'],
  ['greeting', '421 busy', 'deferred generic 4.3.2 assigned'],
  ['ehlo', '501 what', 'deferred espblock 4.7.1 assigned'],
  ['auth', '535 wrong', 'deferred internal 4.7.8 assigned'],
  ['mail', '550 no', 'failed espblock 5.7.1 assigned'],
  ['data', '554 no', 'failed bounce 5.0.0 assigned'],
  ['end-of-data', '554 5.6.0 broken', 'failed generic 5.6.0 received'],
  ['end-of-data', '550 no', 'failed bounce 5.0.0 assigned'],
];
for (const [stage, reply, expected] of replies) {
  test(`${stage}: ${reply}`, () => assert.equal(inShort(heard(stage, reply)), expected));
}

const causes: [observation: Observation, expected: string][] = [
  [unheard('connect', 'refused'), 'deferred connect 4.4.1 assigned'],
  [unheard('connect', 'own-address'), 'deferred internal 4.3.5 assigned'],
  [unheard('connect', 'unreachable'), 'deferred connect 4.4.1 assigned'],
  [unheard('connect', 'timeout'), 'deferred connect 4.4.1 assigned'],
  [unheard('greeting', 'timeout'), 'deferred connect 4.4.2 assigned'],
  [unheard('end-of-data', 'connection-lost'), 'deferred connect 4.4.2 assigned'],
  [unheard('rcpt', 'protocol'), 'deferred generic 4.5.0 assigned'],
  [unheard('tls', 'tls'), 'deferred tls 4.7.5 assigned'],
  [unheard('auth', 'tls'), 'deferred tls 4.7.5 assigned'],
  [unheard('tls', 'unsupported', '4.7.4'), 'deferred tls 4.7.4 assigned'],
  [unheard('auth', 'unsupported', '4.7.4'), 'deferred internal 4.7.4 assigned'],
  [unheard('mail', 'unsupported', '5.6.3'), 'failed generic 5.6.3 assigned'],
  [unheard('mail', 'unsupported', '5.3.4'), 'failed generic 5.3.4 assigned'],
  [unheard('rcpt', 'unsupported', '5.1.3'), 'failed bounce 5.1.3 assigned'],
  [unheard('dns', 'null-mx', '5.1.10'), 'failed null-mx 5.1.10 assigned'],
  [unheard('dns', 'no-mx', '5.4.4'), 'failed no-mx 5.4.4 assigned'],
  [unheard('dns', 'dns', '4.4.3'), 'deferred dns 4.4.3 assigned'],
  [unheard('dns', 'dns', '5.4.6'), 'failed dns 5.4.6 assigned'],
];
for (const [observation, expected] of causes) {
  test(`no reply at ${observation.stage}: ${observation.cause}`, () =>
    assert.equal(inShort(observation), expected));
}

test('words of our own say how far it came', () => {
  assert.equal(
    classify(unheard('end-of-data', 'timeout'), { provider: '' }).diagnostic,
    'words (at end-of-data)',
  );
  assert.equal(classify(unheard('dns', 'no-mx'), { provider: '' }).diagnostic, 'words');
});

test('an address says nothing about why', () => {
  assert.equal(
    inShort(heard('rcpt', '550 <spam-block.list@greylist.example>: no')),
    'failed bounce 5.1.0 assigned',
  );
});

test('every refusal has a verdict: a reason, a fitting status, and never `delivered`', () => {
  const words = [
    'mailbox',
    'full',
    'user',
    'unknown',
    'spam',
    'policy',
    'try again in 5',
    'relay',
    'blocked',
    '\n',
    'a@b',
    'x',
  ];
  fc.assert(
    fc.property(
      fc.integer({ min: 400, max: 599 }),
      fc.constantFrom(...stages.filter((stage) => stage !== 'dns' && stage !== 'connect')),
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 4 })), { maxLength: 12 }),
      (code, stage, said) => {
        const observation = observed(stage, { code, text: said.join(' '), enhancedStatus: null });
        const { outcome, reason, enhancedStatus } = classify(observation, { provider: '' });
        assert.notEqual(outcome, 'delivered');
        assert.notEqual(reason, null);
        assert.ok(isEnhancedStatus(enhancedStatus.value));
        assert.equal(enhancedStatus.value.startsWith('4'), outcome === 'deferred');
        if (code < 500) assert.equal(outcome, 'deferred');
        if (siteStages.includes(stage)) assert.notEqual(reason, 'bounce');
        if (stage === 'mail') assert.notEqual(reason, 'bounce');
      },
    ),
  );
});

test('no text makes a pattern run long', () => {
  const hostile = [
    'a',
    ' ',
    '@',
    'user ',
    'mailbox ',
    'too many ',
    'a ',
    'recipient is ',
    'boite ',
    'exceeds the ',
    'try ',
  ];
  for (const piece of hostile) {
    const text = piece.repeat(limits.replyTextBytes / piece.length);
    const before = process.cpuUsage();
    classify(observed('rcpt', { code: 550, text, enhancedStatus: null }), { provider: '' });
    assert.ok(process.cpuUsage(before).user < 100_000, `${JSON.stringify(piece)} takes too long`);
  }
});
