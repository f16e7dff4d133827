/** Counts the rows of an export as it arrives, and tells whether its end is one. */

export interface RowCounter {
  take(piece: Uint8Array): void;
  /** It ends where a file of its format may end. */
  whole(): boolean;
  /** Rows are not told of Parquet. */
  counts(): { rows: number | null; bytes: number };
}

const newline = 10;
const quote = 34;
const parquetMark = 'PAR1';

export function createRowCounter(format: 'ndjson' | 'csv' | 'parquet'): RowCounter {
  let [lines, bytes, last] = [0, 0, newline];
  let quoted = false;
  let tail = '';
  return {
    take(piece) {
      bytes += piece.length;
      last = piece.at(-1) ?? last;
      if (format === 'parquet') {
        tail = (tail + Buffer.from(piece.subarray(-4)).toString('latin1')).slice(-4);
        return;
      }
      for (const byte of piece) {
        // A quote within a quoted field is doubled, so that the state is right again behind it.
        if (byte === quote && format === 'csv') quoted = !quoted;
        else if (byte === newline && !quoted) lines += 1;
      }
    },
    whole: () => (format === 'parquet' ? tail === parquetMark : last === newline && !quoted),
    counts: () => ({ rows: format === 'parquet' ? null : lines - (format === 'csv' ? 1 : 0), bytes }),
  };
}
