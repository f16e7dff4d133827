import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { readFeedbackReport } from './feedback.ts';

test('a report as RFC 5965 has it', () => {
  const report = readFeedbackReport(
    'Feedback-Type: abuse\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Mail-From: <a@example.net>\n' +
      'Original-Rcpt-To: <b@example.com>\nOriginal-Envelope-Id: QQ\nSource-IP: 192.0.2.1\n' +
      'Reported-Domain: example.net\nReported-URI: http://example.net/x\nIncidents: 3\n',
  );
  assert.deepEqual(report, {
    feedbackType: 'abuse',
    userAgent: 'SomeGenerator/1.0',
    sourceIp: '192.0.2.1',
    originalMailFrom: 'a@example.net',
    originalRecipients: ['b@example.com'],
    originalEnvelopeId: 'QQ',
    reportedDomains: ['example.net'],
    incidents: 3,
  });
});

test('what is left out has its default; addresses stand once', () => {
  const report = readFeedbackReport(
    'Original-Rcpt-To: rfc822; b@example.com\n\nOriginal-Rcpt-To: b@example.com\nFeedback-Type: Opt-Out',
  );
  assert.equal(report?.feedbackType, 'opt-out');
  assert.equal(report?.incidents, 1);
  assert.deepEqual(report?.originalRecipients, ['b@example.com']);
});

test('no type, no report', () => {
  for (const text of ['', 'Version: 1\n', 'Feedback-Type:\n', 'words'])
    assert.equal(readFeedbackReport(text), null);
});

test('recipients are bounded, and any text is read without a fault', () => {
  const many = Array.from(
    { length: limits.reportRecipients + 9 },
    (_, n) => `Original-Rcpt-To: u${n}@example.com\n`,
  );
  const report = readFeedbackReport(`Feedback-Type: abuse\n${many.join('')}`);
  assert.ok((report?.originalRecipients.length ?? 0) <= limits.reportRecipients);
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => void readFeedbackReport(`Feedback-Type: abuse\n${text}`),
    ),
  );
});
