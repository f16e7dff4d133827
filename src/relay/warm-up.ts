/**
 * Warm-up: how much a source address that providers do not know yet may send to each site on a day, and when the next
 * day of its plan begins. Pure; `warm-ups.ts` keeps the counts.
 *
 * Days are those of UTC. A day of the plan is done when its number was used at least by half and few mails were
 * refused as too many or unwanted: an address is as warm as what it has sent, whatever the calendar says.
 */
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';

export interface WarmUpStage {
  days: number;
  /** Forward-paths to one site. */
  mailsPerDay: number;
}

export interface WarmUp {
  id: number;
  /** As `warmUpNameOf` has it. */
  source: string;
  plan: string;
  stages: readonly WarmUpStage[];
  /** The numbers hold, but no day is done. */
  paused: boolean;
  startedAt: number;
}

/** What one site was sent from the address. */
export interface SiteDay {
  site: string;
  /** Since 1970-01-01. */
  day: number;
  /** Of the plan. */
  daysDone: number;
  sent: number;
  refused: number;
}

const dayMs = 86_400_000;

export function dayOf(at: number): number {
  return Math.floor(at / dayMs);
}

export function beginningOf(day: number): number {
  return day * dayMs;
}

/** Null: the plan is done, and nothing bounds the address any more. */
export function mailsPerDay(stages: readonly WarmUpStage[], daysDone: number): number | null {
  let before = daysDone;
  for (const stage of stages) {
    if (before < stage.days) return stage.mailsPerDay;
    before -= stage.days;
  }
  return null;
}

/** Bulk mail leaves a part of the number to transactional mail that comes later in the day. */
export function mostOf(mailClass: MailClass, perDay: number): number {
  return mailClass === 'bulk' ? Math.max(1, Math.floor(perDay * limits.warmUpShareOfBulk)) : perDay;
}

/** The site as it stands now. A clock that goes back over midnight opens no second day. */
export function asOf(
  now: number,
  before: SiteDay,
  { stages, paused }: Pick<WarmUp, 'stages' | 'paused'>,
): SiteDay {
  const day = dayOf(now);
  if (before.day === day || before.day === day + 1) return before;
  const done = !paused && isDone(before, mailsPerDay(stages, before.daysDone));
  return { ...before, day, daysDone: before.daysDone + (done ? 1 : 0), sent: 0, refused: 0 };
}

function isDone({ sent, refused }: SiteDay, perDay: number | null): boolean {
  if (perDay === null) return false;
  return sent >= perDay * limits.warmUpShareForNextDay && refused <= sent * limits.warmUpShareRefused;
}

/** The site was asked to take it: that counts, whatever the answer was. */
export function hasReached({ stage, reason }: DeliveryStatus): boolean {
  return reachedStages.includes(stage) && reason !== 'internal';
}

const reachedStages: readonly DeliveryStatus['stage'][] = ['mail', 'rcpt', 'data', 'end-of-data'];

/** Too much for what the site thinks of the address, also where it said so instead of a greeting. */
export function isUnwelcome({ reason }: DeliveryStatus): boolean {
  return reason === 'espblock' || reason === 'rate-limited';
}
