/**
 * The tokens of a query, as far as ClickHouse and we must agree on them: where a text, a quoted name or a comment begins and
 * ends. What the engine could read in another way than this file does (comments, heredocs, escapes in names, quotes
 * outside ASCII) is refused, not interpreted.
 */
import { LedgerFault } from './fault.ts';

export interface Token {
  kind: 'word' | 'name' | 'text' | 'number' | 'sign';
  /** Of a quoted name what stands between its quotes. */
  text: string;
}

const blank = /[ \t\r\n]+/y;
const patterns: readonly [Token['kind'], RegExp][] = [
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['number', /\d[A-Za-z0-9_]*(?:\.\d[A-Za-z0-9_]*)?/y],
  ['text', /'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ['name', /"[^"\\]*"|`[^`\\]*`/y],
  ['sign', /[-+*/%=<>!.,:?()[\]{}|^&~@]/y],
];

export function tokensOf(sql: string): Token[] {
  const text = sql.trim().replace(/;\s*$/, '');
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    blank.lastIndex = at;
    if (blank.test(text)) {
      at = blank.lastIndex;
      continue;
    }
    const token = tokenAt(text, at);
    tokens.push(token.token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(text: string, at: number): { token: Token; end: number } {
  const two = text.slice(at, at + 2);
  if (two === '--' || two === '/*') throw refused('a comment', text, at);
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found === undefined) continue;
    return { token: { kind, text: kind === 'name' ? found.slice(1, -1) : found }, end: at + found.length };
  }
  if (text[at] === ';') throw refused('a second statement', text, at);
  throw refused(`the character ${JSON.stringify(text[at])}`, text, at);
}

function refused(what: string, text: string, at: number): LedgerFault {
  const near = text.slice(Math.max(0, at - 20), at + 20).replaceAll(/\s+/g, ' ');
  return new LedgerFault('question', `${what} cannot be used here, near "${near}"`);
}
