/**
 * SMTP smuggling (CVE-2023-51764 and its kin): a mark that one server takes for the end of content and another
 * does not. Whoever wrote the rest of such content could send mail in another's name. Here none of the known
 * marks ends content, none of them is passed on, and nothing behind them is obeyed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialogClient } from './client.ts';
import { type Listener, startListener } from './listener.ts';
import { skipWithoutTestdata, testdata } from './testdata.ts';

const smuggled = 'MAIL FROM:<evil@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nevil\r\n.\r\n';

/** Sends content with the mark and a mail behind it; returns all the server said after 354. */
async function sendWithMark(listener: Listener, mark: string, byteByByte: boolean): Promise<string[]> {
  const client = await DialogClient.connect(listener.port);
  try {
    client.send('EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n');
    while (!(await client.line()).startsWith('354'));
    const bytes = `text${mark}${smuggled}\r\n.\r\nQUIT\r\n`;
    for (const piece of byteByByte ? bytes.split('') : [bytes]) {
      client.send(piece);
      if (byteByByte) await new Promise(setImmediate);
    }
    const lines: string[] = [];
    for (;;) {
      const line = await client.lineOrEnd();
      if (line === null) return lines;
      lines.push(line);
    }
  } finally {
    client.destroy();
  }
}

const known = (): Record<string, string> => JSON.parse(testdata('smuggling-sequences.json')).sequences;

test('none of the known marks ends content', { skip: skipWithoutTestdata }, async (context) => {
  const listener = await startListener();
  context.after(() => listener.server.close());
  const marks = Object.entries(known());
  assert.ok(marks.length >= 10);
  for (const [name, mark] of marks) {
    for (const byteByByte of [false, true]) {
      const said = await sendWithMark(listener, mark, byteByByte);
      assert.equal(said.length, 1, `${name}: ${said.join(' | ')}`);
      assert.match(said[0] ?? '', /^554 5\.6\.0 /, name);
      assert.equal(listener.mails.length, 0, name);
    }
  }
});

const ends = ['\r', '\n', '\r\n', '\r\r\n', '\n\r', '\0'];

test('of all marks made of CR, LF and NUL around a dot only one ends content', async (context) => {
  const listener = await startListener();
  context.after(() => listener.server.close());
  for (const before of ends) {
    for (const after of ends) {
      const mark = `${before}.${after}`;
      const said = await sendWithMark(listener, mark, false);
      if (mark === '\r\n.\r\n') {
        assert.match(
          said.join('\n'),
          /^250 2\.0\.0 .*\n250 2\.1\.0 .*\n250 2\.1\.5 .*\n354 .*\n250 2\.0\.0 /,
        );
        assert.equal(listener.mails.splice(0).length, 2);
      } else {
        assert.match(said.join('\n'), /^554 5\.6\.0 .*$/, JSON.stringify(mark));
        assert.equal(listener.mails.length, 0);
      }
    }
  }
});
