/**
 * Text that stands in our own DSNs: what others said is made harmless here, before it becomes a line of a header-like
 * field or of the part for people. Pure and bounded.
 */

/** Controls, and the invisible characters that break lines or turn the direction of writing. */
const unprintable =
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** One line without controls, cut to a length. Line ends become spaces. */
export function oneLine(text: string, maxChars: number): string {
  // Twice the length is looked at, for runs of white space shrink.
  const line = text
    .slice(0, 2 * maxChars)
    .replace(unprintable, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  if (line.length <= maxChars) return line;
  return `${line.slice(0, maxChars - 3).replace(/[\ud800-\udbff]$/, '')}...`;
}

/** Fields of a report are ASCII unless the report is international. */
export function asciiText(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}

/** An address of one line, its printable characters as they are. */
export function plainAddress(address: string): string {
  return address.replace(unprintable, '?');
}

/** RFC 6533 §3: what cannot stand as it is stands as `\x{HEX}`; half a character is none. */
export function utf8Address(address: string): string {
  return address.replace(unprintable, (character) => {
    const code = character.charCodeAt(0);
    const whole = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    return `\\x{${whole.toString(16).toUpperCase().padStart(2, '0')}}`;
  });
}

/** Longest line that is aimed at, and the longest word: both well below 998 octets (RFC 5322 §2.1.1) in UTF-8. */
const lineChars = 76;
const wordChars = 240;

/** Breaks text of one line at spaces, and words where they are too long for any line. */
export function wrap(text: string, firstIndent: string, indent = firstIndent): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let empty = true;
  for (const word of wordsIn(text)) {
    if (!empty && line.length + 1 + word.length > lineChars) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

function wordsIn(text: string): string[] {
  return text.split(' ').flatMap((word) => {
    if (word.length <= wordChars) return [word];
    return word.match(new RegExp(`[^]{1,${wordChars - 1}}(?:(?<=[\\ud800-\\udbff])[^])?`, 'g')) ?? [];
  });
}

/** A field whose value may be folded. */
export function foldedField(name: string, value: string): string {
  return `${wrap(value, `${name}: `, '    ').join('\r\n')}\r\n`;
}

/** RFC 2045 §6.7, for text whose lines end with CRLF. */
export function quotedPrintable(bytes: Buffer): string {
  return bytes.toString('latin1').split('\r\n').map(quotedLine).join('\r\n');
}

const quotedLineChars = 76;

function quotedLine(line: string): string {
  const quoted = line.replace(/[^\x20-\x3c\x3e-\x7e]| $/g, quotedByte);
  const lines: string[] = [];
  let at = 0;
  while (quoted.length - at > quotedLineChars) {
    let end = at + quotedLineChars - 1;
    // Three characters that stand for a byte stay together.
    if (quoted[end - 1] === '=') end -= 1;
    else if (quoted[end - 2] === '=') end -= 2;
    lines.push(`${quoted.slice(at, end)}=`);
    at = end;
  }
  return [...lines, quoted.slice(at)].join('\r\n');
}

function quotedByte(character: string): string {
  return `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
