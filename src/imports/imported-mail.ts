/**
 * A mail as a log tells it, record by record: what is known of it, and the events that follow. No I/O here.
 *
 * Whatever is told twice changes nothing: an attempt is known by its forward-path, its kind and its time.
 */
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import {
  type DeliveryFacts,
  type DeliveryState,
  type Engagement,
  type EventType,
  openStates,
} from '../events/event.ts';
import { domainOf } from '../protocol/address/address.ts';
import { providerOf } from '../relay/provider.ts';
import type { DeliveryEvent, LoggedFacts, LogRecord, Recipients, Told } from './record.ts';
import { statusOf } from './verdict.ts';

export interface ImportedMail {
  /** Queue id under which it was first told of. */
  id: string;
  /** When it was first told of, and last. */
  firstAt: number;
  lastAt: number;
  acceptedAt: number;
  /** Of the first line it can have; null if the log began later. */
  begunAt: number | null;
  /** The system took it. */
  accepted: boolean;
  probe: boolean;
  fromHere: boolean;
  /** Host of the log, as the node that handled it. */
  host: string;
  facts: LoggedFacts;
  /** Queue ids under which it still is in a queue. */
  live: string[];
  deliveries: DeliveryFacts[];
  /** For each delivery the events that were told, as `type@time`. */
  seen: string[][];
  /** Null until its first event. */
  mailId: number | null;
}

export interface ImportedEvent {
  type: EventType;
  at: number;
  delivery: DeliveryFacts;
  status: DeliveryStatus | null;
  engagement: Engagement | null;
}

type Delivery = Extract<LogRecord, { kind: 'delivery' }>;

export function newMail({ at, id }: LogRecord): ImportedMail {
  return {
    ...{ id, firstAt: at, lastAt: at, acceptedAt: at, begunAt: null, accepted: false, probe: false },
    ...{ fromHere: false, host: id.slice(0, Math.max(0, id.indexOf(' '))), facts: {}, live: [id] },
    ...{ deliveries: [], seen: [], mailId: null },
  };
}

/** `under`: told under another id than its first. */
export function applyMail(
  mail: ImportedMail,
  record: Extract<LogRecord, { kind: 'mail' }>,
  under: boolean,
): void {
  mail.facts = under ? { ...record.facts, ...mail.facts } : { ...mail.facts, ...record.facts };
  mail.accepted ||= record.accepted;
  if (under) return;
  mail.fromHere ||= record.fromHere === true;
  if (record.begins) mail.begunAt ??= record.at;
}

/** Events that follow, oldest first. */
export function applyDelivery(mail: ImportedMail, record: Delivery): ImportedEvent[] {
  const { at, type, acceptedAt } = record;
  const headless = mail.begunAt === null && mail.mailId === null && mail.deliveries.length === 0;
  if (headless && acceptedAt !== undefined && acceptedAt < mail.acceptedAt) mail.acceptedAt = acceptedAt;
  const events: ImportedEvent[] = [];
  for (const index of indexesOf(mail, record.to, { at, type, events })) {
    const mark = `${type}@${at}`;
    const seen = mail.seen[index] ?? [];
    if (seen.includes(mark)) continue;
    seen.push(mark);
    const event = eventOf(mail.deliveries[index], record);
    if (event === null) continue;
    mail.deliveries[index] = event.delivery;
    events.push(event);
  }
  return events;
}

interface Making {
  at: number;
  type: DeliveryEvent;
  events: ImportedEvent[];
}

function indexesOf(mail: ImportedMail, to: Recipients, making: Making): number[] {
  if ('address' in to) {
    const known = mail.deliveries.findIndex(({ forwardPath }) => forwardPath === to.address);
    if (known !== -1) return [known];
    return to.address === '' || mail.deliveries.length >= limits.importDeliveriesPerMail
      ? []
      : [addDelivery(mail, to.address, making)];
  }
  const open = [...mail.deliveries.keys()].filter((index) => isMeant(mail.deliveries[index], to));
  if (to.count === undefined || open.length <= to.count) return open;
  const one = open.filter((index) => mail.deliveries[index]?.forwardPath === to.one);
  return one.length === 0 ? open : one;
}

function isMeant(delivery: DeliveryFacts | undefined, { domain }: { domain?: string }): boolean {
  if (delivery === undefined || !openStates.includes(delivery.state)) return false;
  return domain === undefined || delivery.forwardPath.toLowerCase().endsWith(`@${domain}`);
}

function addDelivery(mail: ImportedMail, forwardPath: string, { at, type, events }: Making): number {
  const domain = domainOf(forwardPath);
  const refused = type === 'rejected';
  const facts: DeliveryFacts = {
    ...{ n: mail.deliveries.length + 1, forwardPath, domain, provider: providerOf(domain), displayName: '' },
    ...{ state: refused ? 'rejected' : 'queued', stateAt: refused ? at : mail.acceptedAt },
    ...{ attempts: 0, deferrals: 0, firstAttemptAt: null, lastAttemptAt: null, deliveredAt: null },
    ...{ nextAttemptAt: null, expiresAt: null, leased: false, reason: null, replyCode: null },
    ...{ enhancedStatus: '', diagnostic: '', remoteMta: '', remoteMtaAddress: '', sendingIp: '' },
    node: /^[A-Za-z0-9._-]{1,253}$/.test(mail.host) ? mail.host : 'import',
  };
  mail.deliveries.push(facts);
  mail.seen.push([]);
  if (!refused)
    events.push({ type: 'accepted', at: mail.acceptedAt, delivery: facts, status: null, engagement: null });
  return facts.n - 1;
}

const states: Readonly<Partial<Record<DeliveryEvent, DeliveryState>>> = {
  delivered: 'delivered',
  deferred: 'deferred',
  failed: 'failed',
  expired: 'expired',
  suppressed: 'suppressed',
  rejected: 'rejected',
  canceled: 'canceled',
  held: 'held',
  released: 'queued',
  returned: 'failed',
};

/** Null where the rule of states says that nothing can follow, or nothing was told but the acceptance. */
function eventOf(before: DeliveryFacts | undefined, record: Delivery): ImportedEvent | null {
  const { at, type, told, engagement = null } = record;
  if (before === undefined || type === 'accepted') return null;
  const state = states[type];
  if (state === undefined) return { type, at, delivery: before, status: null, engagement };
  if (!mayFollow(before, type)) return null;
  const facts = { ...before, state, stateAt: at };
  if (type === 'delivered' || type === 'deferred' || type === 'failed') return attempted(facts, type, record);
  const why = told === undefined ? facts : { ...facts, ...reasonOf(before, type, told) };
  const delivery = type === 'returned' ? { ...why, ...returnedBy(record, before) } : why;
  return { type, at, delivery, status: null, engagement };
}

function mayFollow(before: DeliveryFacts, type: DeliveryEvent): boolean {
  if (type === 'returned') return before.state === 'delivered' || openStates.includes(before.state);
  if (type === 'rejected') return before.attempts === 0 && before.diagnostic === '';
  if (type === 'released') return before.state === 'held';
  return openStates.includes(before.state);
}

const unsaid: Told = { text: '', status: '', remoteMta: null, durationMs: 0 };

function attempted(
  facts: DeliveryFacts,
  type: 'delivered' | 'deferred' | 'failed',
  record: Delivery,
): ImportedEvent {
  const { at, told = unsaid } = record;
  const status = statusOf(told, type, { at, domain: facts.domain });
  const delivery: DeliveryFacts = {
    ...facts,
    attempts: facts.attempts + 1,
    deferrals: facts.deferrals + (type === 'deferred' ? 1 : 0),
    firstAttemptAt: facts.firstAttemptAt ?? status.startedAt,
    lastAttemptAt: status.startedAt,
    deliveredAt: type === 'delivered' ? at : facts.deliveredAt,
    ...verdictFacts(status),
  };
  return { type, at, delivery, status, engagement: null };
}

function verdictFacts(status: DeliveryStatus): Partial<DeliveryFacts> {
  return {
    reason: status.reason,
    replyCode: status.reply?.code ?? null,
    enhancedStatus: status.enhancedStatus.value,
    diagnostic: status.diagnostic,
    ...(status.remoteMta === null
      ? {}
      : { remoteMta: status.remoteMta.name, remoteMtaAddress: status.remoteMta.address }),
  };
}

function returnedBy({ at, told = unsaid }: Delivery, { domain }: DeliveryFacts): Partial<DeliveryFacts> {
  return verdictFacts(statusOf(told, 'failed', { at, domain }));
}

/** What was said last about an attempt says more than that its time is over. */
function reasonOf(before: DeliveryFacts, type: DeliveryEvent, told: Told): Partial<DeliveryFacts> {
  const diagnostic = before.diagnostic === '' ? told.text : before.diagnostic;
  switch (type) {
    case 'expired':
      return { reason: 'old', diagnostic, enhancedStatus: before.enhancedStatus || told.status };
    case 'canceled':
      return { reason: 'canceled', diagnostic: told.text };
    case 'rejected': {
      const { reply, enhancedStatus } = statusOf(told, 'failed', {
        at: before.stateAt,
        domain: before.domain,
      });
      const code = { replyCode: reply?.code ?? null, enhancedStatus: enhancedStatus.value };
      return { reason: told.reason ?? 'deny-rule', diagnostic: told.text, ...code };
    }
    default:
      return { reason: told.reason ?? before.reason, diagnostic };
  }
}
