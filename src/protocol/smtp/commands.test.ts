import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAscii, isSafePath, mailCommand, rcptCommand } from './commands.ts';

for (const path of [
  '',
  'a@example.org',
  '"a.b"@example.org',
  'björn@example.org',
  'a@[192.0.2.1]',
  "o'x=y@z.example",
]) {
  test(`safe path: ${path}`, () => assert.ok(isSafePath(path)));
}

for (const path of [
  'a@example.org\r\nRCPT TO:<b@example.org>',
  'a@example.org\n',
  'a\x00@example.org',
  'a b@example.org',
  '<a@example.org>',
  'a@example.org>',
  'a\t@example.org',
  '\x7f@example.org',
  '\ud800@example.org',
  `${'a'.repeat(250)}@example.org`,
]) {
  test(`unsafe path: ${JSON.stringify(path.slice(0, 40))}`, () => assert.ok(!isSafePath(path)));
}

test('parameters of MAIL', () => {
  const plain = { reversePath: '', sizeBytes: null, eightBitMime: false, smtpUtf8: false };
  assert.equal(mailCommand(plain), 'MAIL FROM:<>\r\n');
  assert.equal(
    mailCommand({ reversePath: 'a@x.example', sizeBytes: 12, eightBitMime: true, smtpUtf8: true }),
    'MAIL FROM:<a@x.example> SIZE=12 BODY=8BITMIME SMTPUTF8\r\n',
  );
  assert.equal(rcptCommand('b@x.example'), 'RCPT TO:<b@x.example>\r\n');
});

test('ASCII', () => {
  assert.ok(isAscii('a@b'));
  assert.ok(!isAscii('ü@b'));
});
