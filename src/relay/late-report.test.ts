/** From a mail at the bounce domain to a report about one delivery; what anybody could have written is not believed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { deliveryOfReturnToken, returnTokenOf } from '../base/id.ts';
import { installationKey } from '../base/secret.ts';
import { readLateReport } from './late-report.ts';
import { createReturnPaths, type ReportMailbox } from './return-path.ts';

const key = installationKey(Buffer.alloc(32, 1));
const strange = installationKey(Buffer.alloc(32, 2));
const options = { domain: 'bounces.example.net', complaintMailbox: 'complaints', key };
const returnPaths = createReturnPaths(options);
const delivery = { tenantId: 7, mailId: 2 ** 52 + 12_345, n: 3, quiet: false };
const own: ReportMailbox = { kind: 'return-path', delivery };
const complaints: ReportMailbox = { kind: 'complaints' };

const read = (content: string, mailbox: ReportMailbox = own) =>
  readLateReport(Buffer.from(content.replaceAll('\n', '\r\n')), mailbox, returnPaths);

function dsn(groups: string[], head = ''): string {
  return `From: MAILER-DAEMON@mx.example.org
Subject: Undelivered Mail Returned to Sender
${head}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

It failed.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

${groups.join('\n')}
--B--
`;
}

const group = (
  address: string,
  action = 'failed',
  diagnostic = '550 5.1.1 No such user',
) => `Final-Recipient: rfc822; ${address}
Action: ${action}
Status: ${action === 'failed' ? '5.1.1' : '4.4.1'}
Diagnostic-Code: smtp; ${diagnostic}
`;

function arf(original: string, type = 'abuse', mailFrom = ''): string {
  return `From: fbl@provider.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

A complaint.
--B
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: x/1
Version: 1
${mailFrom === '' ? '' : `Original-Mail-From: <${mailFrom}>\n`}
--B
Content-Type: message/rfc822

${original}From: app@acme.test
Subject: Hello

Hello.
--B--
`;
}

test('a return token names its delivery, in any case; a changed or foreign one names nothing', () => {
  const token = returnTokenOf(key, delivery);
  assert.equal(token.length, 47);
  assert.deepEqual(deliveryOfReturnToken(key, token), delivery);
  assert.deepEqual(deliveryOfReturnToken(key, token.toUpperCase()), delivery);
  const quiet = { ...delivery, quiet: true };
  assert.deepEqual(deliveryOfReturnToken(key, returnTokenOf(key, quiet)), quiet);
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'b' ? 'q' : token[at] === '0' ? '1' : '0';
    const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
    assert.equal(deliveryOfReturnToken(key, changed), null, changed);
  }
  assert.equal(deliveryOfReturnToken(strange, token), null);
  assert.equal(deliveryOfReturnToken(key, `${token}0`), null);
});

test('what is at the bounce domain', () => {
  const path = returnPaths.of(delivery);
  assert.deepEqual(returnPaths.mailboxOf(path), own);
  assert.deepEqual(returnPaths.mailboxOf(path.toUpperCase()), own);
  assert.deepEqual(returnPaths.mailboxOf('Complaints@Bounces.Example.NET'), complaints);
  assert.equal(returnPaths.mailboxOf('postmaster@bounces.example.net'), 'unknown');
  assert.equal(
    returnPaths.mailboxOf(createReturnPaths({ ...options, key: strange }).of(delivery)),
    'unknown',
  );
  assert.equal(returnPaths.mailboxOf('complaints@example.net'), null);
  assert.equal(returnPaths.mailboxOf('complaints@x.bounces.example.net'), null);
});

test('a DSN tells of the delivery whose return path it came to, by whatever address', () => {
  assert.deepEqual(read(dsn([group('alias@elsewhere.example')])), {
    ok: true,
    report: {
      ...delivery,
      type: 'returned',
      reason: 'bounce',
      suppress: true,
      replyCode: 550,
      replyText: 'No such user',
      enhancedStatus: '5.1.1',
      diagnostic: '550 5.1.1 No such user',
    },
  });
});

test('only what says that the address takes no mail is remembered of it', () => {
  const policy = read(dsn([group('jane@example.org', 'failed', '550 5.7.1 Blocked by policy')]));
  assert.ok(policy.ok);
  assert.partialDeepStrictEqual(policy.report, { type: 'returned', reason: 'espblock', suppress: false });
});

test('what nothing follows from', () => {
  const cases: [string, string][] = [
    [dsn([group('jane@example.org', 'delayed')]), 'nothing-final'],
    [dsn([group('jane@example.org', 'delivered')]), 'nothing-final'],
    [dsn([group('a@example.org'), group('b@example.org', 'delivered')]), 'ambiguous'],
    ['From: jane@example.org\nSubject: Out of office\n\nI am away.\n', 'no-report'],
    ['', 'no-report'],
    [arf('', 'not-spam'), 'nothing-final'],
  ];
  for (const [content, why] of cases) assert.deepEqual(read(content), { ok: false, why }, why);
});

test('a complaint is tied by the return path that it quotes, and by nothing else', () => {
  const path = returnPaths.of(delivery);
  const forged = createReturnPaths({ ...options, key: strange }).of(delivery);
  const other = returnPaths.of({ ...delivery, n: 4 });
  const complained = { ok: true, report: { ...delivery, type: 'complained', reason: 'suppress-complaint' } };
  assert.partialDeepStrictEqual(read(arf(`Return-Path: <${path}>\n`), complaints), complained);
  assert.partialDeepStrictEqual(read(arf('', 'abuse', path.toUpperCase()), complaints), complained);
  assert.partialDeepStrictEqual(read(arf(`Return-Path: <${path}>\n`, 'opt-out'), complaints), {
    ok: true,
    report: { type: 'unsubscribed', suppress: true },
  });
  const untied = [
    arf(''),
    arf(`Return-Path: <${forged}>\n`),
    arf(`Return-Path: <${path}.evil.example>\n`),
    arf(`Return-Path: <${path}>\n`, 'abuse', other),
  ];
  for (const content of untied)
    assert.deepEqual(read(content, complaints), { ok: false, why: 'not-ours' }, content);
});

test('a huge, nested or endless report is read within bounds', () => {
  const path = returnPaths.of(delivery);
  const nested = `Content-Type: multipart/report; boundary="B"\n\n${'--B\nContent-Type: multipart/mixed; boundary="B"\n\n'.repeat(5000)}`;
  const many = dsn(Array.from({ length: 20_000 }, (_, index) => group(`u${index}@example.org`)));
  const tokens = arf(`X-Tokens: ${`${path} `.repeat(100_000)}\n`);
  const started = process.cpuUsage();
  assert.equal(read(nested, complaints).ok, false);
  assert.ok(read(many).ok);
  assert.ok(read(tokens, complaints).ok);
  const { user } = process.cpuUsage(started);
  assert.ok(user < 10_000_000, `${user} µs`);
});
