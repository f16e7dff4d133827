/**
 * Fields as reports hold them (RFC 3464 §2.1, RFC 5965 §3): header fields in blocks, an empty line between blocks.
 * Read leniently, for what bounces is often broken: white space before the colon, folded lines, lines that are
 * no fields at all. Text has LF line ends (`linesOf` in parts.ts). Pure and bounded.
 */
import { limits } from '../../base/limits.ts';

export interface ReportField {
  /** Lower case. */
  name: string;
  /** Unfolded, white space trimmed. */
  body: string;
}

const fieldPattern = /^([!-9;-~]{1,100})[ \t]{0,10}:(.*)$/s;

export interface Fields {
  fields: ReportField[];
  /** What follows the first empty line. */
  rest: string;
}

/** The fields up to the first empty line; lines that are no fields are passed over. */
export function readFields(text: string): Fields {
  const end = endOfBlock(text);
  return { fields: fieldsIn(text.slice(0, end.from)), rest: text.slice(end.to) };
}

function endOfBlock(text: string): { from: number; to: number } {
  if (text.startsWith('\n')) return { from: 0, to: 1 };
  const at = text.indexOf('\n\n');
  return at === -1 ? { from: text.length, to: text.length } : { from: at + 1, to: at + 2 };
}

export function fieldsIn(block: string): ReportField[] {
  const fields: ReportField[] = [];
  for (const line of block.slice(0, limits.headerSectionBytes).split('\n', limits.reportLines)) {
    const last = fields.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last.body += ` ${line.trim()}`;
    else {
      const match = fieldPattern.exec(line);
      if (match === null) continue;
      if (fields.length === limits.headerFields) break;
      fields.push({ name: (match[1] ?? '').toLowerCase(), body: (match[2] ?? '').trim() });
    }
  }
  // Once, at the end: to trim after each folded line would take quadratic time.
  return fields.map(({ name, body }) => ({ name, body: body.trim() }));
}

/** Body of the first field of that name; '' if there is none. */
export function bodyOf(fields: readonly ReportField[], name: string): string {
  return fields.find((field) => field.name === name)?.body ?? '';
}

export function bodiesOf(fields: readonly ReportField[], name: string): string[] {
  return fields.flatMap((field) => (field.name === name ? [field.body] : []));
}
