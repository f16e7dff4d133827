import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { addressesIn, decodedText, messageIdIn } from './fields.ts';
import { readHeaderSection } from './header-section.ts';

function fieldsOf(text: string) {
  const header = readHeaderSection(Buffer.from(text));
  assert.ok(header.ok);
  return header.fields;
}

test('fields in order, names in lower case, folded bodies as one line', () => {
  assert.deepEqual(
    fieldsOf('Subject: one\r\n two\r\n\tthree\r\nX-Empty:\r\nSUBJECT : again\r\n\r\nBody: no field\r\n'),
    [
      { name: 'subject', body: 'one two\tthree' },
      { name: 'x-empty', body: '' },
      { name: 'subject', body: 'again' },
    ],
  );
});

test('where header section and body part', () => {
  const rows: [string, { bytes: number; bodyOffset: number; separated: boolean }][] = [
    ['A: 1\r\n\r\nbody\r\n', { bytes: 6, bodyOffset: 8, separated: true }],
    ['\r\nbody\r\n', { bytes: 0, bodyOffset: 2, separated: true }],
    ['body only\r\n', { bytes: 0, bodyOffset: 0, separated: false }],
    ['A: 1\r\nno field\r\nB: 2\r\n\r\n', { bytes: 6, bodyOffset: 6, separated: false }],
    ['A: 1\r\n', { bytes: 6, bodyOffset: 6, separated: false }],
    ['', { bytes: 0, bodyOffset: 0, separated: false }],
    [' folded from nothing\r\n\r\n', { bytes: 0, bodyOffset: 0, separated: false }],
  ];
  for (const [text, expected] of rows) {
    const header = readHeaderSection(Buffer.from(text));
    assert.ok(header.ok);
    const { bytes, bodyOffset, separated } = header;
    assert.deepEqual({ bytes, bodyOffset, separated }, expected, JSON.stringify(text));
  }
});

test('a header section has bounds', () => {
  const many = readHeaderSection(Buffer.from('A: 1\r\n'.repeat(limits.headerFields + 1)));
  assert.equal(many.ok, false);
  const long = readHeaderSection(Buffer.from(`A: ${'x'.repeat(limits.headerSectionBytes)}\r\n\r\n`));
  assert.equal(long.ok, false);
});

test('any bytes are read without a fault, and the parts add up', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const header = readHeaderSection(Buffer.from(bytes));
      assert.ok(!header.ok || (header.bytes <= header.bodyOffset && header.bodyOffset <= bytes.length));
    }),
  );
});

test('names such as __proto__ are fields like others', () => {
  assert.deepEqual(
    fieldsOf('__proto__: 1\r\nconstructor: 2\r\n\r\n').map((field) => field.name),
    ['__proto__', 'constructor'],
  );
});

test('decoded text never breaks a line', () => {
  const fields = fieldsOf('Subject: =?utf-8?Q?a=0D=0ABcc:_x@y.z?= =?utf-8?B?w7w=?=\r\n\r\n');
  const subject = decodedText(fields, 'subject');
  assert.equal(subject, 'a Bcc: x@y.zü');
});

test('mailboxes of an address field, groups opened', () => {
  const fields = fieldsOf(
    'From: =?utf-8?Q?J=C3=BC?= <a@b.example>\r\nTo: Team: x@y.example, "q, r" <u@v.example>;, z@z.example\r\nCc: plain@c.example\r\n\r\n',
  );
  assert.deepEqual(addressesIn(fields, 'from'), [{ address: 'a@b.example', name: 'Jü' }]);
  assert.deepEqual(addressesIn(fields, 'to'), [
    { address: 'x@y.example', name: '' },
    { address: 'u@v.example', name: 'q, r' },
    { address: 'z@z.example', name: '' },
  ]);
  assert.deepEqual(addressesIn(fields, 'cc'), [{ address: 'plain@c.example', name: '' }]);
  assert.deepEqual(addressesIn(fields, 'reply-to'), []);
});

test('the Message-ID stands without brackets', () => {
  assert.equal(messageIdIn(fieldsOf('Message-ID:  <abc@d.example> (comment)\r\n\r\n')), 'abc@d.example');
  assert.equal(messageIdIn(fieldsOf('Message-ID: naked@d.example\r\n\r\n')), 'naked@d.example');
  assert.equal(messageIdIn(fieldsOf('X: y\r\n\r\n')), '');
});
