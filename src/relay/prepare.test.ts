import assert from 'node:assert/strict';
import test from 'node:test';
import { composeMailId, relayIdOf } from '../base/id.ts';
import { noMailOptions } from '../protocol/smtp/envelope-options.ts';
import { prepare } from './prepare.ts';
import type { Submission } from './submission.ts';

const acceptedAt = Date.UTC(2026, 10, 22, 10, 0, 0);
const mailId = composeMailId({ at: acceptedAt, node: 0, sequence: 0 });
const circumstances = { mailId, acceptedAt, hostname: 'relay.example.net' };

function submissionWith(content: string, more: Partial<Submission> = {}): Submission {
  return {
    tenantId: 1,
    streamId: 10_001,
    trustedNetwork: false,
    origin: '192.0.2.7',
    greetingName: 'app.example.test',
    transport: 'smtp',
    protocol: 'ESMTPSA',
    reversePath: 'app@example.test',
    forwardPaths: ['someone@example.org'],
    content: Buffer.from(content),
    ...more,
  };
}

function prepared(content: string, more: Partial<Submission> = {}) {
  const result = prepare(submissionWith(content, more), circumstances);
  assert.ok(result.ok);
  return { facts: result.facts, text: result.content.toString() };
}

test('a complete mail gets the trace field and nothing else', () => {
  const content = 'From: a@example.test\r\nDate: x\r\nMessage-ID: <1@example.test>\r\n\r\nbody\r\n';
  const { text } = prepared(content);
  assert.equal(
    text,
    'Received: from app.example.test ([192.0.2.7])\r\n' +
      `\tby relay.example.net (Waybill) with ESMTPSA id ${relayIdOf(mailId)}\r\n` +
      '\tfor <someone@example.org>;\r\n' +
      '\tSun, 22 Nov 2026 10:00:00 +0000\r\n' +
      content,
  );
});

test('missing fields are added, and the facts name the id that was given', () => {
  const { text, facts } = prepared('Subject: hi\r\n\r\nbody\r\n');
  assert.match(text, /^Date: Sun, 22 Nov 2026 10:00:00 \+0000\r$/m);
  assert.match(text, /^From: <app@example\.test>\r$/m);
  assert.match(text, new RegExp(`^Message-ID: <${facts.messageIdField}>\r$`, 'm'));
  assert.equal(facts.fromField.address, 'app@example.test');
  assert.equal(facts.sendingDomain, 'example.test');
});

test('a body without a header section, or behind a broken line, is set apart', () => {
  assert.match(prepared('just text\r\n').text, /\r\n\r\njust text\r\n$/);
  assert.match(prepared('A: 1\r\nnot a field\r\nB: 2\r\n').text, /\r\nA: 1\r\n\r\nnot a field\r\nB: 2\r\n$/);
});

test('what a client calls itself cannot break the trace field', () => {
  const { text } = prepared('A: 1\r\n\r\n', { greetingName: 'x)\r\nBcc: y@z.example' });
  assert.match(text, /^Received: from \[192\.0\.2\.7\] \(\[192\.0\.2\.7\]\)\r\n/);
  assert.doesNotMatch(text, /Bcc/);
});

test('other recipients are not told by the trace field', () => {
  const { text } = prepared('A: 1\r\n\r\n', { forwardPaths: ['a@example.org', 'b@example.org'] });
  assert.doesNotMatch(text, /example\.org/);
});

test('the trace field tells the priority, and stays ASCII', () => {
  const options = { ...noMailOptions, priority: -3 };
  const { text } = prepared('A: 1\r\n\r\n', {
    forwardPaths: ['jörg@example.org'],
    protocol: 'UTF8SMTPA',
    options,
  });
  assert.match(text, /with UTF8SMTPA id [0-9a-f]{18}\r\n\tPRIORITY -3;\r\n/);
  assert.doesNotMatch(text, /jörg/);
});

test('the facts of the mail', () => {
  const { facts } = prepared(
    'From: "App" <app@example.test>\r\nTo: Jane <jane@example.org>\r\nReply-To: r@example.test, s@example.test\r\n' +
      'Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nMessage-ID: <m@example.test>\r\nX-Waybill-Tag: news\r\nX-Waybill-Tag: may\r\nX-Waybill-Tag: news\r\n\r\n12345\r\n',
  );
  assert.deepEqual(facts.fromField, { address: 'app@example.test', name: 'App' });
  assert.equal(facts.toField, 'Jane <jane@example.org>');
  assert.equal(facts.replyTo, 'r@example.test');
  assert.equal(facts.subject, 'Grüße');
  assert.equal(facts.messageIdField, 'm@example.test');
  assert.equal(facts.bodyBytes, 7);
  assert.deepEqual(facts.tags, ['news', 'may']);
});

test('a mail that has been everywhere is a loop', () => {
  const result = prepare(submissionWith(`${'Received: from x\r\n'.repeat(51)}\r\n`), circumstances);
  assert.ok(!result.ok);
  assert.equal(result.reply.code, 554);
  assert.equal(result.reply.enhancedStatus, '5.4.6');
});
