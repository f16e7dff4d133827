/** What an attempt tells about its site: the policy as a table. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { DeliveryStatus, Stage } from '../events/delivery-status.ts';
import { ReplyReader } from '../protocol/smtp/reply-reader.ts';
import type { FailureCause, Observation } from '../smtp-client/smtp-client.ts';
import { classify } from './classify.ts';
import { type SiteNews, siteNewsOf } from './site-news.ts';

const replies: readonly [Stage, string, SiteNews][] = [
  ['end-of-data', '250 2.0.0 Ok', 'well'],
  ['rcpt', '550 5.1.1 unknown user', 'well'],
  ['rcpt', '450 4.2.0 Greylisted, try again in 5 minutes', 'well'],
  ['mail', '450 4.7.1 Greylisted, please try again', 'well'],
  ['mail', '451 4.3.0 Temporary system problem', 'trouble'],
  ['mail', '550 5.7.1 sender refused', 'well'],
  ['greeting', '421 4.7.0 Error: too many connections from 192.0.2.2', 'later'],
  ['greeting', '451 not now', 'later'],
  ['greeting', '554 5.7.1 no service for you', 'later'],
  ['rcpt', '421 4.7.0 closing', 'later'],
  ['end-of-data', '421 4.7.28 unusual rate of mail', 'later'],
  ['mail', '452 4.3.2 Connection rate limit exceeded.', 'later'],
  ['end-of-data', '451 4.7.500 Server busy. Please try again later from [192.0.2.2].', 'later'],
  ['rcpt', '452 4.5.3 Error: too many recipients', 'well'],
  ['rcpt', '450 4.2.1 The user is receiving mail too quickly.', 'well'],
  ['rcpt', '451 4.7.1 slow down', 'trouble'],
  ['rcpt', '452 4.2.2 mailbox full', 'well'],
  ['tls', '454 4.7.0 TLS not available', 'silent'],
];

for (const [stage, line, news] of replies)
  test(`${stage}: ${line} → ${news}`, () => {
    assert.equal(siteNewsOf([statusOf(heard(stage, line))]), news);
  });

const causes: readonly [Stage, FailureCause, SiteNews][] = [
  ['connect', 'refused', 'unreachable'],
  ['connect', 'timeout', 'unreachable'],
  ['connect', 'own-address', 'silent'],
  ['greeting', 'connection-lost', 'unreachable'],
  ['data', 'connection-lost', 'trouble'],
  ['end-of-data', 'timeout', 'trouble'],
  ['tls', 'tls', 'silent'],
  ['dns', 'no-mx', 'silent'],
  ['rcpt', 'unsupported', 'silent'],
];

for (const [stage, cause, news] of causes)
  test(`${stage}: ${cause} → ${news}`, () => {
    const observation = { stage, reply: null, enhancedStatus: null, cause, text: 'x' };
    assert.equal(siteNewsOf([statusOf(observation)]), news);
  });

test('of several forward-paths the worst counts', () => {
  const of = (line: string) => statusOf(heard('rcpt', line));
  assert.equal(siteNewsOf([of('250 ok'), of('421 4.7.0 closing'), of('550 5.1.1 no')]), 'later');
  assert.equal(siteNewsOf([]), 'silent');
});

function heard(stage: Stage, line: string): Observation {
  const reader = new ReplyReader();
  reader.push(Buffer.from(`${line}\r\n`));
  const reply = reader.next();
  assert.ok(reply !== null && 'code' in reply, `no reply: ${line}`);
  const { code, text, enhancedStatus } = reply;
  return { stage, reply: { code, text }, enhancedStatus, cause: null, text: '' };
}

function statusOf(observation: Observation): DeliveryStatus {
  return {
    ...classify(observation, { provider: 'example.org' }),
    ...{ stage: observation.stage, reply: observation.reply, remoteMta: null, sendingIp: '', tls: null },
    ...{ startedAt: 0, durationMs: 0 },
  };
}
