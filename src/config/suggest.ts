/** "Did you mean …?" for names that are nearly right. */

/** The known name that needs the fewest edits, or has the same last part; null if none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  if (best !== undefined && best.edits <= Math.max(2, Math.floor(name.length / 4))) return best.candidate;
  return known.find((candidate) => lastPart(candidate) === lastPart(name)) ?? null;
}

function lastPart(name: string): string {
  return name.split('.').at(-1) ?? name;
}

const maxComparedChars = 100;

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(left: string, right: string): number {
  const a = left.slice(0, maxComparedChars);
  const b = right.slice(0, maxComparedChars);
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          cell(previous, column) + 1,
          cell(current, column - 1) + 1,
          cell(previous, column - 1) + (same ? 0 : 1),
          swapped ? cell(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = previous;
    previous = current;
  }
  return cell(previous, b.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
