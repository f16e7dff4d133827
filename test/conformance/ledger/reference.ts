/**
 * The answers as they ought to be, counted from the list of events in the plainest way: no tables, no
 * buckets, no versions. The conformance cases compare the ledger with it.
 */
import type { DeliveryState, EventType, MailEvent } from '../../../src/events/event.ts';
import type {
  CountDimension,
  CountQuestion,
  CountRow,
  DeliveryFilter,
  DeliveryPage,
  DeliveryRow,
  EventFilter,
  MailTotals,
  Page,
  Scope,
  SearchTerm,
  StatusCondition,
  TopKey,
  TopRow,
} from '../../../src/ledger/question.ts';

const carriers: ReadonlySet<EventType> = new Set([
  ...(['accepted', 'rejected', 'held', 'released', 'attempted', 'deferred'] as const),
  ...(['delivered', 'failed', 'expired', 'suppressed', 'canceled', 'returned'] as const),
]);
const open: ReadonlySet<DeliveryState> = new Set(['queued', 'held', 'deferred'] as const);

export interface Reference {
  rows: DeliveryRow[];
  ruleBreaks: number;
}

const keyOf = (event: { mail: { mailId: number }; delivery: { n: number } }) =>
  `${event.mail.mailId}:${event.delivery.n}`;

/** The rule of states, straight from the canonical model, section 4. */
export function fold(events: readonly MailEvent[]): Reference {
  const rows = new Map<string, DeliveryRow>();
  let ruleBreaks = 0;
  for (const event of events) {
    if (!carriers.has(event.type)) continue;
    const known = rows.get(keyOf(event));
    const state = known?.delivery.state;
    const moves =
      state === undefined || open.has(state) || (state === 'delivered' && event.type === 'returned');
    if (moves)
      rows.set(keyOf(event), { mail: event.mail, delivery: event.delivery, engagement: noEngagement() });
    else ruleBreaks += 1;
  }
  engage(rows, events);
  const order = (a: DeliveryRow, b: DeliveryRow) =>
    a.mail.mailId - b.mail.mailId || a.delivery.n - b.delivery.n;
  return { rows: [...rows.values()].sort(order), ruleBreaks };
}

const noEngagement = (): DeliveryRow['engagement'] => ({
  opens: 0,
  clicks: 0,
  complainedAt: null,
  unsubscribedAt: null,
});

function engage(rows: ReadonlyMap<string, DeliveryRow>, events: readonly MailEvent[]): void {
  const earlier = (known: number | null, at: number) => (known === null ? at : Math.min(known, at));
  for (const event of events) {
    const facts = rows.get(keyOf(event))?.engagement;
    if (!facts) continue;
    if (event.type === 'opened') facts.opens += 1;
    if (event.type === 'clicked') facts.clicks += 1;
    if (event.type === 'complained') facts.complainedAt = earlier(facts.complainedAt, event.at);
    if (event.type === 'unsubscribed') facts.unsubscribedAt = earlier(facts.unsubscribedAt, event.at);
  }
}

/* ---- deliveries ---- */

const inScope = (scope: Scope, { mail }: Pick<MailEvent, 'mail'>) =>
  mail.tenantId === scope.tenantId &&
  (scope.streamId === undefined || mail.streamId === scope.streamId) &&
  (scope.sendingDomain === undefined || mail.sendingDomain === scope.sendingDomain);

const within = (at: number, from: number | undefined, to: number | undefined) =>
  (from === undefined || at >= from) && (to === undefined || at < to);

const same = (wanted: string | undefined, found: string) => wanted === undefined || wanted === found;

export function matches(row: DeliveryRow, filter: DeliveryFilter): boolean {
  const { mail, delivery } = row;
  return (
    within(mail.acceptedAt, filter.from, filter.to) &&
    (filter.mailId === undefined || mail.mailId === filter.mailId) &&
    (filter.n === undefined || delivery.n === filter.n) &&
    same(filter.origin, mail.origin) &&
    same(filter.remoteMta, delivery.remoteMta) &&
    same(filter.reversePath, mail.reversePath) &&
    same(filter.forwardPath, delivery.forwardPath) &&
    same(filter.subject, mail.subject) &&
    same(filter.replyTo, mail.replyTo) &&
    same(filter.fromField, mail.fromField.address) &&
    `<${mail.messageIdField}>`.toLowerCase().includes((filter.messageIdContains ?? '').toLowerCase()) &&
    (filter.status === undefined || filter.status.some((condition) => statusHolds(row, condition))) &&
    (filter.search ?? []).every((term) => termHolds(row, term))
  );
}

function statusHolds({ delivery, engagement }: DeliveryRow, condition: StatusCondition): boolean {
  const { states, reasons, exceptReasons, engaged } = condition;
  const { state, reason } = delivery;
  return (
    states.includes(state) &&
    (reasons === undefined || (reason !== null && reasons.includes(reason))) &&
    (exceptReasons === undefined || reason === null || !exceptReasons.includes(reason)) &&
    (engaged === undefined || engagement.opens + engagement.clicks > 0 === engaged)
  );
}

function termHolds(row: DeliveryRow, { text, status }: SearchTerm): boolean {
  const wanted = text.toLowerCase();
  const texts = [row.mail.fromField.address, row.delivery.forwardPath, row.mail.template];
  return (
    texts.some((found) => found.toLowerCase() === wanted) ||
    (status ?? []).some((condition) => statusHolds(row, condition))
  );
}

export function deliveries(
  { rows }: Reference,
  scope: Scope,
  filter: DeliveryFilter,
  page: Page,
): DeliveryPage {
  return paged(
    rows.filter((row) => inScope(scope, row) && matches(row, filter)),
    page,
  );
}

export function mails({ rows }: Reference, scope: Scope, filter: DeliveryFilter, page: Page): DeliveryPage {
  const lowest = new Map<number, DeliveryRow>();
  for (const row of rows) {
    if (!inScope(scope, row) || !matches(row, filter)) continue;
    if (!lowest.has(row.mail.mailId)) lowest.set(row.mail.mailId, row);
  }
  return paged([...lowest.values()], page);
}

export function queue(reference: Reference, scope: Scope, filter: DeliveryFilter, page: Page): DeliveryPage {
  const rows = reference.rows.filter(({ delivery }) => open.has(delivery.state));
  return mails({ ...reference, rows }, scope, filter, page);
}

function paged(rows: DeliveryRow[], { offset, limit, direction }: Page): DeliveryPage {
  const ordered = direction === 'ascending' ? rows : rows.toReversed();
  return { total: rows.length, rows: ordered.slice(offset, offset + limit) };
}

/* ---- totals ---- */

function acceptedRows({ rows }: Reference, scope: Scope, from: number, to: number): DeliveryRow[] {
  return rows.filter(
    (row) =>
      inScope(scope, row) && within(row.mail.acceptedAt, from, to) && row.delivery.state !== 'rejected',
  );
}

export function mailTotals(reference: Reference, scope: Scope, from: number, to: number): MailTotals {
  const rows = acceptedRows(reference, scope, from, to);
  const count = (kept: DeliveryRow[]) => new Set(kept.map(({ mail }) => mail.mailId)).size;
  return {
    accepted: count(rows),
    delivered: count(rows.filter(({ delivery }) => delivery.state === 'delivered')),
  };
}

export function top(
  reference: Reference,
  scope: Scope,
  key: TopKey,
  { from, to }: { from: number; to: number },
): TopRow[] {
  const found = new Map<string, Set<number>>();
  for (const { mail, delivery } of acceptedRows(reference, scope, from, to)) {
    const name = key === 'forwardPath' ? delivery.forwardPath : mail[key];
    found.set(name, (found.get(name) ?? new Set()).add(mail.mailId));
  }
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return [...found]
    .map(([name, ids]) => ({ key: name, count: ids.size }))
    .sort((a, b) => b.count - a.count || bytes(a.key, b.key));
}

/* ---- counts ---- */

const quarterMs = 900_000;
const quarterOf = (at: number) => Math.floor(at / quarterMs) * quarterMs;

function bucketOf(at: number, { unit, zone, from }: CountQuestion): number {
  if (unit === 'all') return from ?? 0;
  const local = Temporal.Instant.fromEpochMilliseconds(quarterOf(at)).toZonedDateTimeISO(zone);
  if (unit === 'hour') return quarterOf(at) - local.minute * 60_000;
  return (unit === 'day' ? local : local.with({ day: 1 })).startOfDay().epochMilliseconds;
}

function dimensionsOf(event: MailEvent, dimension: CountDimension): string[] {
  switch (dimension) {
    case 'sendingDomain':
      return [event.mail.sendingDomain];
    case 'tag':
      return event.mail.tags;
    case 'provider':
      return [event.delivery.provider];
    case 'sendingIp':
      return [event.delivery.sendingIp];
    default:
      return [event.engagement?.[dimension] ?? ''];
  }
}

const withVerdict: ReadonlySet<EventType> = new Set([
  ...(['rejected', 'held', 'deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'] as const),
]);

export function countByBucket(
  events: readonly MailEvent[],
  scope: Scope,
  question: CountQuestion,
): CountRow[] {
  const rows = new Map<string, CountRow>();
  const firsts = firstEvents(events);
  for (const event of events) {
    if (!counts(event, scope, question)) continue;
    for (const group of groupsOf(event, question)) {
      const facts = factsOf(event, group, question);
      const row = rows.get(JSON.stringify(facts)) ?? { ...facts, count: 0, unique: 0 };
      row.count += 1;
      if (firsts.has(event)) row.unique += 1;
      rows.set(JSON.stringify(facts), row);
    }
  }
  return [...rows.values()];
}

/** Of an event with several tags only the one that was asked for. */
function groupsOf(event: MailEvent, { groupBy, where }: CountQuestion): string[] {
  if (groupBy === undefined) return [''];
  const wanted = where?.[groupBy];
  return dimensionsOf(event, groupBy).filter((group) => wanted === undefined || group === wanted);
}

function counts(event: MailEvent, scope: Scope, question: CountQuestion): boolean {
  const from = question.from === undefined ? undefined : quarterOf(question.from);
  const to = question.to === undefined ? undefined : quarterOf(question.to + quarterMs - 1);
  const where = Object.entries(question.where ?? {}) as [CountDimension, string][];
  return (
    inScope(scope, event) &&
    question.types.includes(event.type) &&
    within(event.at, from, to) &&
    where.every(([dimension, value]) => dimensionsOf(event, dimension).includes(value)) &&
    (question.groupBy === undefined || dimensionsOf(event, question.groupBy).length > 0)
  );
}

function factsOf(
  event: MailEvent,
  group: string,
  question: CountQuestion,
): Omit<CountRow, 'count' | 'unique'> {
  const { type, delivery, mail } = event;
  return {
    bucketAt: bucketOf(event.at, question),
    group,
    type,
    reason: withVerdict.has(type) ? delivery.reason : null,
    authenticated: mail.authenticated,
    first:
      (type === 'deferred' && delivery.deferrals === 1) || (type === 'delivered' && delivery.attempts === 1),
  };
}

/** Of each delivery the first open and the first click, by time. */
function firstEvents(events: readonly MailEvent[]): Set<MailEvent> {
  const firsts = new Map<string, MailEvent>();
  for (const event of events) {
    if (event.type !== 'opened' && event.type !== 'clicked') continue;
    const key = `${event.type}:${keyOf(event)}`;
    const known = firsts.get(key);
    const earlier =
      !known || event.at < known.at || (event.at === known.at && event.sequence < known.sequence);
    if (earlier) firsts.set(key, event);
  }
  return new Set(firsts.values());
}

/* ---- events ---- */

export function eventsOf(events: readonly MailEvent[], scope: Scope, filter: EventFilter): MailEvent[] {
  return events
    .filter(
      (event) =>
        inScope(scope, event) &&
        within(event.at, filter.from, filter.to) &&
        (filter.types === undefined || filter.types.includes(event.type)) &&
        (filter.mailId === undefined || event.mail.mailId === filter.mailId) &&
        (filter.n === undefined || event.delivery.n === filter.n) &&
        same(filter.forwardPath, event.delivery.forwardPath) &&
        same(filter.reversePath, event.mail.reversePath),
    )
    .sort((a, b) => a.at - b.at || a.sequence - b.sequence);
}
