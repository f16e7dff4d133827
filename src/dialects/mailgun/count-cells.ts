/**
 * Counts by up to three dimensions at once, under conditions. The ledger groups by one dimension in a
 * question; further ones are asked for value by value, within a bound.
 */

import type { EpochMs } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { EventType } from '../../events/event.ts';
import type { Ask, CountDimension, CountRow, Scope } from '../../ledger/ledger.ts';
import { type Comparator, type MetricDimension, metricDimensions } from './metric-words.ts';
import { canonical } from './parse.ts';
import type { Axis, Predicate } from './parse-metrics.ts';
import type { Refusable, StatsWindow } from './window.ts';

export interface CellQuestion {
  types: readonly EventType[];
  window: StatsWindow;
  axes: readonly Axis[];
  predicates: readonly Predicate[];
}

export interface Cell {
  /** In the order of the axes: the start of a bucket for `time`, else a value. */
  place: readonly (EpochMs | string)[];
  rows: CountRow[];
}

type Where = Partial<Record<CountDimension, string>>;
type Picked = Partial<Record<MetricDimension, string>>;

/** Only cells with events, in the order of their places. */
export async function countCells(ask: Ask, scope: Scope, question: CellQuestion): Promise<Refusable<Cell[]>> {
  const { predicates, axes } = question;
  if (predicates.some(cannotBeListed)) {
    return {
      ok: false,
      problem: 'filter: a tag is compared with = and one value, since a mail may have several',
    };
  }
  const where = sameValues(predicates);
  if (where === null) return { ok: true, value: [] };
  const named = axes.filter((axis) => axis !== 'time');
  const listed = predicates.filter((predicate) => !isSameValue(predicate)).map(({ attribute }) => attribute);
  const collector = new Collector(ask, scope, question);
  const complete = await collector.collect([...new Set([...named, ...listed])], where, {});
  return complete ? { ok: true, value: collector.cells() } : { ok: false, problem: tooMany };
}

const tooMany = `dimensions: more than ${limits.metricQuestions} combinations of values; ask for fewer dimensions or set a filter`;

/** Gathers rows into cells while the values of one dimension after the other are tried. */
class Collector {
  readonly #ask: Ask;
  readonly #scope: Scope;
  readonly #question: CellQuestion;
  readonly #cells = new Map<string, Cell>();
  #asked = 0;

  constructor(ask: Ask, scope: Scope, question: CellQuestion) {
    this.#ask = ask;
    this.#scope = scope;
    this.#question = question;
  }

  cells(): Cell[] {
    return [...this.#cells.values()].sort((a, b) => comparePlaces(a.place, b.place));
  }

  /** False when the bound was reached. */
  async collect(dimensions: readonly MetricDimension[], where: Where, picked: Picked): Promise<boolean> {
    const [first, ...rest] = dimensions;
    const last = rest.length === 0;
    this.#asked += 1;
    if (this.#asked > limits.metricQuestions || this.#cells.size > limits.statsGroups) return false;
    const byValue = Map.groupBy(await this.#count(first, last, where), (row) => row.group);
    for (const [value, rows] of byValue) {
      if (first !== undefined && !this.#admits(first, value)) continue;
      const chosen = first === undefined ? picked : { ...picked, [first]: value };
      if (last) this.#add(rows, chosen);
      else if (first && !(await this.collect(rest, { ...where, [metricDimensions[first]]: value }, chosen)))
        return false;
    }
    return true;
  }

  #count(dimension: MetricDimension | undefined, last: boolean, where: Where): Promise<CountRow[]> {
    const { types, window, axes } = this.#question;
    return this.#ask.countByBucket(this.#scope, {
      types,
      from: window.from,
      to: window.to,
      unit: last && axes.includes('time') ? window.resolution : 'all',
      zone: 'UTC',
      where,
      ...(dimension === undefined ? {} : { groupBy: metricDimensions[dimension] }),
    });
  }

  /** Events without a value belong to no item of that dimension, but may meet a condition. */
  #admits(dimension: MetricDimension, value: string): boolean {
    if (value === '' && this.#question.axes.includes(dimension)) return false;
    return this.#question.predicates.every((one) => one.attribute !== dimension || meets(value, one));
  }

  #add(rows: readonly CountRow[], picked: Picked): void {
    for (const row of rows) {
      const place = this.#question.axes.map((axis) =>
        axis === 'time' ? row.bucketAt : (picked[axis] ?? ''),
      );
      const key = JSON.stringify(place);
      const cell = this.#cells.get(key);
      if (cell) cell.rows.push(row);
      else this.#cells.set(key, { place, rows: [row] });
    }
  }
}

function isSameValue({ comparator, values }: Predicate): boolean {
  return comparator === '=' && values.length === 1;
}

function cannotBeListed(predicate: Predicate): boolean {
  return predicate.attribute === 'tag' && !isSameValue(predicate);
}

/** Null when two of them contradict each other. */
function sameValues(predicates: readonly Predicate[]): Where | null {
  const where: Where = {};
  for (const { attribute, values } of predicates.filter(isSameValue)) {
    const value = canonical(attribute, values[0]?.value ?? '');
    const before = where[metricDimensions[attribute]];
    if (before !== undefined && before !== value) return null;
    where[metricDimensions[attribute]] = value;
  }
  return where;
}

const comparisons: Readonly<Record<Comparator, (value: string, wanted: readonly string[]) => boolean>> = {
  '=': (value, wanted) => wanted.includes(value),
  '!=': (value, wanted) => !wanted.includes(value),
  contains: (value, wanted) => wanted.some((one) => value.includes(one)),
  'not contains': (value, wanted) => !wanted.some((one) => value.includes(one)),
};

function meets(value: string, { attribute, comparator, values }: Predicate): boolean {
  return comparisons[comparator](
    value,
    values.map((one) => canonical(attribute, one.value)),
  );
}

function comparePlaces(a: Cell['place'], b: Cell['place']): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index === -1 ? 0 : compare(a[index] ?? '', b[index] ?? '');
}

export function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
