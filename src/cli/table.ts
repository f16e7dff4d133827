/** Text for people at a terminal. What a peer or a sender wrote never reaches it as it is: it could hold controls. */

/** Controls, line separators, and marks that turn the direction of writing around. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function printable(text: string): string {
  return text.replace(unprintable, (char) =>
    char === '\n' || char === '\t' ? ' ' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const gap = 2;

/** Columns padded to their widest cell; the last one is cut where the line would be longer than `columns`. */
export function renderTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string {
  const lines = [heads, ...rows].map((cells) => cells.map(printable));
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines.map((cells) => `${renderLine(cells, widths, columns)}\n`).join('');
}

function renderLine(cells: readonly string[], widths: readonly number[], columns: number): string {
  const line = cells
    .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + gap)))
    .join('')
    .trimEnd();
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}

/** `2026-11-22 10:00:00Z`: UTC, as every time that Waybill shows; '-' for none. */
export function shownTime(at: number | null): string {
  if (at === null) return '-';
  return Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' }).replace('T', ' ');
}

export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Words in lines of at most `width`, each after `indent`. */
export function wrapped(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + longer.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((one) => `${indent}${one}\n`).join('');
}
