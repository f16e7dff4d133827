import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { newInstallation } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());

function file(name: string, ...lines: string[]): string {
  const path = join(installation.folder, name);
  writeFileSync(path, lines.join('\r\n'));
  return path;
}

const bounce = [
  'Return-Path: <>',
  'From: MAILER-DAEMON@mx.example.net',
  'Subject: failure notice',
  '',
  "I'm afraid I wasn't able to deliver your message to the following addresses.",
  '<b@example.org>:',
  'Remote host said: 550 5.1.1 <b@example.org>: User unknown',
];
const complaint = [
  'Content-Type: multipart/report; report-type=feedback-report; boundary=x',
  '',
  '--x',
  'Content-Type: message/feedback-report',
  '',
  'Feedback-Type: abuse',
  'Original-Rcpt-To: c@example.org',
  '--x--',
];
const bounceFile = file('bounce.eml', ...bounce);
const complaintFile = file('complaint.eml', ...complaint);
const otherFile = file('other.eml', 'Subject: hello', '', 'words');

const bounceReport = {
  kind: 'dsn',
  recipients: [
    {
      finalRecipient: 'b@example.org',
      originalRecipient: null,
      action: 'failed',
      status: '5.1.1',
      class: 5,
      hard: true,
      reason: 'bounce',
      suppress: true,
    },
  ],
};

function jsonLines(out: string): unknown[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('one JSON line for each file, in order', async () => {
  const words = ['diagnose', 'report', '--json', bounceFile, complaintFile, otherFile];
  const { code, out, err } = await installation.run(words);
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  const [first, second, third] = jsonLines(out);
  assert.deepEqual(first, bounceReport);
  assert.equal((second as { kind: string }).kind, 'feedback');
  assert.deepEqual(third, { kind: 'none', recipients: [] });
});

test('standard input', async () => {
  const { code, out } = await installation.run(['diagnose', 'report', '-', '--json'], {
    input: bounce.join('\n'),
  });
  assert.equal(code, 0);
  assert.deepEqual(jsonLines(out), [bounceReport]);
});

test('for people: a table under the name of each file', async () => {
  const { code, out } = await installation.run(['diagnose', 'report', bounceFile, otherFile]);
  assert.equal(code, 0);
  assert.equal(
    out,
    [
      `${bounceFile}: a report on delivery`,
      'RECIPIENT      ACTION  STATUS  CLASS  BOUNCE  REASON  SUPPRESS',
      'b@example.org  failed  5.1.1   5      hard    bounce  yes',
      `${otherFile}: no report`,
      '',
    ].join('\n'),
  );
});

test('a file that cannot be read is told; the others are read all the same', async () => {
  const folder = join(installation.folder, 'folder');
  mkdirSync(folder);
  const large = file('large.eml', '');
  truncateSync(large, limits.contentBytes + 1);
  const missing = join(installation.folder, 'missing.eml');
  const { code, out, err } = await installation.run([
    'diagnose',
    'report',
    '--json',
    missing,
    folder,
    large,
    bounceFile,
  ]);
  assert.equal(code, 1);
  assert.deepEqual(jsonLines(out), [bounceReport]);
  const [first, second, third] = err.split('\n');
  assert.equal(first, `waybill: ${missing} cannot be read: there is no such file`);
  assert.equal(second, `waybill: ${folder} cannot be read: it is a folder`);
  assert.equal(third, `waybill: ${large} is larger than a mail may be (${limits.contentBytes} bytes)`);
});

test('what a stranger wrote cannot steer the terminal', async () => {
  const path = file('controls.eml', ...bounce.map((line) => line.replace('<b@', '<"b\x1b[2J"@')));
  const { out } = await installation.run(['diagnose', 'report', path]);
  assert.ok(!out.includes('\x1b'));
});

test('a report that was not named', async () => {
  const { code, err } = await installation.run(['diagnose', 'report']);
  assert.equal(code, 2);
  assert.match(err, /needs FILE/);
});
