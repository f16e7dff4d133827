/** Nothing that comes in a mail may stop the reader or keep it busy: arbitrary bytes, broken reports, texts made to be slow. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/base/limits.ts';
import { type Report, readReport } from '../../src/relay/receive-report.ts';
import { skipWithoutTestdata } from '../support/environment.ts';
import { bounces, readSamples } from './corpus.ts';

/** Of the processor, for others work beside. Far above what any of them takes, far below what a pattern that explodes would take. */
const slowMs = 3_000;

function readInTime(content: Buffer, what: string): Report {
  const began = process.cpuUsage();
  const report = readReport(content);
  const { user, system } = process.cpuUsage(began);
  const tookMs = (user + system) / 1000;
  assert.ok(tookMs < slowMs, `${what} took ${Math.round(tookMs)} ms`);
  checkShape(report);
  return report;
}

const members = [
  'finalRecipient',
  'originalRecipient',
  'action',
  'status',
  'class',
  'hard',
  'reason',
  'suppress',
];

function checkShape({ kind, recipients }: Report): void {
  assert.equal(kind === 'none', recipients.length === 0);
  assert.ok(recipients.length <= limits.reportRecipients);
  for (const recipient of recipients) {
    assert.deepEqual(Object.keys(recipient), members);
    if (recipient.hard) assert.ok(recipient.class === 5 && recipient.action === 'failed');
    if (kind === 'dsn') assert.equal(recipient.suppress, recipient.hard);
  }
}

test('arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => void readInTime(Buffer.from(bytes), 'bytes')),
  );
});

const words = [
  'From: MAILER-DAEMON@x\r\n',
  'Return-Path: <>\r\n',
  'Subject: failure notice\r\n',
  'X-Failed-Recipients: a@b.example\r\n',
  'Content-Type: multipart/report; boundary=x\r\n',
  'Content-Type: message/delivery-status\r\n',
  '--x\r\n',
  '--x--\r\n',
  '\r\n',
  '\n',
  '\r',
  'Final-Recipient: rfc822; b@example.org\r\n',
  'Action: failed\r\n',
  'Status: 5.1.1\r\n',
  'Diagnostic-Code: smtp; 550 5.1.1 x\r\n',
  'Content-Type: message/feedback-report\r\n',
  'Feedback-Type: abuse\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  '__proto__: 1\r\n',
  '<b@example.org>:',
  ' 550 5.1.1 User unknown',
  '>>> DATA\r\n',
  '<<< 550 no\r\n',
  '{"notificationType":"Bounce"',
  '}',
  '"',
  '=?utf-8?Q?=FF?=',
  ' ',
  ';',
];

test('pieces of reports in any order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 10 })), { maxLength: 60 }),
      (pieces) => {
        readInTime(Buffer.from(pieces.join('')), 'pieces');
      },
    ),
    { numRuns: 500 },
  );
});

test('real reports with bytes changed, cut out, doubled', { skip: skipWithoutTestdata(bounces) }, () => {
  const samples = readSamples();
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(200),
    bytes: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      (n, changes) => {
        const { content = Buffer.alloc(0), file = '' } = samples[n] ?? {};
        const changed = changes.reduce((whole, { at, cut, bytes }) => {
          const offset = Math.floor(at * whole.length);
          return Buffer.concat([whole.subarray(0, offset), bytes, whole.subarray(offset + cut)]);
        }, content);
        readInTime(changed, file);
      },
    ),
    { numRuns: 500 },
  );
});

const bounceHead = 'From: MAILER-DAEMON@x\nReturn-Path: <>\nSubject: failure notice\n';
const KiB = 1024;
const slow: [what: string, content: () => string][] = [
  ['line ends alone', () => '\r'.repeat(4096 * KiB)],
  ['empty lines', () => `${bounceHead}\n${'\n'.repeat(4096 * KiB)}`],
  ['one line without end', () => `${bounceHead}\n${'a@'.repeat(1024 * KiB)}`],
  ['at signs', () => `${bounceHead}\n${'@'.repeat(512 * KiB)}`],
  ['spaces', () => `${bounceHead}\n${' '.repeat(512 * KiB)}x`],
  ['brackets', () => `${bounceHead}Content-Type: text/html\n\n${'<'.repeat(512 * KiB)}`],
  ['many short lines of addresses', () => `${bounceHead}\n${'<b@example.org>:\n'.repeat(64 * KiB)}`],
  [
    'many different recipients',
    () =>
      `${bounceHead}\n${Array.from({ length: 20_000 }, (_, n) => `<u${n}@example.org>:\n550 no\n`).join('')}`,
  ],
  [
    'words of no delivery',
    () => `${bounceHead}\n${'could not be deliver to user account mailbox '.repeat(20 * KiB)}`,
  ],
  ['digits', () => `${bounceHead}\n<b@example.org>: ${'550 5.1.1 '.repeat(50 * KiB)}`],
  ['folded lines of one field', () => `Subject: x\n${' y\n'.repeat(200_000)}\n`],
  ['a field of many addresses', () => `X-Failed-Recipients: ${'"a" <b@example.org>, '.repeat(40_000)}\n\nx`],
  ['nested comments of an address field', () => `X-Failed-Recipients: ${'('.repeat(200_000)}\n\nx`],
  ['encoded words', () => `${bounceHead.replace('failure notice', '=?utf-8?Q?a?= '.repeat(20_000))}\nx`],
  [
    'containers in containers',
    () =>
      Array.from(
        { length: 50_000 },
        (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`,
      ).join(''),
  ],
  [
    'the same container again and again',
    () => 'Content-Type: multipart/mixed; boundary=x\n\n--x\n'.repeat(100_000),
  ],
  ['a boundary of dashes', () => `Content-Type: multipart/mixed; boundary=-\n\n${'---\n'.repeat(500_000)}`],
  ['parameters without end', () => `Content-Type: multipart/mixed; ${'a="'.repeat(100_000)}\n\nx`],
  [
    'groups of a report',
    () =>
      `Content-Type: message/delivery-status\n\n${'Final-Recipient: rfc822; b@example.org\nAction: failed\n\n'.repeat(100_000)}`,
  ],
  ['base64', () => `Content-Transfer-Encoding: base64\n${bounceHead}\n${'QUFB'.repeat(1024 * KiB)}`],
  [
    'soft line ends',
    () => `Content-Transfer-Encoding: quoted-printable\n${bounceHead}\n${'= '.repeat(512 * KiB)}`,
  ],
  ['deep JSON', () => `\n{"notificationType":"Bounce","bounce":${'['.repeat(100_000)}`],
];
for (const [what, content] of slow) {
  test(`in time: ${what}`, () => void readInTime(Buffer.from(content()), what));
}

test('a report as large as a mail may be', () => {
  const head = `${bounceHead}Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n<b@example.org>: 550 5.1.1 User unknown\r\n--x\r\n`;
  const filler = Buffer.alloc(
    limits.contentBytes - 2 * KiB,
    'Content-Type: multipart/mixed; boundary=x\r\n\r\n--x \r\n',
  );
  const report = readInTime(Buffer.concat([Buffer.from(head), filler]), 'the largest');
  assert.equal(report.recipients[0]?.finalRecipient, 'b@example.org');
});

test('names of JavaScript are names', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const content = `Content-Type: message/delivery-status\n\n${name}: x\nFinal-Recipient: rfc822; ${name}@example.org\nAction: ${name}\nStatus: 5.1.1\n`;
    const { recipients } = readInTime(Buffer.from(content), name);
    assert.deepEqual(
      recipients.map(({ finalRecipient, action }) => [finalRecipient, action]),
      [[`${name}@example.org`, 'failed']],
    );
  }
});
