import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ContentFault, DataReader } from './data-reader.ts';

interface Verdict {
  state: 'more' | 'ended' | 'broken';
  fault: ContentFault | null;
  /** Bytes up to and including the end mark. */
  consumed: number | null;
  content: string;
}

const maxContentBytes = 60;
const maxLineBytes = 20;

/** Feeds the pieces one after another, as a session does. */
function read(pieces: readonly Buffer[], aheadBytes = 1): Verdict {
  const reader = new DataReader(maxContentBytes, maxLineBytes, aheadBytes);
  let before = 0;
  for (const piece of pieces) {
    const progress = reader.push(piece);
    if (progress.state === 'broken') return verdict(reader, 'broken', null);
    if (progress.state === 'ended') return verdict(reader, 'ended', before + progress.consumed);
    before += piece.length;
  }
  return verdict(reader, 'more', null);
}

function verdict(reader: DataReader, state: Verdict['state'], consumed: number | null): Verdict {
  const content = reader.fault === null && state === 'ended' ? reader.content().toString('latin1') : '';
  return { state, fault: reader.fault, consumed, content };
}

/** The same by another way: the text is cut at CRLF, and each line looked at alone. */
function expected(text: string): Verdict {
  const kept: string[] = [];
  let consumed = 0;
  for (;;) {
    const crlf = text.indexOf('\r\n', consumed);
    const line = text.slice(consumed, crlf === -1 ? text.length : crlf);
    const bad = /[\0\n]|\r(?!$)|\r$/.exec(crlf === -1 ? line.replace(/\r$/, '') : line);
    if (bad !== null) return { state: 'broken', fault: named(bad[0]), consumed: null, content: '' };
    if (crlf === -1) return { state: 'more', fault: null, consumed: null, content: '' };
    consumed = crlf + 2;
    if (line === '.') break;
    kept.push(line.replace(/^\./, ''));
  }
  const content = kept.map((line) => `${line}\r\n`).join('');
  const tooLong = kept.some((line) => line.length + 2 > maxLineBytes) ? 'line-too-long' : null;
  const fault = content.length > maxContentBytes ? 'too-big' : tooLong;
  return { state: 'ended', fault, consumed, content: fault === null ? content : '' };
}

function named(byte: string): ContentFault {
  if (byte === '\0') return 'nul';
  return byte === '\n' ? 'bare-lf' : 'bare-cr';
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return points.slice(1).map((point, n) => bytes.subarray(points[n], point));
}

function eachByteAlone(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

/** Faults of unfinished content are not compared: they are not final yet. */
function comparable(verdict: Verdict): Verdict {
  return verdict.state === 'more' ? { ...verdict, fault: null } : verdict;
}

const fragment = fc.constantFrom(
  '\r\n',
  '\r\n.\r\n',
  '.',
  '..',
  '\r',
  '\n',
  '\0',
  '\r\r\n',
  'a',
  'text',
  'x'.repeat(18),
  '\r\n..',
);
const content = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(''));
const mostlyGood = fc
  .array(fc.constantFrom('\r\n', '\r\n.', '\r\n..\r\n', 'a', 'text\r\n', 'x'.repeat(17)), { maxLength: 14 })
  .map((parts) => `${parts.join('')}\r\n.\r\n`);

test('any content, cut anywhere, gives what the definition says', () => {
  const property = fc.property(
    fc.oneof(content, mostlyGood),
    fc.array(fc.nat(), { maxLength: 8 }),
    (text, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const wanted = expected(text);
      for (const aheadBytes of [1, 7, 1000]) {
        assert.deepEqual(comparable(read([bytes], aheadBytes)), wanted);
        assert.deepEqual(comparable(read(cutAt(bytes, cuts), aheadBytes)), wanted);
      }
      assert.deepEqual(comparable(read(eachByteAlone(bytes))), wanted);
    },
  );
  fc.assert(property, { numRuns: 5000 });
});

test('content split at every byte boundary reads the same', () => {
  const bytes = Buffer.from('Subject: a\r\n\r\n..\r\n.b\r\n\r\n...\r\n.\r\nMAIL', 'latin1');
  const wanted: Verdict = {
    state: 'ended',
    fault: null,
    consumed: bytes.length - 4,
    content: 'Subject: a\r\n\r\n.\r\nb\r\n\r\n..\r\n',
  };
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), wanted, `cut at ${cut}`);
  }
  assert.deepEqual(read(eachByteAlone(bytes)), wanted);
});

test('of all marks around a dot only CRLF "." CRLF ends content', () => {
  const marks = ['', '\r', '\n', '\r\n', '\r\r\n', '\n\r', '\r\n\r', '\0', ' ', '\r\n '];
  for (const before of marks) {
    for (const dots of ['.', '..', '. ', '.\0', '\0.']) {
      for (const after of marks) {
        const mark = `${before}${dots}${after}`;
        const bytes = Buffer.from(`text${mark}MAIL FROM:<>\r\n`);
        const wanted = mark.startsWith('\r\n.\r\n');
        assert.equal(read([bytes]).state === 'ended', wanted, JSON.stringify(mark));
        assert.equal(read(eachByteAlone(bytes)).state === 'ended', wanted, JSON.stringify(mark));
      }
    }
  }
});

test('content may be empty, and begin with a dot', () => {
  assert.deepEqual(read([Buffer.from('.\r\n')]), { state: 'ended', fault: null, consumed: 3, content: '' });
  assert.equal(read([Buffer.from('..\r\n.\r\n')]).content, '.\r\n');
  assert.equal(read([Buffer.from('.x\r\n.\r\n')]).content, 'x\r\n');
});

test('bounds count the line with CRLF and without the stuffed dot, and the content without its end', () => {
  const longest = 'x'.repeat(maxLineBytes - 2);
  assert.equal(read([Buffer.from(`${longest}\r\n.\r\n`)]).fault, null);
  assert.equal(read([Buffer.from(`.${longest}\r\n.\r\n`)]).fault, null);
  assert.equal(read([Buffer.from(`${longest}x\r\n.\r\n`)]).fault, 'line-too-long');
  const lines = `${'x'.repeat(18)}\r\n`.repeat(3);
  assert.equal(lines.length, maxContentBytes);
  assert.equal(read([Buffer.from(`${lines}.\r\n`)]).fault, null);
  assert.equal(read([Buffer.from(`${lines}\r\n.\r\n`)]).fault, 'too-big');
});

test('content in one piece without stuffed dots is not copied', () => {
  const piece = Buffer.from('one line\r\n.\r\n');
  const reader = new DataReader(maxContentBytes, maxLineBytes);
  reader.push(piece);
  assert.equal(reader.content().buffer, piece.buffer);
  assert.equal(reader.content().byteOffset, piece.byteOffset);
});

test('what is refused is not kept', () => {
  const reader = new DataReader(maxContentBytes, 1000);
  reader.push(Buffer.alloc(maxContentBytes + 1, 'x'));
  assert.equal(reader.content().length, 0);
  reader.push(Buffer.alloc(1000, 'x'));
  assert.equal(reader.content().length, 0);
  assert.deepEqual(reader.push(Buffer.from('\r\n.\r\nQUIT')), { state: 'ended', consumed: 5 });
  assert.equal(reader.fault, 'too-big');
});
