/**
 * Reads just enough of TypeScript for the checks of this folder: which text is code, and what a file
 * imports. Comments, and on demand the inside of literals, become blanks, so that offsets and line
 * numbers stay those of the file.
 */

export interface ImportLine {
  specifier: string;
  line: number;
}

interface Scan {
  source: string;
  at: number;
  /** The blanked text, one character for each of the source. */
  out: string;
  blankLiterals: boolean;
}

/** The source with comments blanked and, unless `keepLiterals`, the inside of strings as well. */
export function codeOnly(source: string, keepLiterals = false): string {
  const scan: Scan = { source, at: 0, out: '', blankLiterals: !keepLiterals };
  scanCode(scan, false);
  return scan.out;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const importPattern =
  /(?:^|[;}\s])(?:import|export)\s*(?:[\w*${},\s]*?\sfrom\s*)?(['"])([^'"\n]+)\1|\bimport\s*\(\s*(['"])([^'"\n]+)\3/g;

/** Static, type-only and re-exporting imports, and `import('…')` of a literal. */
export function importsOf(source: string): ImportLine[] {
  const text = codeOnly(source, true);
  return [...text.matchAll(importPattern)].map((match) => ({
    specifier: match[2] ?? match[4] ?? '',
    line: lineAt(text, match.index + match[0].length),
  }));
}

function scanCode(scan: Scan, untilBrace: boolean): void {
  let depth = 0;
  while (scan.at < scan.source.length) {
    const char = scan.source.charAt(scan.at);
    if (untilBrace && char === '}' && depth === 0) return;
    if (char === '{') depth += 1;
    if (char === '}') depth -= 1;
    if (!scanSpecial(scan, char)) copy(scan, 1);
  }
}

/** Takes a comment or a literal if one begins here. */
function scanSpecial(scan: Scan, char: string): boolean {
  if (scan.source.startsWith('//', scan.at)) return blankTo(scan, lineEnd(scan));
  if (scan.source.startsWith('/*', scan.at)) return blankTo(scan, commentEnd(scan));
  if (char === "'" || char === '"') return scanString(scan, char);
  if (char === '`') return scanTemplate(scan);
  if (char === '/' && regexMayBegin(scan.out)) return scanRegex(scan);
  return false;
}

function lineEnd(scan: Scan): number {
  const end = scan.source.indexOf('\n', scan.at);
  return end === -1 ? scan.source.length : end;
}

function commentEnd(scan: Scan): number {
  const end = scan.source.indexOf('*/', scan.at + 2);
  return end === -1 ? scan.source.length : end + 2;
}

function copy(scan: Scan, length: number): void {
  scan.out += scan.source.slice(scan.at, scan.at + length);
  scan.at += length;
}

function blankTo(scan: Scan, end: number): true {
  scan.out += scan.source.slice(scan.at, end).replace(/[^\n]/g, ' ');
  scan.at = end;
  return true;
}

function literal(scan: Scan, end: number): void {
  if (scan.blankLiterals) blankTo(scan, end);
  else copy(scan, end - scan.at);
}

/** The offset of the next character of `stop` that no backslash escapes. */
function unescaped(scan: Scan, stop: string): number {
  let at = scan.at;
  while (at < scan.source.length && !stop.includes(scan.source.charAt(at))) {
    at += scan.source.charAt(at) === '\\' ? 2 : 1;
  }
  return Math.min(at, scan.source.length);
}

function scanString(scan: Scan, quote: string): true {
  copy(scan, 1);
  literal(scan, unescaped(scan, `${quote}\n`));
  copy(scan, 1);
  return true;
}

function scanTemplate(scan: Scan): true {
  copy(scan, 1);
  while (scan.at < scan.source.length) {
    literal(scan, unescaped(scan, '`$'));
    if (scan.source.startsWith('${', scan.at)) {
      copy(scan, 2);
      scanCode(scan, true);
    } else if (scan.source.charAt(scan.at) === '`') {
      break;
    }
    copy(scan, 1);
  }
  copy(scan, 1);
  return true;
}

/** A slash after a value divides; anywhere else it begins a regular expression. */
function regexMayBegin(before: string): boolean {
  const text = before.trimEnd();
  if (/(?:^|[^\w$.])(?:return|typeof|case|in|of|await|yield)$/.test(text.slice(-12))) return true;
  return !/[\w$)\]}'"`]$/.test(text);
}

function scanRegex(scan: Scan): true {
  copy(scan, 1);
  let inClass = false;
  while (scan.at < scan.source.length) {
    const char = scan.source.charAt(scan.at);
    if (char === '\n' || (char === '/' && !inClass)) break;
    if (char === '[') inClass = true;
    if (char === ']') inClass = false;
    literal(scan, scan.at + (char === '\\' ? 2 : 1));
  }
  copy(scan, 1);
  return true;
}
