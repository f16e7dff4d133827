/**
 * Filter expressions of the event log, pure: `foo bar` and `foo AND bar` (both), `foo OR bar`, `-foo` and
 * `NOT foo`, `"foo bar"` (literally), `>100 <200` (numbers), parentheses. AND binds closer than OR.
 *
 * The reader never fails: what closes nothing or stands without a partner is taken for a word.
 */
import { limits } from '../../base/limits.ts';

export type Expression =
  | { kind: 'word'; text: string }
  | { kind: 'range'; operator: '>' | '<'; bound: number }
  | { kind: 'not'; of: Expression }
  | { kind: 'and' | 'or'; of: Expression[] };

/** Whether the value of a field meets a single word or a range. */
export type Matcher = (leaf: Extract<Expression, { kind: 'word' | 'range' }>) => boolean;

type Token = { kind: 'word'; text: string; quoted: boolean } | { kind: '(' | ')' | '-' };

/** Null when it has too many parts or is nested too deeply. An empty expression holds for everything. */
export function parseExpression(text: string): Expression | null {
  const tokens = tokensOf(text);
  if (tokens.length > limits.filterTerms) return null;
  return new Reader(tokens).readAll();
}

export function matches(expression: Expression, matcher: Matcher): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.of.every((part) => matches(part, matcher));
    case 'or':
      return expression.of.some((part) => matches(part, matcher));
    case 'not':
      return !matches(expression.of, matcher);
    default:
      return matcher(expression);
  }
}

/** The word, if the expression is nothing else. */
export function singleWord(expression: Expression): string | null {
  return expression.kind === 'word' ? expression.text : null;
}

function tokensOf(text: string): Token[] {
  const form = /\s+|(?<bracket>[()])|"(?<quoted>[^"]*)"|(?<minus>-)(?=[^\s)-])|(?<word>[^\s()"]+|")/gy;
  const tokens: Token[] = [];
  for (const { groups = {} } of text.matchAll(form)) {
    const { bracket, quoted, minus, word } = groups;
    if (bracket !== undefined) tokens.push({ kind: bracket === '(' ? '(' : ')' });
    else if (minus !== undefined) tokens.push({ kind: '-' });
    else if (quoted !== undefined) tokens.push({ kind: 'word', text: quoted, quoted: true });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, quoted: false });
    if (tokens.length > limits.filterTerms) return tokens;
  }
  return tokens;
}

/** Recursive descent; each level of parentheses or negation takes one token, so the depth is bounded. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  readAll(): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#tokens.length) {
      // A closing parenthesis that closes nothing is passed over.
      if (this.#takeIf((token) => token.kind === ')')) continue;
      parts.push(this.#or());
    }
    return join('and', parts);
  }

  #or(): Expression {
    const parts = [this.#and()];
    while (this.#takeIf(isKeyword('OR'))) parts.push(this.#and());
    return join('or', parts.filter(isPresent));
  }

  #and(): Expression {
    const parts: Expression[] = [];
    for (
      let token = this.#peek();
      token && token.kind !== ')' && !isKeyword('OR')(token);
      token = this.#peek()
    ) {
      if (!this.#takeIf(isKeyword('AND'))) parts.push(this.#unary());
    }
    return join('and', parts);
  }

  #unary(): Expression {
    const token = this.#peek();
    this.#at += 1;
    if (token === undefined) return join('and', []);
    if (token.kind === '-' || isKeyword('NOT')(token)) return { kind: 'not', of: this.#unary() };
    if (token.kind !== '(') return token.kind === 'word' ? leafOf(token) : join('and', []);
    const inside = this.#or();
    this.#takeIf((next) => next.kind === ')');
    return inside;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #takeIf(condition: (token: Token) => boolean): boolean {
    const token = this.#peek();
    if (token === undefined || !condition(token)) return false;
    this.#at += 1;
    return true;
  }
}

function isKeyword(word: 'AND' | 'OR' | 'NOT'): (token: Token) => boolean {
  return (token) => token.kind === 'word' && !token.quoted && token.text === word;
}

function leafOf({ text, quoted }: { text: string; quoted: boolean }): Expression {
  const [, operator, bound] = (!quoted && /^([<>])(\d+(?:\.\d+)?)$/.exec(text)) || [];
  return operator === '>' || operator === '<'
    ? { kind: 'range', operator, bound: Number(bound) }
    : { kind: 'word', text };
}

/** An `OR` without a partner leaves an empty part. */
function isPresent(part: Expression): boolean {
  return !(part.kind === 'and' && part.of.length === 0);
}

function join(kind: 'and' | 'or', parts: Expression[]): Expression {
  const [only] = parts;
  return parts.length === 1 && only
    ? only
    : parts.length === 0
      ? { kind: 'and', of: [] }
      : { kind, of: parts };
}
