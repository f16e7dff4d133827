/**
 * `mail/log`: from the parameters sent to the question asked. Pure. The vendor documents no error for a
 * bad number or date, so those fall back to their defaults; a filter that cannot match any row (an unknown
 * status word, a send id not made here) finds nothing rather than everything.
 */
import { z } from 'zod';
import type { EpochMs } from '../../base/clock.ts';
import { deliveryOfSendId } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import type { InstallationKey } from '../../base/secret.ts';
import { type Fields, lastValue } from '../../http/query.ts';
import type { DeliveryFilter } from '../../ledger/ledger.ts';
import { conditionsOf, statusWords, type Words } from './words.ts';

const defaultRows = 50;
const maxRows = 1000;
const daySeconds = 86_400;
/** The last second of the year 2099: later times hold no mail. */
const maxSeconds = 4_102_444_799;

/** Anything but a whole number from `min` counts as not sent; a number above `max` counts as `max`. */
function lenientNumber(min: number, max: number) {
  return (sent: unknown): number | undefined => {
    const number = typeof sent === 'string' && /^\s*\d+\s*$/.test(sent) ? Number(sent) : -1;
    return number < min ? undefined : Math.min(number, max);
  };
}

const seconds = z.preprocess(lenientNumber(0, maxSeconds), z.int().min(0).max(maxSeconds).optional());
const text = z.string().trim().optional();

/** The parameters that authorize every call. `authenticate.ts` checks them. */
export const authorization = {
  appid: z.string().describe('Number of the app (stream) that asks.'),
  signature: z.string().describe('The app key, or the digest that `sign_type` names.'),
  sign_type: z.enum(['normal', 'md5', 'sha1']).default('normal').describe('How `signature` proves the app.'),
  timestamp: z
    .string()
    .optional()
    .describe('Unix seconds, at most 6 seconds old; required for md5 and sha1, and part of what they sign.'),
};

export const logParameters = z.object({
  app: text.describe('Only mail of this app of the same account; without it, mail of all its apps.'),
  start_date: seconds.describe('Unix seconds, included. Default: a day ago.'),
  end_date: seconds.describe('Unix seconds, included. Default: now.'),
  to: text.describe('Only mail to this address.'),
  send_id: text.describe('Only the mail with this send id; the range of time holds nevertheless.'),
  status: text.describe(`Only mail in this state: ${statusWords.map((word) => `\`${word}\``).join(', ')}.`),
  rows: z
    .preprocess(lenientNumber(1, maxRows), z.int().min(1).max(maxRows).default(defaultRows))
    .describe('Rows of a page.'),
  offset: z
    .preprocess(lenientNumber(0, limits.logOffsetRows), z.int().min(0).max(limits.logOffsetRows).default(0))
    .describe('Rows to pass over.'),
});
type LogParameters = z.infer<typeof logParameters>;

export interface LogQuestion {
  /** Unix seconds, both ends included. */
  startDate: number;
  endDate: number;
  rows: number;
  offset: number;
  /** '': every app of the account. */
  app: string;
  /** Null: no row can match. */
  filter: DeliveryFilter | null;
}

export function parseLog(fields: Fields, now: EpochMs, key: InstallationKey, words: Words): LogQuestion {
  const sent = Object.keys(logParameters.shape).map((name) => [name, lastValue(fields, name)]);
  const parameters = logParameters.parse(Object.fromEntries(sent));
  const nowSeconds = Math.floor(now / 1000);
  const startDate = parameters.start_date ?? nowSeconds - daySeconds;
  const endDate = parameters.end_date ?? nowSeconds;
  const { rows, offset, app = '' } = parameters;
  const details = parseFilter(parameters, key, words);
  const range = { from: startDate * 1000, to: (endDate + 1) * 1000 };
  return { startDate, endDate, rows, offset, app, filter: details && { ...range, ...details } };
}

function parseFilter(
  { to = '', send_id = '', status = '' }: LogParameters,
  key: InstallationKey,
  words: Words,
): DeliveryFilter | null {
  const delivery = send_id === '' ? {} : deliveryOfSendId(key, send_id);
  const conditions = status === '' ? null : conditionsOf(status, words);
  if (delivery === null || conditions?.length === 0) return null;
  return {
    ...delivery,
    ...(to !== '' && { forwardPath: to }),
    ...(conditions && { status: conditions }),
  };
}
