import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkReader } from './chunk-reader.ts';
import type { ContentFault } from './data-reader.ts';

const maxContentBytes = 60;
const maxLineBytes = 20;

interface Verdict {
  fault: ContentFault | null;
  content: string;
}

function read(pieces: readonly Buffer[]): Verdict {
  const reader = new ChunkReader(maxContentBytes, maxLineBytes);
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { fault: reader.fault, content: reader.content().toString('latin1') };
}

/** The same by another way: the whole text against one pattern, with the first thing that breaks it. */
function expected(text: string): Verdict {
  const whole = text === '' || text.endsWith('\r\n') || /[\r\n]$/.test(text) ? text : `${text}\r\n`;
  if (text.length > maxContentBytes) return { fault: 'too-big', content: '' };
  let at = 0;
  while (at < whole.length) {
    const line = /^[^\r\n\0]*(?:\r\n|\r|\n|\0)/.exec(whole.slice(at))?.[0] ?? '';
    if (line.endsWith('\0')) return { fault: 'nul', content: '' };
    if (line.endsWith('\r')) return { fault: 'bare-cr', content: '' };
    if (!line.endsWith('\r\n')) return { fault: 'bare-lf', content: '' };
    if (line.length > maxLineBytes) return { fault: 'line-too-long', content: '' };
    at += line.length;
  }
  // The end of its last line may be what is too much.
  return whole.length > maxContentBytes ? { fault: 'too-big', content: '' } : { fault: null, content: whole };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return points.slice(1).map((point, n) => bytes.subarray(points[n], point));
}

const fragment = fc.constantFrom(
  '\r\n',
  '\r\n.\r\n',
  '.',
  '\r',
  '\n',
  '\0',
  'x',
  'xxxxxxxxxxxxxxxxx',
  'ü',
  ' ',
);
const text = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''));

test('the verdict is that of the whole text, however it is cut', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 5 }), (content, cuts) => {
      const bytes = Buffer.from(content, 'latin1');
      const wanted = expected(content);
      const isLate = (verdict: Verdict) => verdict.fault === 'line-too-long';
      for (const pieces of [
        [bytes],
        cutAt(bytes, cuts),
        Array.from(bytes, (_, n) => bytes.subarray(n, n + 1)),
      ]) {
        const verdict = read(pieces);
        // A line may be known to be too long before what else is wrong with it has come.
        if (!isLate(verdict) || isLate(wanted)) assert.deepEqual(verdict, wanted);
        else assert.notEqual(wanted.fault, null);
      }
    }),
    { numRuns: 2000 },
  );
});

test('nothing is kept of content that is refused', () => {
  const reader = new ChunkReader(maxContentBytes, maxLineBytes);
  reader.push(Buffer.from('a\r\n'));
  assert.equal(reader.keptBytes, 3);
  reader.push(Buffer.from('b\n'));
  assert.equal(reader.keptBytes, 0);
  reader.push(Buffer.from('x'.repeat(1000)));
  assert.equal(reader.keptBytes, 0);
  assert.equal(reader.contentBytes, 1005);
  assert.equal(reader.fault, 'too-big');
});
