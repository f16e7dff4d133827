import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CommandLine, ReceivedBytes } from './received-bytes.ts';

const maxLineBytes = 12;

/** All lines that can be taken when the pieces came one after another. */
function linesOf(pieces: readonly Buffer[]): CommandLine[] {
  const received = new ReceivedBytes(maxLineBytes, 1_000_000);
  const lines: CommandLine[] = [];
  for (const piece of pieces) {
    received.add(piece);
    for (let line = received.takeLine(); line.state !== 'more'; line = received.takeLine()) lines.push(line);
  }
  return lines;
}

function eachByteAlone(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

const cases: [text: string, lines: string[]][] = [
  ['NOOP\r\n', ['NOOP']],
  ['NOOP\r\nQUIT\r\nRS', ['NOOP', 'QUIT']],
  ['\r\n', ['']],
  ['NOOP\n', ['bare-lf']],
  ['\nNOOP\r\n', ['bare-lf', 'NOOP']],
  ['NOOP\r\n\nQUIT\r\n', ['NOOP', 'bare-lf', 'QUIT']],
  ['\n\n', ['bare-lf', 'bare-lf']],
  ['NO\rOP\r\n', ['not-text']],
  ['NOOP\r\r\n', ['not-text']],
  ['NO\0OP\r\nQUIT\r\n', ['not-text', 'QUIT']],
  ['NOOP\x7f\r\n', ['not-text']],
  ['NOOP \xff\r\n', ['not-text']],
  ['NOOP \xc3\xbc\r\n', ['NOOP ü']],
  ['0123456789\r\n', ['0123456789']],
  ['01234567890\r\nNOOP\r\n', ['too-long', 'NOOP']],
  ['0123456789012\n\r345\r\nNOOP\r\n', ['too-long', 'NOOP']],
  ['01234567890123456789\r\r\nNOOP\r\n', ['too-long', 'NOOP']],
  ['012345678901', []],
];

for (const [text, wanted] of cases) {
  test(JSON.stringify(text), () => {
    const bytes = Buffer.from(text, 'latin1');
    for (const pieces of [[bytes], eachByteAlone(bytes)]) {
      const lines = linesOf(pieces).map((line) => {
        assert.ok(line.state === 'line' || line.state === 'refused');
        return line.state === 'line' ? line.text : line.fault;
      });
      assert.deepEqual(lines, wanted);
    }
  });
}

test('lines do not depend on how the bytes were cut', () => {
  const fragment = fc.constantFrom('\r\n', '\r', '\n', 'NOOP', '0123456789', '\0', '\xff', 'RSET\r\n', ' ');
  const property = fc.property(
    fc.array(fragment, { maxLength: 20 }),
    fc.array(fc.nat(), { maxLength: 6 }),
    (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      const pieces = points.slice(1).map((point, n) => bytes.subarray(points[n], point));
      const whole = linesOf([bytes]);
      assert.deepEqual(linesOf(pieces), whole);
      assert.deepEqual(linesOf(eachByteAlone(bytes)), whole);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

test('a line without end is passed over only so far', () => {
  const received = new ReceivedBytes(maxLineBytes, 100);
  const states: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    received.add(Buffer.alloc(30, 'x'));
    states.push(received.takeLine().state);
    assert.equal(received.length, 0);
  }
  assert.deepEqual(states, ['more', 'more', 'more', 'flooded']);
});

test('what is not taken as a line stays for the content', () => {
  const received = new ReceivedBytes(maxLineBytes, 100);
  received.add(Buffer.from('DATA\r\ncontent'));
  received.takeLine();
  assert.equal(received.peek().toString(), 'content');
  received.take(3);
  received.add(Buffer.from('!'));
  assert.equal(received.peek().toString(), 'tent!');
  assert.equal(received.length, 5);
});
