/**
 * The warm-ups of an installation: what the command line starts and stops, and what the relay counts. A place is
 * counted in the transaction that writes its lease, before anything is sent, and given back with the verdict if the site
 * was not reached: after a crash never more is sent than the number of the day.
 *
 * The relay is the only process that counts, so counts are kept in memory beside the store.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';
import type { Source } from './sources.ts';
import {
  asOf,
  beginningOf,
  dayOf,
  hasReached,
  isUnwelcome,
  mailsPerDay,
  mostOf,
  type SiteDay,
  type WarmUp,
  type WarmUpStage,
} from './warm-up.ts';

/** Changes are to be made within a transaction; false: there is no such warm-up, or already one. */
export interface WarmUpRegister {
  list(): WarmUp[];
  start(source: string, plan: { name: string; stages: readonly WarmUpStage[] }, now: number): boolean;
  setPaused(source: string, paused: boolean): boolean;
  stop(source: string): boolean;
  sitesOf(warmUpId: number): SiteDay[];
}

/** Places of one day at one site, taken with a lease. */
export interface Reservation {
  readonly count: number;
  /** One more place; false if none is left. */
  extend(mailClass: MailClass): boolean;
  /** What became of the places: those without an answer were not needed. Once. */
  settle(statuses: readonly DeliveryStatus[]): void;
  /** Writes down the count of the site as it stands. Within a transaction. */
  write(): void;
}

export interface Allowance {
  /** Places left today. */
  left(mailClass: MailClass): number;
  /** The next day begins. */
  until: number;
  reserve(count: number): Reservation;
}

export interface WarmUps {
  /** Null: nothing bounds what the source sends to the site. */
  allowance(source: Source, site: string): Allowance | null;
  /** Removes counts of days that have passed and led nowhere. Within a transaction. */
  forget(): void;
}

interface CountedSite extends SiteDay {
  warmUp: WarmUp;
  /** Places under way. */
  open: number;
}

/** One machine is warmed up once, whatever pools it is in. */
export function warmUpNameOf({ ipv4, ipv6 }: Pick<Source, 'ipv4' | 'ipv6'>): string | null {
  return ipv4 ?? ipv6;
}

export function createWarmUpRegister(store: Store): WarmUpRegister {
  return {
    list: () => store.all('SELECT * FROM warm_ups ORDER BY source').map(warmUpOf),
    start: (source, { name, stages }, now) =>
      store.run(
        `INSERT INTO warm_ups (source, plan, stages, started_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ...[source, name, JSON.stringify(stages), now],
      ).changes > 0,
    setPaused: (source, paused) =>
      store.run('UPDATE warm_ups SET paused = ? WHERE source = ?', paused ? 1 : 0, source).changes > 0,
    stop(source) {
      store.run(
        'DELETE FROM warm_up_sites WHERE warm_up_id = (SELECT id FROM warm_ups WHERE source = ?)',
        source,
      );
      return store.run('DELETE FROM warm_ups WHERE source = ?', source).changes > 0;
    },
    sitesOf: (warmUpId) =>
      store.all('SELECT * FROM warm_up_sites WHERE warm_up_id = ? ORDER BY site', warmUpId).map(siteDayOf),
  };
}

export function createWarmUps(store: Store, clock: Clock): WarmUps {
  const now = () => clock.now();
  const counted = new Map<string, CountedSite>();

  const load = (warmUp: WarmUp, site: string): CountedSite => {
    const row = store.get('SELECT * FROM warm_up_sites WHERE warm_up_id = ? AND site = ?', warmUp.id, site);
    const before = row ? siteDayOf(row) : { site, day: dayOf(now()), daysDone: 0, sent: 0, refused: 0 };
    return { ...before, warmUp, open: 0 };
  };

  const countedAt = (warmUp: WarmUp, site: string): CountedSite => {
    const key = `${warmUp.id} ${site}`;
    const found = counted.get(key) ?? load(warmUp, site);
    if (counted.size >= limits.sitesInMemory)
      for (const [old, { open }] of counted) if (open === 0) counted.delete(old);
    counted.set(key, found);
    return Object.assign(found, asOf(now(), found, warmUp), { warmUp });
  };

  return {
    allowance(source, site) {
      const warmUp = site === 'rehearsal' ? null : warmUpWith(warmUpNameOf(source), store);
      if (warmUp === null) return null;
      const at = countedAt(warmUp, site);
      if (mailsPerDay(warmUp.stages, at.daysDone) === null) return null;
      return {
        left: (mailClass) => leftAt(at, mailClass),
        until: beginningOf(at.day + 1),
        reserve: (count) => reserve(at, count, store),
      };
    },
    forget() {
      // A first day that was not done says nothing about the next one.
      store.run(
        `DELETE FROM warm_up_sites WHERE days_done = 0 AND day < ? AND sent < ? *
           (SELECT stages ->> '$[0].mailsPerDay' FROM warm_ups WHERE id = warm_up_id)`,
        ...[dayOf(now()), limits.warmUpShareForNextDay],
      );
    },
  };
}

function leftAt({ warmUp, daysDone, sent }: CountedSite, mailClass: MailClass): number {
  const perDay = mailsPerDay(warmUp.stages, daysDone);
  return perDay === null ? Number.POSITIVE_INFINITY : Math.max(0, mostOf(mailClass, perDay) - sent);
}

function reserve(at: CountedSite, first: number, store: Store): Reservation {
  const { day } = at;
  let count = 0;
  const add = (more: number) => {
    count += more;
    at.open += more;
    at.sent += more;
  };
  add(first);
  return {
    get count() {
      return count;
    },
    extend(mailClass) {
      if (at.day !== day || leftAt(at, mailClass) < 1) return false;
      add(1);
      return true;
    },
    settle(statuses) {
      at.open -= count;
      // What began before midnight is no matter of the new day.
      if (at.day === day) {
        at.sent -= count - statuses.filter(hasReached).length;
        at.refused += statuses.filter(isUnwelcome).length;
      }
      count = 0;
    },
    write: () => {
      // The command line may have stopped it meanwhile.
      store.run(
        `INSERT INTO warm_up_sites (warm_up_id, site, day, days_done, sent, refused)
         SELECT id, ?, ?, ?, ?, ? FROM warm_ups WHERE id = ?
         ON CONFLICT DO UPDATE SET day = excluded.day, days_done = excluded.days_done,
           sent = excluded.sent, refused = excluded.refused`,
        ...[at.site, at.day, at.daysDone, at.sent, at.refused, at.warmUp.id],
      );
    },
  };
}

/** Read at each look, since a lane that the command line lets go must not be held by what it has ended. */
function warmUpWith(name: string | null, store: Store): WarmUp | null {
  const row = name === null ? undefined : store.get('SELECT * FROM warm_ups WHERE source = ?', name);
  return row ? warmUpOf(row) : null;
}

function warmUpOf(row: Row): WarmUp {
  return {
    id: integer(row, 'id'),
    source: text(row, 'source'),
    plan: text(row, 'plan'),
    stages: JSON.parse(text(row, 'stages')) as WarmUpStage[],
    paused: integer(row, 'paused') === 1,
    startedAt: integer(row, 'started_at'),
  };
}

function siteDayOf(row: Row): SiteDay {
  return {
    site: text(row, 'site'),
    day: integer(row, 'day'),
    daysDone: integer(row, 'days_done'),
    sent: integer(row, 'sent'),
    refused: integer(row, 'refused'),
  };
}
