/**
 * The parts of a report (RFC 6522 in RFC 2046), read so that hostile and broken ones still give something: any line
 * ends, boundaries that are never closed, nesting cut at a depth, every size bounded. The message that came back
 * (message/rfc822, text/rfc822-headers) is one part and is not opened. Pure.
 */
import { limits } from '../../base/limits.ts';
import { bodyOf, type ReportField, readFields } from './report-fields.ts';

export interface Part {
  /** `text/plain`; lower case, no parameters. */
  type: string;
  fields: ReportField[];
  /** Decoded text; of a returned message its header section and as much of its body as is looked at. */
  text: string;
}

/** Header fields of the whole content, and its parts in order, containers left out. */
export interface Parts {
  fields: ReportField[];
  /** Lower case: that of the whole. */
  type: string;
  parts: Part[];
}

const returnedTypes = [
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
];

/** The message that came back, or its header section. */
export function isReturned(part: Part): boolean {
  return returnedTypes.includes(part.type);
}

export function readParts(content: Buffer): Parts {
  const text = linesOf(content.toString('latin1'));
  const { fields, rest } = readFields(text);
  const parts: Part[] = [];
  collect({ fields, body: rest, depth: 0 }, parts);
  return { fields, type: typeOf(fields), parts };
}

/** CRLF, CR and LF all as LF. In steps, for a pattern of repetitions would take quadratic time. */
export function linesOf(text: string): string {
  if (!text.includes('\r')) return text;
  return text.replaceAll('\r\r\n', '\n').replaceAll('\r\n', '\n').replaceAll('\r', '\n');
}

interface Entity {
  fields: ReportField[];
  body: string;
  depth: number;
}

function collect({ fields, body, depth }: Entity, parts: Part[]): void {
  if (parts.length >= limits.reportParts) return;
  const type = typeOf(fields);
  const boundary = type.startsWith('multipart/') ? parameter(bodyOf(fields, 'content-type'), 'boundary') : '';
  const pieces = boundary === '' || depth >= limits.reportDepth ? [] : split(body, boundary);
  // A container that cannot be opened is read as what it looks like to a person.
  const leaf = type.startsWith('multipart/') ? 'text/plain' : type;
  if (pieces.length === 0) parts.push({ type: leaf, fields, text: decode(fields, body) });
  for (const piece of pieces) {
    const entity = readFields(piece);
    // A part that begins at once with words has no header section, though its first line may look like a field.
    const headless = entity.fields.every(({ name }) => !name.startsWith('content-'));
    const inner = headless && type !== 'multipart/digest' ? { fields: [], rest: piece } : entity;
    collect({ fields: inner.fields, body: inner.rest, depth: depth + 1 }, parts);
  }
}

/** What stands between the boundary lines; what stands before the first one is for readers who know no MIME. */
function split(body: string, boundary: string): string[] {
  const mark = `\n--${boundary}`;
  const text = `\n${body}`;
  const pieces: string[] = [];
  let at = text.indexOf(mark);
  while (at !== -1 && pieces.length < limits.reportParts) {
    const after = at + mark.length;
    if (text.startsWith('--', after)) break;
    const line = text.indexOf('\n', after);
    if (line === -1) break;
    const next = text.indexOf(mark, line);
    pieces.push(text.slice(line + 1, next === -1 ? text.length : next));
    at = next;
  }
  return pieces;
}

function typeOf(fields: readonly ReportField[]): string {
  const body = bodyOf(fields, 'content-type').slice(0, limits.echoedChars);
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(body)?.[0].toLowerCase() ?? 'text/plain';
}

const parameterPattern = /;[ \t]*([\w*-]{1,60})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g;

/** Value of a parameter, with or without quotes; '' if it is not there. */
export function parameter(field: string, name: string): string {
  for (const [, key, quoted, token] of field.slice(0, limits.reportLineChars).matchAll(parameterPattern)) {
    if (key?.toLowerCase() !== name) continue;
    return quoted === undefined ? (token ?? '').replace(/^"/, '') : quoted.replace(/\\(.)/g, '$1');
  }
  return '';
}

function decode(fields: readonly ReportField[], body: string): string {
  const cut = body.slice(0, limits.reportTextChars);
  const bytes = Buffer.from(transferDecoded(bodyOf(fields, 'content-transfer-encoding'), cut), 'latin1');
  return linesOf(inCharset(bytes, parameter(bodyOf(fields, 'content-type'), 'charset')));
}

function transferDecoded(encoding: string, text: string): string {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return Buffer.from(text, 'base64').toString('latin1');
    case 'quoted-printable':
      return fromQuotedPrintable(text);
    default:
      return text;
  }
}

function fromQuotedPrintable(text: string): string {
  return text
    .replace(/=[ \t]{0,76}\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Unknown and wrong names of character sets are frequent: the words that matter are ASCII in any of them. */
function inCharset(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}
