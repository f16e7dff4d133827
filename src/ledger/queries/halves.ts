/** Rows by their keys, where those may lie far apart. */

/** Within such a time rows share blocks: to read it twice would take longer than to read it by one thread. */
const farMs = 12 * 3_600_000;

/** The engine reads few rows with one thread, however much it has to unpack for them: it is asked for each half apart. */
export async function inHalves<K, R>(
  keys: readonly K[],
  timeOf: (key: K) => number,
  read: (keys: readonly K[]) => Promise<R[]>,
): Promise<R[]> {
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (Math.abs(timeOf(last) - timeOf(first)) < farMs) return read(keys);
  const middle = Math.ceil(keys.length / 2);
  const halves = [keys.slice(0, middle), keys.slice(middle)];
  return (await Promise.all(halves.map(read))).flat();
}
