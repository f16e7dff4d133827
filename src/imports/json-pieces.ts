/**
 * Cuts JSON into objects, however they are laid out: one a line, one array, pages of `{"items": […]}`, or several of
 * these one after the other. Nothing is held but the object that is being read.
 */
import { StringDecoder } from 'node:string_decoder';
import { limits } from '../base/limits.ts';
import type { Bytes, Piece } from './log-file.ts';

export async function* objectsOf(bytes: Bytes, skip: number): AsyncGenerator<Piece> {
  const cutter = createObjectCutter();
  const decoder = new StringDecoder('utf8');
  let count = 0;
  for await (const chunk of bytes) {
    for (const text of cutter.take(decoder.write(Buffer.from(chunk)))) {
      count += 1;
      if (count > skip) yield { text, end: count, whole: true };
    }
  }
  const rest = cutter.rest();
  if (rest !== '' && count >= skip) yield { text: rest, end: count, whole: false };
}

export interface ObjectCutter {
  /** Objects that end in the chunk, and words that are no JSON. */
  take(chunk: string): Generator<string>;
  /** What was begun and has no end. */
  rest(): string;
}

/** Where the next character stands: between objects, in one, or in what a page holds behind its items. */
type Place = 'between' | 'object' | 'tail';

export function createObjectCutter(): ObjectCutter {
  let place: Place = 'between';
  let depth = 0;
  let inPage = false;
  let text = '';
  const strings = createStringTracker();

  /** What has come to its end with this character; null if nothing. */
  const between = (char: string): string | null => {
    if (char === '{') {
      [place, depth, text] = ['object', 1, text === '' ? char : `${text}\n${char}`];
      return null;
    }
    if (char === ']' && inPage) {
      [place, depth, inPage] = ['tail', 1, false];
      return null;
    }
    if (char === '\n' && text !== '') return finish();
    if (!/[\s,[\]]/.test(char)) text = (text + char).slice(0, limits.echoedChars);
    return null;
  };
  const object = (char: string): string | null => {
    if (text.length <= limits.importJsonChars) text += char;
    if (strings.isWithin(char)) return null;
    depth += change(char);
    if (char === '[' && depth === 2 && /^\{\s*"items"\s*:\s*\[$/.test(text)) {
      [place, depth, text, inPage] = ['between', 0, '', true];
      return null;
    }
    return depth === 0 ? finish() : null;
  };
  const finish = (): string => {
    const finished = text;
    [place, depth, text] = ['between', 0, ''];
    return finished;
  };
  const tail = (char: string): null => {
    if (!strings.isWithin(char)) depth += change(char);
    if (depth === 0) place = 'between';
    return null;
  };
  const steps = { between, object, tail };
  return {
    *take(chunk) {
      for (const char of chunk) {
        const finished = steps[place](char);
        if (finished !== null) yield finished;
      }
    },
    rest: () => text,
  };
}

function change(char: string): number {
  if (char === '{' || char === '[') return 1;
  return char === '}' || char === ']' ? -1 : 0;
}

function createStringTracker(): { isWithin(char: string): boolean } {
  let within = false;
  let escaped = false;
  return {
    isWithin(char) {
      if (!within) {
        within = char === '"';
        return within;
      }
      if (escaped) escaped = false;
      else if (char === '\\') escaped = true;
      else if (char === '"') within = false;
      return true;
    },
  };
}
