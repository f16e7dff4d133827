/** Small readers that the formats share. Pure, and linear in the length of the text. */
import { limits } from '../../base/limits.ts';

/** Reads a text from left to right, up to what is looked for. */
export class Reader {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  /** True if it was there, and is passed over. */
  skip(text: string): boolean {
    if (!this.#rest.startsWith(text)) return false;
    this.#rest = this.#rest.slice(text.length);
    return true;
  }

  /** What stands before `end`, which is passed over; null (and nothing is read) if `end` does not come. */
  until(end: string): string | null {
    const at = this.#rest.indexOf(end);
    if (at === -1) return null;
    const found = this.#rest.slice(0, at);
    this.#rest = this.#rest.slice(at + end.length);
    return found;
  }

  get rest(): string {
    return this.#rest;
  }
}

/** An address as logged: without angle brackets, control characters and what is too much. */
export function addressOf(text: string): string {
  const inner = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  return inner.replace(/[\x00-\x20\x7f<>]/g, '').slice(0, limits.importAddressChars);
}

export function messageIdOf(text: string): string {
  return (/<([^<>\s]{1,998})>/.exec(text)?.[1] ?? text).replace(/[<>\s]/g, '').slice(0, 998);
}

/** One line of bounded length. */
export function lineOf(text: string): string {
  return text
    .slice(0, limits.importTextChars)
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .trim();
}

/** The address in `name[address]:port`; '' if it is none. */
export function addressInBrackets(text: string): string {
  const address = /\[(?:IPv6:)?([0-9a-fA-F.:]{2,45})\]/.exec(text)?.[1] ?? '';
  return address.includes('.') || address.includes(':') ? address : '';
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === '::ffff:127.0.0.1';
}

/** `name="value with spaces" name=value`, as several programs write. Names may have dashes. */
export function pairsIn(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  const pattern =
    /(?:^|[\s,])([A-Za-z_][\w-]{0,40})=(?:"((?:[^"\\]|\\.){0,8000})"|<([^>]{0,1000})>|([^\s,]{0,2000}))/g;
  for (const [, name = '', quoted, bracketed, bare] of text.matchAll(pattern)) {
    const value = quoted === undefined ? (bracketed ?? bare ?? '') : quoted.replace(/\\(.)/g, '$1');
    if (!pairs.has(name)) pairs.set(name, value);
  }
  return pairs;
}
