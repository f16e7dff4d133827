/**
 * Content on the wire (RFC 5321 §4.5.2, §2.3.8): each line ends with CRLF, a line that begins with a period
 * gets one more, a lone period ends it. A CR or LF alone never leaves us: servers disagree about what it
 * ends, and that disagreement lets one mail smuggle another.
 */

const lf = 0x0a;
const cr = 0x0d;
const period = 0x2e;

const lonePeriod: Buffer = Buffer.from('.\r\n');
const lineEndAndLonePeriod: Buffer = Buffer.from('\r\n.\r\n');

/** Bytes to insert: `bytes[i]` stands before the byte at `positions[i]`. */
interface Insertions {
  positions: number[];
  bytes: number[];
}

/**
 * The part [start, end) of a content as it stands on the wire. The parts of a content, one after another, are
 * the whole: what stands before and behind a part is looked at. Nothing is copied when nothing is inserted.
 */
export function transparentPart(content: Buffer, start: number, end: number): Buffer {
  const part = content.subarray(start, end);
  if (isTransparent(part) && !beginsWithPeriod(content, start)) return part;
  const insertions = findInsertions(content, start, end);
  return insertions.positions.length === 0 ? part : insert(part, start, insertions);
}

/** What ends the content on the wire; closes its last line first if need be. */
export function contentTerminator(content: Buffer): Buffer {
  return endsWithinLine(content) ? lineEndAndLonePeriod : lonePeriod;
}

/** Octets as RFC 1870 §3 counts them: with the end of the last line, without added periods. */
export function declaredBytes(content: Buffer): number {
  return content.length + (endsWithinLine(content) ? 2 : 0);
}

function endsWithinLine(content: Buffer): boolean {
  const last = content.at(-1);
  return last !== undefined && last !== lf && last !== cr;
}

/** Nearly every part of every mail; the engine of regular expressions is the fastest to say so. */
function isTransparent(part: Buffer): boolean {
  return !/\r(?!\n)|(?<!\r)\n|\n\./.test(part.toString('latin1'));
}

function beginsWithPeriod(content: Buffer, start: number): boolean {
  return content[start] === period && beginsLine(content, start);
}

function findInsertions(content: Buffer, start: number, end: number): Insertions {
  const found: Insertions = { positions: [], bytes: [] };
  if (beginsWithPeriod(content, start)) note(found, start, period);
  for (let at = start; at < end; at += 1) {
    const byte = content[at] ?? 0;
    if (byte === lf || byte === cr) noteAtLineEnd(found, content, at, end);
  }
  return found;
}

function beginsLine(content: Buffer, at: number): boolean {
  const before = content[at - 1];
  return before === undefined || before === lf || before === cr;
}

function noteAtLineEnd(found: Insertions, content: Buffer, at: number, end: number): void {
  const next = content[at + 1];
  if (content[at] === lf) {
    if (content[at - 1] !== cr) note(found, at, cr);
  } else {
    if (next === lf) return;
    note(found, at + 1, lf);
  }
  if (next === period && at + 1 < end) note(found, at + 1, period);
}

function note(found: Insertions, position: number, byte: number): void {
  found.positions.push(position);
  found.bytes.push(byte);
}

function insert(part: Buffer, start: number, { positions, bytes }: Insertions): Buffer {
  const longer = Buffer.allocUnsafe(part.length + positions.length);
  let from = 0;
  for (const [index, position] of positions.entries()) {
    part.copy(longer, from + index, from, position - start);
    from = position - start;
    longer[from + index] = bytes[index] ?? 0;
  }
  part.copy(longer, from + positions.length, from);
  return longer;
}
