import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { formatReply, type ReceivedReply, type ReplyFault, ReplyReader } from './reply-reader.ts';

type Heard = ReceivedReply | ReplyFault;

function readAll(chunks: readonly (Buffer | string)[]): Heard[] {
  const reader = new ReplyReader();
  const heard: Heard[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk as string, 'latin1'));
    for (let reply = reader.next(); reply !== null; reply = reader.next()) {
      heard.push(reply);
      if ('fault' in reply) return heard;
    }
  }
  return heard;
}

const cases: [name: string, bytes: string, expected: Heard[]][] = [
  ['one line', '250 OK\r\n', [{ code: 250, text: 'OK', enhancedStatus: null }]],
  ['code alone', '250\r\n', [{ code: 250, text: '', enhancedStatus: null }]],
  ['code and space', '250 \r\n', [{ code: 250, text: '', enhancedStatus: null }]],
  ['bare LF', '250 OK\n', [{ code: 250, text: 'OK', enhancedStatus: null }]],
  ['status', '550 5.1.1 No such user\r\n', [{ code: 550, text: 'No such user', enhancedStatus: '5.1.1' }]],
  ['status alone', '250 2.0.0\r\n', [{ code: 250, text: '', enhancedStatus: '2.0.0' }]],
  [
    'status of a gateway',
    '550 #5.1.0 Address rejected.\r\n',
    [{ code: 550, text: 'Address rejected.', enhancedStatus: '5.1.0' }],
  ],
  ['two parts are no status', '550 5.7 text\r\n', [{ code: 550, text: '5.7 text', enhancedStatus: null }]],
  ['four parts are no status', '550 5.7.1.2 x\r\n', [{ code: 550, text: '5.7.1.2 x', enhancedStatus: null }]],
  [
    'status of another class',
    '550 4.2.2 full\r\n',
    [{ code: 550, text: '4.2.2 full', enhancedStatus: null }],
  ],
  [
    'several lines, the status repeated',
    '550-5.1.1 The account\r\n550-5.1.1 does not exist.\r\n550 5.1.1 id - gsmtp\r\n',
    [{ code: 550, text: 'The account\ndoes not exist.\nid - gsmtp', enhancedStatus: '5.1.1' }],
  ],
  [
    'several lines, the status once',
    '554-5.7.1 Blocked\r\n554 see 5.7.1 there\r\n',
    [{ code: 554, text: 'Blocked\nsee 5.7.1 there', enhancedStatus: '5.7.1' }],
  ],
  [
    'two replies in one chunk',
    '250 2.1.0 sender ok\r\n550 5.1.0 mailbox unavailable\r\n',
    [
      { code: 250, text: 'sender ok', enhancedStatus: '2.1.0' },
      { code: 550, text: 'mailbox unavailable', enhancedStatus: '5.1.0' },
    ],
  ],
  ['Latin-1', '550 Bo\xeete pleine\r\n', [{ code: 550, text: 'Boîte pleine', enhancedStatus: null }]],
  [
    'UTF-8',
    `550 ${Buffer.from('邮箱').toString('latin1')}\r\n`,
    [{ code: 550, text: '邮箱', enhancedStatus: null }],
  ],
  ['controls', '550 a\x00b\x1b[2Jc\rd\r\n', [{ code: 550, text: 'a?b?[2Jc?d', enhancedStatus: null }]],
  ['unfinished', '550-5.7.1 go away\r\n', []],
  ['no code', 'HTTP/1.1 400 Bad Request\r\n', [{ fault: 'no SMTP reply: "HTTP/1.1 400 Bad Request"' }]],
  ['two digits', '25 OK\r\n', [{ fault: 'no SMTP reply: "25 OK"' }]],
  ['four digits', '2500 OK\r\n', [{ fault: 'no SMTP reply: "2500 OK"' }]],
  ['first digit 1', '150 OK\r\n', [{ fault: 'no SMTP reply: "150 OK"' }]],
  ['first digit 6', '650 OK\r\n', [{ fault: 'no SMTP reply: "650 OK"' }]],
  ['letters behind the code', '250x\r\n', [{ fault: 'no SMTP reply: "250x"' }]],
  ['empty line', '\r\n', [{ fault: 'no SMTP reply: ""' }]],
  ['empty line within', '250-a\r\n\r\n250 b\r\n', [{ fault: 'no SMTP reply: ""' }]],
  ['code changes', '250-a\r\n550 b\r\n', [{ fault: 'a reply that changes its code from 250 to 550' }]],
];

for (const [name, bytes, expected] of cases) {
  test(`reply: ${name}`, () => {
    assert.deepEqual(readAll([bytes]), expected);
    assert.deepEqual(readAll([...bytes]), expected, 'byte by byte');
  });
}

test('an unfinished reply shows what was said', () => {
  const reader = new ReplyReader();
  reader.push(Buffer.from('550-5.7.1 go away\r\n550'));
  assert.equal(reader.next(), null);
  assert.equal(reader.begun, true);
  assert.equal(reader.partialText, '550 5.7.1 go away');
});

test('a reader is at rest after a whole reply', () => {
  const reader = new ReplyReader();
  reader.push(Buffer.from('250-a\r\n250 b\r\n'));
  assert.ok(reader.next());
  assert.equal(reader.begun, false);
});

function onlyReply(chunks: readonly string[]): ReceivedReply {
  const [reply, ...more] = readAll(chunks);
  assert.ok(reply !== undefined && 'code' in reply && more.length === 0);
  return reply;
}

test('a long line is cut, and the next reply is read', () => {
  const [long, next] = readAll([`550 ${'x'.repeat(50_000)}\r\n250 OK\r\n`]);
  assert.ok(long && 'code' in long);
  assert.equal(long.text.length, limits.replyLineBytes - 4);
  assert.deepEqual(next, { code: 250, text: 'OK', enhancedStatus: null });
});

test('a long line that comes in pieces is cut to the same', () => {
  const pieces = `550 ${'x'.repeat(50_000)}\r\n`.match(/.{1,700}|\r\n/gs) ?? [];
  assert.equal(onlyReply(pieces).text.length, limits.replyLineBytes - 4);
});

test('a text that is cut does not end within a character', () => {
  const line = Buffer.from(`550 x${'€'.repeat(2000)}\r\n`);
  const [reply] = readAll([line.toString('latin1')]);
  assert.ok(reply && 'code' in reply);
  assert.match(reply.text, /^x€+$/);
});

test('many lines are cut to the limits of lines and text', () => {
  const short = onlyReply([`${'250-a\r\n'.repeat(500)}250 b\r\n`]);
  assert.equal(short.text.split('\n').length, limits.replyLines);
  const long = onlyReply([`${`250-${'y'.repeat(1000)}\r\n`.repeat(90)}250 b\r\n`]);
  assert.ok(long.text.length <= limits.replyTextBytes);
});

for (const [name, endless] of [
  ['lines', '250-more\r\n'],
  ['one line', 'a'.repeat(1000)],
] as const) {
  test(`a reply without end is a fault: ${name}`, () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from('250-'));
    let pushed = 0;
    let heard: Heard | null = null;
    while (heard === null && pushed < 10 * limits.replyBytes) {
      reader.push(Buffer.from(endless));
      pushed += endless.length;
      heard = reader.next();
      assert.ok(reader.heldBytes <= limits.replyLineBytes + endless.length);
    }
    assert.deepEqual(heard, { fault: 'a reply without end' });
  });
}

test('any bytes, cut anywhere, give the same and stay within bounds', () => {
  const piece = fc.oneof(
    fc.constantFrom('250', '550', '-', ' ', '\r\n', '\n', '\r', '5.1.1 ', '250 ok\r\n', '250-a\r\n', '\x00'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
      const bytes = pieces.join('').replace(/[^\x00-\xff]/g, '?');
      const cut = bytes.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const whole = readAll([bytes]);
      assert.deepEqual(readAll(cut), whole);
      for (const heard of whole) {
        if ('code' in heard) assert.doesNotMatch(heard.text, /[\x00-\x08\x0b-\x1f\x7f]/);
      }
    }),
  );
});

const recorded = new URL('../../../../shared/testdata/smtp-a/mailkit-replies/', import.meta.url);

test('replies recorded from real servers are read whole', () => {
  const files = readdirSync(recorded);
  assert.ok(files.length > 30);
  for (const file of files) {
    const bytes = readFileSync(new URL(file, recorded), 'latin1').replace(/\r?\n$/, '');
    const heard = readAll([`${bytes}\r\n`]);
    const said = heard.flatMap((reply) => ('code' in reply ? [reply] : []));
    assert.equal(said.length, heard.length, file);
    // What was read, written again, is what was said.
    const lines = said.flatMap((reply) => {
      const texts = reply.text
        .split('\n')
        .map((text) => (reply.enhancedStatus === null ? text : `${reply.enhancedStatus} ${text}`));
      return texts.map((text, index) => `${reply.code}${index < texts.length - 1 ? '-' : ' '}${text}`);
    });
    assert.deepEqual(lines, bytes.split(/\r?\n/), file);
  }
});

test('a reply as one line', () => {
  assert.equal(formatReply({ code: 550, text: 'a\nb' }, '5.1.1'), '550 5.1.1 a b');
  assert.equal(formatReply({ code: 250, text: '' }, null), '250');
});
