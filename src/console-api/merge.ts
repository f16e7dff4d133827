/** Answers of several tenants as one, in order, reading no more of each than is needed. */

export interface Source<T> {
  /** The next row; null at the end. */
  next(): Promise<T | null>;
}

export interface Chunk<T> {
  rows: readonly T[];
  /** Rows may follow. */
  more: boolean;
}

/** A source that asks for the next chunk when the one before it is used up. */
export function chunked<T>(ask: () => Promise<Chunk<T>>): Source<T> {
  let waiting: readonly T[] = [];
  let position = 0;
  let more = true;
  return {
    async next() {
      while (position === waiting.length && more) {
        ({ rows: waiting, more } = await ask());
        position = 0;
      }
      const row = waiting[position];
      if (row === undefined) return null;
      position += 1;
      return row;
    },
  };
}

/** `comesBefore` is the order that each source has in itself. */
export async function* merged<T>(
  sources: readonly Source<T>[],
  comesBefore: (a: T, b: T) => boolean,
): AsyncGenerator<T> {
  const heads: { source: Source<T>; row: T }[] = [];
  const advance = async (source: Source<T>) => {
    const row = await source.next();
    if (row !== null) heads.push({ source, row });
  };
  for (const source of sources) await advance(source);
  while (heads.length > 0) {
    const first = heads.reduce((best, head) => (comesBefore(head.row, best.row) ? head : best));
    heads.splice(heads.indexOf(first), 1);
    yield first.row;
    await advance(first.source);
  }
}

/** Rows that match, up to `limit`, after looking through at most `scan` rows. */
export async function takeMatching<T>(
  rows: AsyncGenerator<T>,
  matches: (row: T) => boolean,
  bounds: { limit: number; scan: number; onScanned: (row: T) => void },
): Promise<{ rows: T[]; ended: boolean }> {
  const found: T[] = [];
  for (let scanned = 0; scanned < bounds.scan && found.length < bounds.limit; scanned += 1) {
    const { value, done } = await rows.next();
    if (done) return { rows: found, ended: true };
    bounds.onScanned(value);
    if (matches(value)) found.push(value);
  }
  return { rows: found, ended: false };
}
