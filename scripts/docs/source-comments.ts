/** Reads the doc comments that stand above the members of an interface or an object in a source file. */

export interface Member {
  name: string;
  /** Its type or value, as written; a nested type on one line. */
  text: string;
  /** One paragraph; '' if the member explains itself. */
  comment: string;
}

/** Members of the block that begins with `opening`, for example `export interface Reply {`. */
export function membersOf(source: string, opening: string): Member[] {
  const start = source.indexOf(opening);
  if (start === -1) throw new Error(`the source holds no "${opening}"`);
  const body = source.slice(start + opening.length).split(/\n\}/)[0] ?? '';
  const pattern = /(?:^|\n) {2}(?:\/\*\*([\s\S]*?)\*\/\s*)?(\w+)\??: ([\s\S]*?)[,;](?=\n|$)/g;
  return [...body.matchAll(pattern)].map((match) => ({
    name: match[2] ?? '',
    text: (match[3] ?? '').replace(/\s+/g, ' ').trim(),
    comment: paragraph(match[1] ?? ''),
  }));
}

function paragraph(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .join(' ')
    .trim();
}

/** Text for a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
