/** Whatever a client sends, in whatever pieces: well-formed replies, no fault of ours, no mail by accident. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DialogClient } from './client.ts';
import { startListener } from './listener.ts';

const transaction = 'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n';

const fragment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(transaction, `${transaction}text\r\n.\r\n`) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'EHLO c\r\n',
      'HELO c\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'DATA\r\n',
      'text\r\n',
      '.\r\n',
      '\r\n',
      'RSET\r\n',
      'NOOP\r\n',
      'AUTH LOGIN\r\n',
      'AUTH PLAIN AGEAYg==\r\n',
      '*\r\n',
      'STARTTLS\r\n',
      'VRFY x\r\n',
      'HELP\r\n',
      'BDAT 3 LAST\r\nabc',
      'BDAT 4\r\nab\r\n',
      'BDAT 0\r\n',
      'BDAT 2\r\na\n',
      'BDAT 6000\r\n',
      'BDAT x\r\n',
      'MAIL FROM:<a@b.example> SMTPUTF8 RET=FULL ENVID=1 HOLDFOR=5 MT-PRIORITY=-1\r\n',
      'RCPT TO:<c@d.example> NOTIFY=DELAY ORCPT=rfc822;a\r\n',
      'MAIL FROM:<> SIZE=9\r\n',
      'RCPT TO:<>\r\n',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\r',
      '\n',
      '\0',
      '.',
      'MAIL',
      ' ',
      '\xff',
      'x'.repeat(5000),
      '\r\n.\n',
      '\x16\x03\x01',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

const replyLine = /^\d{3}(?:[ -](?:[\x20-\x7e]*))$/;

test('random conversations', async (context) => {
  let total = 0;
  const listener = await startListener({ maxContentBytes: 5000 });
  context.after(() => listener.server.close());
  const property = fc.asyncProperty(
    fc.array(fragment, { maxLength: 25 }),
    fc.boolean(),
    async (parts, together) => {
      const client = await DialogClient.connect(listener.port);
      for (const piece of together ? [parts.join('')] : parts) {
        client.send(piece);
        if (!together) await new Promise(setImmediate);
      }
      client.end();
      const lines: string[] = [];
      for (let line = await client.lineOrEnd(); line !== null; line = await client.lineOrEnd())
        lines.push(line);
      client.destroy();
      assert.match(lines[0] ?? '', /^220 relay\.test /);
      for (const line of lines) assert.match(line, replyLine);
      const accepted = lines.filter((line) => line.startsWith('250 2.0.0 Ok: queued')).length;
      const said = parts.join('');
      const chunks = said.split(' LAST\r\n').length - 1;
      const marks = said.split('\r\n.\r\n').length - 1 + (said.includes('DATA\r\n.\r\n') ? 1 : 0) + chunks;
      assert.ok(accepted <= marks, 'more mails than ends of content');
      assert.equal(listener.mails.splice(0).length, accepted);
      total += accepted;
    },
  );
  await fc.assert(property, { numRuns: 400 });
  assert.ok(total > 50, `only ${total} mails came through`);
  const faults = listener.logged.filter((line) => line.includes('failed"') || line.includes('"fault":{'));
  assert.deepEqual(faults, []);
});
