import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAscii, isSafePath, mailCommand, rcptCommand } from './commands.ts';
import { type ForwardPathOptions, noForwardPathOptions, noMailOptions } from './envelope-options.ts';
import { noExtensions } from './extensions.ts';

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

const everything = { ...noExtensions, smtpUtf8: true, dsn: true, requireTls: true, mtPriority: true };

test('parameters of MAIL', () => {
  const options = noMailOptions;
  const plain = { reversePath: '', sizeBytes: null, eightBitMime: false, smtpUtf8: false, options };
  assert.equal(mailCommand(plain, everything), 'MAIL FROM:<>\r\n');
  assert.equal(
    mailCommand(
      { reversePath: 'a@x.example', sizeBytes: 12, eightBitMime: true, smtpUtf8: true, options },
      everything,
    ),
    'MAIL FROM:<a@x.example> SIZE=12 BODY=8BITMIME SMTPUTF8\r\n',
  );
});

test('what the client asked for is said to a server that offers it', () => {
  const options = { ...noMailOptions, ret: 'HDRS', envid: 'a+2Bb', requireTls: true, priority: -3 } as const;
  const mail = { reversePath: '', sizeBytes: null, eightBitMime: false, smtpUtf8: false, options };
  assert.equal(
    mailCommand(mail, everything),
    'MAIL FROM:<> RET=HDRS ENVID=a+2Bb REQUIRETLS MT-PRIORITY=-3\r\n',
  );
  assert.equal(mailCommand(mail, { ...noExtensions, requireTls: true }), 'MAIL FROM:<> REQUIRETLS\r\n');
});

test('parameters of RCPT', () => {
  const command = (options: ForwardPathOptions, offered = everything) =>
    rcptCommand('b@x.example', options, offered);
  assert.equal(command(noForwardPathOptions), 'RCPT TO:<b@x.example>\r\n');
  const options: ForwardPathOptions = { notify: ['SUCCESS', 'DELAY'], orcpt: 'utf-8;ö@x.example' };
  assert.equal(command(options), 'RCPT TO:<b@x.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;ö@x.example\r\n');
  assert.equal(
    command({ ...options, notify: [] }, { ...everything, smtpUtf8: false }),
    'RCPT TO:<b@x.example> ORCPT=utf-8;\\x{F6}@x.example\r\n',
  );
  assert.equal(command(options, noExtensions), 'RCPT TO:<b@x.example>\r\n');
});

test('ASCII', () => {
  assert.ok(isAscii('a@b'));
  assert.ok(!isAscii('ü@b'));
});
