/** Values of options that have a form of their own. A wrong one is a problem of usage. */
import { mailIdOfRelayId } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { OptionProblem } from '../base/option.ts';
import { duration, nearest } from '../config/config.ts';
import { type DeliveryState, deliveryStates } from '../events/event.ts';
import { parseAddress } from '../protocol/address/address.ts';
import { type Call, usageProblem } from './command.ts';

const longestAgoMs = 3650 * 86_400_000;
const ago = duration(0, longestAgoMs);

/** `15m` and `2d` are that long before `now`; also `2026-11-22`, `2026-11-22T10:00` (UTC), `…+01:00`, `…Z`. */
export function momentOf(call: Call, option: string, now: number): number | undefined {
  const text = call.text(option);
  if (text === undefined) return undefined;
  const at = agoOf(text, now) ?? calendarTime(text);
  if (at !== null) return at;
  throw usageProblem(
    `--${option}: expected a time such as 15m, 2d, 2026-11-22 or 2026-11-22T10:00Z, not "${text}"`,
  );
}

function agoOf(text: string, now: number): number | null {
  try {
    return now - ago.parse(text);
  } catch (error) {
    if (error instanceof OptionProblem) return null;
    throw error;
  }
}

const calendar = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/;

function calendarTime(text: string): number | null {
  const [, date, time = '00:00', offset = 'Z'] = calendar.exec(text) ?? [];
  if (date === undefined) return null;
  try {
    return Temporal.Instant.from(`${date}T${time}${offset}`).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export function countOf(
  call: Call,
  option: string,
  { standard, max }: { standard: number; max: number },
): number {
  const text = call.text(option);
  if (text === undefined) return standard;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw usageProblem(`--${option}: expected a number from 1 to ${max}`);
}

/** Repeated or separated by commas. */
export function statesOf(call: Call, option: string): DeliveryState[] | undefined {
  const words = call.texts(option).flatMap((text) => text.split(',').map((word) => word.trim()));
  return words.length === 0 ? undefined : words.map((word) => stateNamed(option, word));
}

function stateNamed(option: string, word: string): DeliveryState {
  const state = deliveryStates.find((known) => known === word.toLowerCase());
  if (state !== undefined) return state;
  const near = nearest(word, deliveryStates);
  const hint = near === null ? `known are ${deliveryStates.join(', ')}` : `did you mean ${near}?`;
  throw usageProblem(`--${option}: "${word}" is no state of a delivery; ${hint}`);
}

/** An address as written, checked. */
export function addressOf(option: string, text: string): { address: string; domain: string } {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed;
  throw usageProblem(`--${option}: "${text}" is no mail address: ${parsed.problem}`);
}

export interface MailOrDelivery {
  mailId: number;
  /** Absent: every delivery of the mail. */
  n?: number;
}

/** A relay id of 18 hex digits, or `relayid:n`. */
export function idOf(text: string): MailOrDelivery {
  const [relayId = '', n, ...more] = text.split(':');
  const mailId = mailIdOfRelayId(relayId);
  const numbered = n === undefined || /^[1-9]\d{0,4}$/.test(n);
  if (mailId !== null && numbered && more.length === 0)
    return { mailId, ...(n === undefined ? {} : { n: Number(n) }) };
  const shown = text.slice(0, limits.echoedChars);
  throw usageProblem(`"${shown}" is no id: expected 18 hex digits, with :n behind them for one forward-path`);
}
