/**
 * The words of this dialect as tables: its event names, its counters and what each of them counts, its
 * reasons for our reasons. A change of the imitated service is a change of a row here.
 */
import type { EventType } from '../../events/event.ts';
import type { Reason } from '../../events/reason.ts';
import type { CountDimension } from '../../ledger/ledger.ts';

export const statsEvents = [
  'accepted',
  'delivered',
  'failed',
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
  'stored',
] as const;
export type StatsEvent = (typeof statsEvents)[number];

export const resolutions = ['hour', 'day', 'month'] as const;
export type Resolution = (typeof resolutions)[number];

/** `m` is a month: there are no minutes here. */
export const durationUnits: Readonly<Record<string, Resolution>> = { h: 'hour', d: 'day', m: 'month' };

/** Keys of `group` that list values instead of times, and the prefixes of `filter`. */
export const dimensions = {
  domain: 'sendingDomain',
  ip: 'sendingIp',
  provider: 'provider',
  tag: 'tag',
  country: 'country',
} as const satisfies Record<string, CountDimension>;
export type Dimension = keyof typeof dimensions;

export const groups = [
  'total',
  'time',
  'day',
  'month',
  'domain',
  'ip',
  'provider',
  'tag',
  'country',
] as const;
export type Group = (typeof groups)[number];

/** First path segments that the service uses for families of its own; no domain of that name is reachable. */
export const literalSegments: ReadonlySet<string> = new Set([
  'accounts',
  'address',
  'domains',
  'ip_pools',
  'ips',
  'lists',
  'routes',
  'stats',
]);

/**
 * Reason of a failed event in the service's words, for a temporary and a permanent failure. Every number
 * is counted by these words, so that events, statistics and metrics agree with each other.
 */
export const reasonWords: Readonly<Record<Reason, { temporary: string; permanent: string }>> = {
  bounce: { temporary: 'generic', permanent: 'bounce' },
  espblock: { temporary: 'espblock', permanent: 'espblock' },
  greylisted: { temporary: 'greylisted', permanent: 'greylisted' },
  generic: { temporary: 'generic', permanent: 'generic' },
  old: { temporary: 'generic', permanent: 'old' },
  'no-mx': { temporary: 'generic', permanent: 'generic' },
  'null-mx': { temporary: 'generic', permanent: 'bounce' },
  connect: { temporary: 'generic', permanent: 'generic' },
  tls: { temporary: 'generic', permanent: 'generic' },
  dns: { temporary: 'generic', permanent: 'generic' },
  'mailbox-full': { temporary: 'generic', permanent: 'generic' },
  'rate-limited': { temporary: 'generic', permanent: 'generic' },
  'suppress-bounce': { temporary: 'generic', permanent: 'suppress-bounce' },
  'suppress-complaint': { temporary: 'generic', permanent: 'suppress-complaint' },
  'suppress-unsubscribe': { temporary: 'generic', permanent: 'suppress-unsubscribe' },
  'deny-rule': { temporary: 'generic', permanent: 'generic' },
  'sender-domain': { temporary: 'generic', permanent: 'generic' },
  template: { temporary: 'generic', permanent: 'generic' },
  credit: { temporary: 'generic', permanent: 'generic' },
  canceled: { temporary: 'generic', permanent: 'generic' },
  internal: { temporary: 'generic', permanent: 'generic' },
};

export const permanentFailures: readonly EventType[] = [
  'failed',
  'expired',
  'suppressed',
  'canceled',
  'returned',
];

/** One number of a reply: the events of these types for which every further condition holds. */
export interface Counter {
  /** Where it stands within the object of its event. */
  path: readonly string[];
  /** None: a number that a relay always answers with zero. */
  types: readonly EventType[];
  /** Reason in the service's words. */
  reason?: string;
  authenticated?: boolean;
  /** Counts recipients at their first event, not events. */
  unique?: true;
}

/** `permanent.total` holds all permanent failures, also those whose reason has no number of its own. */
export const counters: Readonly<Record<StatsEvent, readonly Counter[]>> = {
  accepted: [
    { path: ['incoming'], types: ['accepted'], authenticated: false },
    { path: ['outgoing'], types: ['accepted'], authenticated: true },
    { path: ['total'], types: ['accepted'] },
  ],
  delivered: [
    { path: ['smtp'], types: ['delivered'] },
    { path: ['http'], types: [] },
    { path: ['optimized'], types: [] },
    { path: ['total'], types: ['delivered'] },
  ],
  failed: [
    { path: ['temporary', 'espblock'], types: ['deferred'], reason: 'espblock' },
    { path: ['temporary', 'total'], types: ['deferred'] },
    { path: ['permanent', 'suppress-bounce'], types: ['failed', 'suppressed'], reason: 'suppress-bounce' },
    {
      path: ['permanent', 'suppress-unsubscribe'],
      types: ['failed', 'suppressed'],
      reason: 'suppress-unsubscribe',
    },
    {
      path: ['permanent', 'suppress-complaint'],
      types: ['failed', 'suppressed'],
      reason: 'suppress-complaint',
    },
    { path: ['permanent', 'bounce'], types: ['failed'], reason: 'bounce' },
    { path: ['permanent', 'delayed-bounce'], types: ['returned'] },
    { path: ['permanent', 'webhook'], types: [] },
    { path: ['permanent', 'optimized'], types: [] },
    { path: ['permanent', 'total'], types: permanentFailures },
  ],
  opened: [
    { path: ['total'], types: ['opened'] },
    { path: ['unique'], types: ['opened'], unique: true },
  ],
  clicked: [
    { path: ['total'], types: ['clicked'] },
    { path: ['unique'], types: ['clicked'], unique: true },
  ],
  unsubscribed: [{ path: ['total'], types: ['unsubscribed'] }],
  complained: [{ path: ['total'], types: ['complained'] }],
  stored: [{ path: ['total'], types: ['stored'] }],
};

/** The metrics of an aggregate, in the order of the reply. */
export const aggregateCounters: Readonly<Record<string, Pick<Counter, 'types' | 'unique'>>> = {
  accepted: { types: ['accepted'] },
  clicked: { types: ['clicked'] },
  complained: { types: ['complained'] },
  delivered: { types: ['delivered'] },
  opened: { types: ['opened'] },
  unique_clicked: { types: ['clicked'], unique: true },
  unique_opened: { types: ['opened'], unique: true },
  unsubscribed: { types: ['unsubscribed'] },
};

export const devices = ['desktop', 'mobile', 'tablet', 'unknown'] as const;

/** These have one reason, whatever the last attempt said. */
const fixedReasons: Readonly<Partial<Record<EventType, string>>> = {
  expired: 'old',
  returned: 'bounce',
  canceled: 'generic',
};

/** Reason of a failure in the service's words; a failure without one is `generic`. */
export function reasonWord(type: EventType, reason: Reason | null): string {
  return (
    fixedReasons[type] ?? reasonWords[reason ?? 'generic'][type === 'deferred' ? 'temporary' : 'permanent']
  );
}

export const eventNames = [
  'accepted',
  'rejected',
  'delivered',
  'failed',
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
  'stored',
] as const;
export type EventName = (typeof eventNames)[number];

export interface EventWords {
  event: EventName;
  logLevel: 'info' | 'warn' | 'error';
  severity?: 'temporary' | 'permanent';
}

/** What each of our events is called in the event log; the others do not stand in it. */
export const eventWords: Readonly<Partial<Record<EventType, EventWords>>> = {
  accepted: { event: 'accepted', logLevel: 'info' },
  rejected: { event: 'rejected', logLevel: 'warn' },
  delivered: { event: 'delivered', logLevel: 'info' },
  deferred: { event: 'failed', logLevel: 'warn', severity: 'temporary' },
  failed: { event: 'failed', logLevel: 'error', severity: 'permanent' },
  expired: { event: 'failed', logLevel: 'error', severity: 'permanent' },
  suppressed: { event: 'failed', logLevel: 'error', severity: 'permanent' },
  canceled: { event: 'failed', logLevel: 'error', severity: 'permanent' },
  returned: { event: 'failed', logLevel: 'error', severity: 'permanent' },
  opened: { event: 'opened', logLevel: 'info' },
  clicked: { event: 'clicked', logLevel: 'info' },
  unsubscribed: { event: 'unsubscribed', logLevel: 'info' },
  complained: { event: 'complained', logLevel: 'warn' },
  stored: { event: 'stored', logLevel: 'info' },
};

/** `code` of a failure without a reply from the other side; 0 for what is not listed. */
export const failureCodes: Readonly<Partial<Record<Reason, number>>> = {
  'no-mx': 498,
  'null-mx': 498,
  dns: 498,
  connect: 680,
  tls: 680,
  old: 602,
  'suppress-bounce': 605,
  'suppress-unsubscribe': 606,
  'suppress-complaint': 607,
};

/** `description` of a failure that no attempt caused. */
export const failureDescriptions: Readonly<Partial<Record<Reason, string>>> = {
  old: 'Too old',
  'suppress-bounce': 'Not delivering to previously bounced address',
  'suppress-unsubscribe': 'Not delivering to unsubscribed address',
  'suppress-complaint': 'Not delivering to a user who marked your messages as spam',
};

/** `client-type` by the kind of device; a program that fetches for its users is a `robot`. */
export const clientTypes = {
  desktop: 'browser',
  mobile: 'mobile browser',
  tablet: 'mobile browser',
  unknown: 'unknown',
} as const;
