/**
 * Bound values for the embedded engine, whose library takes questions with parameters one after the other, process-wide:
 * a heavy one would hold up all others. So each `{name:Type}` becomes what the engine itself makes of a parameter, a
 * literal cast to the type, in one place and by the rules of the engine's grammar: no quote, backslash or byte outside
 * of printable ASCII is left as it is.
 */
import { assert } from '../base/assert.ts';
import type { BoundValue, BoundValues } from './engine.ts';

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*):([A-Za-z0-9_(), ]+)\}/g;

/** The statement's text is ours; only values come from outside. */
export function withLiterals(statement: string, values: BoundValues): string {
  return statement.replace(placeholder, (_, name: string, type: string) => {
    const value = values[name];
    assert(value !== undefined, `a value is bound to {${name}:${type}}`);
    return `_CAST(${literal(value)}, '${type}')`;
  });
}

export function literal(value: BoundValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberLiteral(value);
  return `[${value.map(literal).join(', ')}]`;
}

function numberLiteral(value: number): string {
  assert(Number.isFinite(value), 'a bound number is finite');
  return String(value);
}

/** Text is UTF-8 in the engine; the literal is ASCII. */
function textLiteral(value: string): string {
  if (/^[ !#-&(-[\]-~]*$/.test(value)) return `'${value}'`;
  const escaped = [...Buffer.from(value)].map((byte) => escapedBytes[byte]);
  return `'${escaped.join('')}'`;
}

const escapedBytes = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  const plain = byte >= 0x20 && byte <= 0x7e && character !== "'" && character !== '\\';
  return plain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
});
