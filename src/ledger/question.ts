/**
 * The questions the ledger answers: the one query door of every dialect, of the console and of the
 * command line (canonical model, section 9). Times are UTC milliseconds, ranges are half-open
 * `[from, to)`, and the tenant is an argument of every question, never a filter a caller may forget.
 */
import type { DeliveryState, EventType, MailEvent } from '../events/event.ts';
import type { Reason } from '../events/reason.ts';

export interface Scope {
  tenantId: number;
  /** Only this sending identity. */
  streamId?: number;
  /** Only mail from this sending domain. */
  sendingDomain?: string;
}

/** Holds when the state is listed and, if given, the reason and engagement conditions hold as well. */
export interface StatusCondition {
  states: readonly DeliveryState[];
  reasons?: readonly Reason[];
  exceptReasons?: readonly Reason[];
  /** True: the mail was opened or clicked by this recipient. False: neither. */
  engaged?: boolean;
}

/** Holds when any of its parts does. Text is compared whole, without regard to case. */
export interface SearchTerm {
  /** Equals the From field address, the forward-path or the template name. */
  text: string;
  status?: readonly StatusCondition[];
}

/** All given conditions must hold. Text is compared exactly unless said otherwise. */
export interface DeliveryFilter {
  /** Range of the time of acceptance. */
  from?: number;
  to?: number;
  mailId?: number;
  n?: number;
  origin?: string;
  remoteMta?: string;
  reversePath?: string;
  forwardPath?: string;
  subject?: string;
  /** Substring of the Message-ID field (with or without its angle brackets), without regard to case. */
  messageIdContains?: string;
  replyTo?: string;
  fromField?: string;
  /** Any of these must hold. */
  status?: readonly StatusCondition[];
  /** Each of these must hold. */
  search?: readonly SearchTerm[];
}

export interface Page {
  /** Rows to pass over. */
  offset: number;
  limit: number;
  /** By mail id, then number of the forward-path, both in this direction. */
  direction: 'ascending' | 'descending';
}

/** The last known state of one forward-path, with the engagement that stands beside it. */
export type DeliveryRow = Pick<MailEvent, 'mail' | 'delivery'> & {
  engagement: { opens: number; clicks: number; complainedAt: number | null; unsubscribedAt: number | null };
};

export interface DeliveryPage {
  /** All rows that match, before paging. */
  total: number;
  rows: DeliveryRow[];
}

export type BucketUnit = 'hour' | 'day' | 'month' | 'all';

export const countDimensions = [
  'sendingDomain',
  'provider',
  'sendingIp',
  'tag',
  'country',
  'device',
] as const;
export type CountDimension = (typeof countDimensions)[number];

export interface CountQuestion {
  types: readonly EventType[];
  /**
   * Absent: since ever. Counts are kept by quarters of an hour: `from` is taken back to the start of its
   * quarter, `to` on to the end of its own, so that what just happened is counted.
   */
  from?: number;
  to?: number;
  unit: BucketUnit;
  /** IANA zone the buckets are cut in; a day may have 23 or 25 hours. */
  zone: string;
  /** By `tag`, a mail counts once for each of its tags; with `where.tag` as well, for that tag only. */
  groupBy?: CountDimension;
  where?: Partial<Record<CountDimension, string>>;
}

/** One cell: how often `type` happened with these facts. Cells without events are absent. */
export interface CountRow {
  /** Start of the bucket; for unit `all` the `from` of the question, or 0. */
  bucketAt: number;
  /** Value of the `groupBy` dimension; '' without one. */
  group: string;
  type: EventType;
  /** Reason of the verdict; null where the event has none. */
  reason: Reason | null;
  /** The mail was submitted by an authenticated client. */
  authenticated: boolean;
  /** For `deferred`: the first deferral of its delivery. For `delivered`: at the first attempt. Else false. */
  first: boolean;
  count: number;
  /** For `opened` and `clicked`: recipients whose first such event lies in this bucket. Else 0. */
  unique: number;
}

export interface MailTotals {
  /** Mails accepted in the range. */
  accepted: number;
  /** Those of them with at least one delivered forward-path. */
  delivered: number;
}

export type TopKey = 'reversePath' | 'origin' | 'forwardPath';

export interface TopRow {
  key: string;
  /** Mails; for `forwardPath` each (mail, forward-path) once. */
  count: number;
}

export interface EventFilter {
  from?: number;
  to?: number;
  types?: readonly EventType[];
  mailId?: number;
  n?: number;
  forwardPath?: string;
  reversePath?: string;
}

export interface EventCursor {
  at: number;
  sequence: number;
  /** Outbox the sequence belongs to: two relay nodes may reach the same one in the same millisecond. */
  node?: string;
}

export interface EventPage {
  events: MailEvent[];
  /** Pass it to get the next page; null at the end. */
  next: EventCursor | null;
}

export interface Ask {
  /** One row per forward-path. */
  deliveries(scope: Scope, filter: DeliveryFilter, page: Page): Promise<DeliveryPage>;
  /** One row per mail: that of its lowest matching forward-path. `total` counts mails. */
  mails(scope: Scope, filter: DeliveryFilter, page: Page): Promise<DeliveryPage>;
  /** Mails with at least one open delivery (queued, held, deferred). */
  queue(scope: Scope, filter: DeliveryFilter, page: Page): Promise<DeliveryPage>;
  countByBucket(scope: Scope, question: CountQuestion): Promise<CountRow[]>;
  /** Rejected submissions are not accepted mail and do not count. Range of acceptance. */
  mailTotals(scope: Scope, from: number, to: number): Promise<MailTotals>;
  /** Count descending, ties by key ascending. Same range and rule as `mailTotals`. */
  top(scope: Scope, key: TopKey, from: number, to: number, limit: number): Promise<TopRow[]>;
  events(
    scope: Scope,
    filter: EventFilter,
    direction: Page['direction'],
    cursor: EventCursor | null,
    limit: number,
  ): Promise<EventPage>;
}
