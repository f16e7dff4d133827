import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { refusal, renderReply, replies } from './replies.ts';

test('a reply of one line, of several, and without enhanced status', () => {
  assert.equal(renderReply(250, '2.0.0', 'Ok'), '250 2.0.0 Ok\r\n');
  assert.equal(renderReply(550, '5.1.1', 'one\ntwo'), '550-5.1.1 one\r\n550 5.1.1 two\r\n');
  assert.equal(renderReply(220, '', 'relay.test'), '220 relay.test\r\n');
  assert.equal(renderReply(334, '', ''), '334 \r\n');
});

test('whatever the text is, the reply is one well-formed reply of bounded length', () => {
  const text = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\r\n', '\n', '\0', 'ü')), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, (parts) => {
      const rendered = renderReply(550, '5.7.1', parts.join(''));
      assert.match(rendered, /^(?:550-5\.7\.1 [\x20-\x7e]*\r\n)*550 5\.7\.1 [\x20-\x7e]*\r\n$/);
      const lines = rendered.split('\r\n');
      assert.ok(lines.length <= 21 && lines.every((line) => line.length <= 510));
    }),
  );
});

test('a refusal with 421 closes the session, any other does not', () => {
  const refused = { code: 421, enhancedStatus: '4.7.0', text: 'Later' };
  assert.equal(refusal({ refused, privateReason: '' }).next, 'close');
  assert.equal(refusal({ refused: { ...refused, code: 450 }, privateReason: '' }).next, 'command');
});

test('all fixed replies are well formed, and their classes agree', () => {
  for (const [name, { text }] of Object.entries(replies)) {
    assert.match(text, /^(?:\d{3}[- ](?:[245]\.\d{1,3}\.\d{1,3} )?[\x20-\x7e]+\r\n)+$/, name);
    const [, code = '', status] = /^(\d)\d\d[- ](?:(\d)\.)?/.exec(text) ?? [];
    assert.equal(status ?? code, code, name);
  }
});

test('every fixed refusal stands in docs/smtp.md', () => {
  const page = readFileSync(new URL('../../docs/smtp.md', import.meta.url), 'utf8');
  for (const { text } of Object.values(replies)) {
    if (/^[45]/.test(text)) assert.ok(page.includes(`\`${text.trimEnd()}\``), text);
  }
});
