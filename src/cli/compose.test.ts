import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { composeMail } from './compose.ts';

const mail = {
  from: 'app@example.test',
  to: ['ann@example.test'],
  subject: 'Hello',
  body: 'Hi\n',
  at: Date.UTC(2026, 10, 22),
};

test('a plain mail is sent as it is', () => {
  assert.equal(
    composeMail(mail).toString(),
    [
      'From: <app@example.test>',
      'To: <ann@example.test>',
      'Subject: Hello',
      'Date: Sun, 22 Nov 2026 00:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Hi',
      '',
    ].join('\r\n'),
  );
});

test('a subject cannot bring header fields of its own', () => {
  const text = composeMail({ ...mail, subject: 'x\r\nBcc: all@example.test' }).toString();
  assert.match(text, /^Subject: x Bcc: all@example.test\r$/m);
});

/** What SMTP cannot carry, a mail cannot hold: the reader gets it without. */
const text = fc.string({ unit: 'grapheme', maxLength: 300 });

test('whatever is written comes back, in lines that SMTP takes', async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.array(text, { maxLength: 5 }), async (subject, lines) => {
      const body = lines.map((line) => line.replace(/[\r\n]/g, '')).join('\n');
      const content = composeMail({ ...mail, subject, body });
      for (const line of content.toString('latin1').split('\r\n')) {
        assert.ok(line.length <= 998 && !/[\r\n\0]/.test(line), 'a line of SMTP');
      }
      const read = await PostalMime.parse(content);
      assert.equal((read.text ?? '').replaceAll('\r\n', '\n').replace(/\n$/, ''), body.replace(/\n$/, ''));
      assert.equal((read.subject ?? '').trim(), subject.replace(/[\r\n]+/g, ' ').trim());
    }),
  );
});

test('long lines and long bodies are encoded', async () => {
  const body = 'x'.repeat(5000);
  const content = composeMail({ ...mail, body, to: ['ann@example.test', 'bob@example.test'] });
  const read = await PostalMime.parse(content);
  assert.equal(read.text?.trim(), body);
  assert.deepEqual(
    read.to?.map(({ address }) => address),
    ['ann@example.test', 'bob@example.test'],
  );
});
