/**
 * The vendor's words and numbers for where a delivery stands. Only `6` for a delivered mail is published;
 * the other numbers are ours (docs/deviations.md), so all three tables can be overridden by options.
 *
 * Every state and reason falls into exactly one situation, hence the five filter words partition all rows
 * whatever the tables say.
 */
import type { Reason } from '../../events/reason.ts';
import type { DeliveryRow, StatusCondition } from '../../ledger/ledger.ts';
import { statusHolds } from '../../ledger/status-condition.ts';

/** What a filter can tell apart. */
export const filterSituations = ['queued', 'held', 'deferred', 'delivered', 'dropped', 'bounced'] as const;
export type FilterSituation = (typeof filterSituations)[number];

/** What a row can tell apart: `sending` is an attempt under way, found by the filter as queued or deferred. */
export const situations = [
  'queued',
  'sending',
  'held',
  'deferred',
  'delivered',
  'dropped',
  'bounced',
] as const;
export type Situation = (typeof situations)[number];

export const statusWords = ['delivered', 'dropped', 'sending', 'warmup', 'bounce'] as const;
export type StatusWord = (typeof statusWords)[number];

/** Failures of ours say nothing about the address: they drop a mail, they do not bounce it. */
const ownFailures: readonly Reason[] = ['internal', 'credit'];

const conditions: Readonly<Record<FilterSituation, readonly StatusCondition[]>> = {
  queued: [{ states: ['queued'] }],
  held: [{ states: ['held'] }],
  deferred: [{ states: ['deferred'] }],
  delivered: [{ states: ['delivered'] }],
  dropped: [
    { states: ['rejected', 'suppressed', 'expired', 'canceled'] },
    { states: ['failed'], reasons: ownFailures },
  ],
  bounced: [{ states: ['failed'], exceptReasons: ownFailures }],
};

export interface Words {
  /** Field `status`. */
  numbers: Readonly<Record<Situation, number>>;
  /** Field `bounce`. */
  bounces: Readonly<Record<Situation, number>>;
  /** Parameter `status`: the word that finds rows in this situation. */
  words: Readonly<Record<FilterSituation, StatusWord>>;
}

export const standardWords: Words = {
  numbers: { queued: 1, sending: 2, held: 3, deferred: 4, delivered: 6, dropped: 7, bounced: 8 },
  bounces: { queued: 0, sending: 0, held: 0, deferred: 0, delivered: 0, dropped: 0, bounced: 1 },
  words: {
    queued: 'sending',
    held: 'warmup',
    deferred: 'sending',
    delivered: 'delivered',
    dropped: 'dropped',
    bounced: 'bounce',
  },
};

/** Which rows a filter word finds; none for a word that is in no table. Letter case is ignored. */
export function conditionsOf(word: string, { words }: Words): readonly StatusCondition[] {
  const wanted = word.toLowerCase();
  return filterSituations
    .filter((situation) => words[situation] === wanted)
    .flatMap((situation) => conditions[situation]);
}

export function filterSituationOf(row: DeliveryRow): FilterSituation {
  const found = filterSituations.find((situation) =>
    conditions[situation].some((condition) => statusHolds(condition, row)),
  );
  return found ?? 'queued';
}

export function situationOf(row: DeliveryRow): Situation {
  const situation = filterSituationOf(row);
  const waiting = situation === 'queued' || situation === 'deferred';
  return waiting && row.delivery.leased ? 'sending' : situation;
}
