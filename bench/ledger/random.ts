/** Chance that is the same on every machine. */
export type Random = () => number;

/** A choice by weight from a table, in one look: the table is spread over 1024 places. */
export function weightedChoice<T>(table: readonly T[], weightOf: (one: T) => number): (random: Random) => T {
  const places = 1024;
  const sum = table.reduce((total, one) => total + weightOf(one), 0);
  const spread: T[] = [];
  let reached = 0;
  for (const one of table) {
    reached += weightOf(one);
    while (spread.length < Math.round((reached / sum) * places)) spread.push(one);
  }
  return (random) => spread[Math.floor(random() * places)] as T;
}

export function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** Exponential: most waits are short, some are very long. */
export function wait(random: Random, mean: number): number {
  return Math.round(-Math.log(1 - random()) * mean);
}

export function hex(random: Random, digits: number): string {
  let text = '';
  for (let left = digits; left > 0; left -= 8) {
    text += below(random, 0x1_0000_0000).toString(16).padStart(8, '0').slice(0, Math.min(8, left));
  }
  return text;
}
