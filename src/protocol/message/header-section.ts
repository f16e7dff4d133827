/**
 * Reads the header section of a content (RFC 5322 §2.2): field names and unfolded bodies, in order. It
 * understands no field; `fields.ts` reads those the product shows. Pure and bounded.
 *
 * A line that is no field ends the header section, as most relays read it; the caller then has to put the empty
 * line there (`separated` is false), so that every reader after us sees the same fields as we did.
 */
import { limits } from '../../base/limits.ts';

export interface HeaderField {
  /** Lower case. */
  name: string;
  /** Unfolded, white space trimmed; bytes above 127 read as UTF-8. */
  body: string;
}

export interface HeaderSection {
  ok: true;
  fields: HeaderField[];
  /** Length of the header section with its line ends, without the empty line. */
  bytes: number;
  /** Where the body begins. */
  bodyOffset: number;
  /** An empty line stands between header section and body. */
  separated: boolean;
}

export interface HeaderProblem {
  ok: false;
  problem: string;
}

const fieldPattern = /^([!-9;-~]+)[ \t]*:([\s\S]*)$/;

export function readHeaderSection(content: Buffer): HeaderSection | HeaderProblem {
  const fields: HeaderField[] = [];
  let offset = 0;
  while (offset < content.length) {
    const end = endOfField(content, offset);
    if (end === offset) return { ok: true, fields, bytes: offset, bodyOffset: offset + 2, separated: true };
    const field = readField(content.toString('utf8', offset, end));
    if (!field) break;
    if (end > limits.headerSectionBytes)
      return refuse(`the header section is longer than ${limits.headerSectionBytes} bytes`);
    if (fields.length === limits.headerFields)
      return refuse(`there are more than ${limits.headerFields} header fields`);
    fields.push(field);
    offset = Math.min(end + 2, content.length);
  }
  return { ok: true, fields, bytes: offset, bodyOffset: offset, separated: false };
}

/** Offset of the CRLF that ends the field which begins at `offset`, folded lines included. */
function endOfField(content: Buffer, offset: number): number {
  let end = endOfLine(content, offset);
  if (end === offset) return end;
  while (isFold(content[end + 2])) end = endOfLine(content, end + 2);
  return end;
}

function endOfLine(content: Buffer, offset: number): number {
  const end = content.indexOf('\r\n', offset, 'latin1');
  return end === -1 ? content.length : end;
}

function isFold(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function readField(text: string): HeaderField | null {
  const match = fieldPattern.exec(text);
  if (!match) return null;
  const body = (match[2] ?? '').replace(/\r\n(?=[ \t])/g, '').trim();
  return { name: (match[1] ?? '').toLowerCase(), body };
}

function refuse(problem: string): HeaderProblem {
  return { ok: false, problem };
}

/** Body of the first field of that name; null if there is none. */
export function fieldBody(fields: readonly HeaderField[], name: string): string | null {
  return fields.find((field) => field.name === name)?.body ?? null;
}
