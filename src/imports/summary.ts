/** What an import ends with, and what it tells on the way. */
import { noShare, type Share } from './tally.ts';

/** Sums of a run so far; they are kept with its progress, so that they tell of the whole in the end. */
export interface Sums {
  lines: number;
  unparsed: number;
  ignored: number;
  share: Share;
}

export interface Progress extends Sums {
  file: string;
  /** Of all files on disk. */
  bytes: number;
  totalBytes: number;
}

/** In this order; the first eight are what every import system counts. */
export interface Summary extends Record<string, number | boolean> {
  lines: number;
  mails: number;
  deliveries: number;
  delivered: number;
  deferred: number;
  failed: number;
  expired: number;
  unparsed: number;
  ignored: number;
  rejected: number;
  suppressed: number;
  canceled: number;
  held: number;
  queued: number;
  deferrals: number;
  /** Written by this run. */
  newEvents: number;
  /** False if it was interrupted. */
  complete: boolean;
}

export function noSums(): Sums {
  return { lines: 0, unparsed: 0, ignored: 0, share: noShare() };
}

export function summaryOf(sums: Sums, newEvents: number, complete: boolean): Summary {
  const { lines, unparsed, ignored, share } = sums;
  const { mails, deliveries, delivered, deferred, failed, expired, ...others } = share;
  return {
    ...{ lines, mails, deliveries, delivered, deferred, failed, expired, unparsed, ignored },
    ...others,
    ...{ newEvents, complete },
  };
}
