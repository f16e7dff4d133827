/**
 * Quotas: how many forward-paths a tenant may have in a minute, an hour, a day, a month, and what happens to more. Pure:
 * windows, room, and counting; `limits-of-tenant.ts` keeps the counts.
 *
 * Windows are those of the calendar: minutes and hours of UTC, days and months of the tenant's zone. A quota that
 * refuses counts what is accepted; one that holds counts what is let go, at once or by a release.
 */
import { limits } from '../base/limits.ts';

export const quotaPeriods = ['minute', 'hour', 'day', 'month'] as const;
export type QuotaPeriod = (typeof quotaPeriods)[number];

export interface Quota {
  /** Forward-paths in one window. */
  most: number;
  /** To the next ones: accept and keep them until there is room, or tell the client to come again. */
  whenFull: 'hold' | 'refuse';
}

export type Quotas = Partial<Record<QuotaPeriod, Quota>>;

/** What has been counted. */
export interface QuotaUse {
  windows: Partial<Record<QuotaPeriod, { start: number; used: number }>>;
  /** Deliveries were held, and not all of them are known to be released: new ones stand behind them. */
  backlog: boolean;
}

export const unused: QuotaUse = { windows: {}, backlog: false };

export interface Window {
  start: number;
  /** The next one begins here. */
  end: number;
}

export type WindowAt = (period: QuotaPeriod, at: number, zone: string) => Window;

const lengths = { minute: 60_000, hour: 3_600_000 };

export const windowAt: WindowAt = (period, at, zone) => {
  if (period === 'minute' || period === 'hour') {
    const start = Math.floor(at / lengths[period]) * lengths[period];
    return { start, end: start + lengths[period] };
  }
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();
  const first = period === 'day' ? today : today.with({ day: 1 });
  const next = first.add(period === 'day' ? { days: 1 } : { months: 1 });
  const beginning = (date: Temporal.PlainDate) => date.toZonedDateTime(zone).epochMilliseconds;
  return { start: beginning(first), end: beginning(next) };
};

/** Calendars are slow to ask; a window holds for a while. */
export function rememberedWindows(): WindowAt {
  const known = new Map<string, Window>();
  return (period, at, zone) => {
    const key = `${period} ${zone}`;
    const last = known.get(key);
    if (last && at >= last.start && at < last.end) return last;
    if (known.size >= limits.quotaWindowsInMemory) known.clear();
    const window = windowAt(period, at, zone);
    known.set(key, window);
    return window;
  };
}

/** A quota in its present window. */
export interface CountedQuota extends Quota, Window {
  period: QuotaPeriod;
  used: number;
}

export interface Moment {
  at: number;
  zone: string;
  windowAt: WindowAt;
}

export function countedQuotas(quotas: Quotas, use: QuotaUse, moment: Moment): CountedQuota[] {
  return quotaPeriods.flatMap((period) => {
    const quota = quotas[period];
    if (quota === undefined) return [];
    const counted = use.windows[period];
    const window = presentWindow(period, counted?.start, moment);
    return [{ period, ...quota, ...window, used: counted?.start === window.start ? counted.used : 0 }];
  });
}

/** A clock that goes back over a border opens no second window; one that was far ahead is not waited for. */
function presentWindow(period: QuotaPeriod, counted: number | undefined, moment: Moment): Window {
  const { at, zone, windowAt: find } = moment;
  const window = find(period, at, zone);
  if (counted === undefined || counted <= window.start) return window;
  return counted <= window.end ? find(period, counted, zone) : window;
}

export type Taken =
  /** `held`: how many of the last ones wait for `by`. */
  | { kind: 'taken'; held: number; by: CountedQuota | null; use: QuotaUse }
  | { kind: 'refused'; by: CountedQuota };

export interface Wanted {
  /** Forward-paths of a new mail. */
  accepted: number;
  /** Of them those to be tried as soon as may be. */
  toGo: number;
}

/** A new mail: all its forward-paths are taken or none. Older ones that wait are not overtaken. */
export function take(quotas: readonly CountedQuota[], use: QuotaUse, { accepted, toGo }: Wanted): Taken {
  const refusing = fullest(quotas, 'refuse');
  if (refusing && roomOf(refusing) < accepted) return { kind: 'refused', by: refusing };
  const holding = fullest(quotas, 'hold');
  const go = holding ? Math.min(toGo, use.backlog ? 0 : roomOf(holding)) : toGo;
  const held = toGo - go;
  const next = counted(quotas, use, { refuse: accepted, hold: go });
  return {
    kind: 'taken',
    held,
    by: held > 0 ? holding : null,
    use: { ...next, backlog: use.backlog || held > 0 },
  };
}

/** Of so many that wait, how many go now. */
export function letGo(
  quotas: readonly CountedQuota[],
  use: QuotaUse,
  waiting: number,
): { count: number; use: QuotaUse } {
  const holding = fullest(quotas, 'hold');
  const count = holding ? Math.min(waiting, roomOf(holding)) : waiting;
  return { count, use: counted(quotas, use, { hold: count }) };
}

export function roomOf({ most, used }: CountedQuota): number {
  return Math.max(0, most - used);
}

/** The quota with the least room; of several full ones the one that opens last. */
export function fullest(quotas: readonly CountedQuota[], whenFull: Quota['whenFull']): CountedQuota | null {
  const [first = null, ...others] = quotas.filter((quota) => quota.whenFull === whenFull);
  return others.reduce((least, quota) => (least && roomOf(least) < roomOf(quota) ? least : quota), first);
}

function counted(
  quotas: readonly CountedQuota[],
  use: QuotaUse,
  more: { refuse?: number; hold?: number },
): QuotaUse {
  const windows = Object.fromEntries(
    quotas.map(({ period, whenFull, start, used }) => [
      period,
      { start, used: used + (more[whenFull] ?? 0) },
    ]),
  );
  return { ...use, windows: { ...use.windows, ...windows } };
}
