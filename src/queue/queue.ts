/**
 * The queue: which delivery is due when, and the outbox of events that tells of each change (invariant I2:
 * both in one transaction). It knows states, not SMTP and not policy.
 *
 * This is the module's door. Changes are to be made within a transaction of the store.
 * `docs/queue-states.md` shows the states. Not here: verdicts (relay), content (spool).
 */
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { ForwardPathOptions, MailClass, MailOptions } from '../protocol/smtp/envelope-options.ts';
import type { Store } from '../store/store.ts';
import { createQueueChanges } from './changes.ts';
import { createQueueHolds } from './holds.ts';
import { createQueueLanes } from './lanes.ts';
import type { NewEvent } from './outbox.ts';
import { createQueueQuestions } from './questions.ts';
import { createQueueReports, type QueueReports } from './reports.ts';

export { createOpenMails, type OpenMails } from './open-mails.ts';
export type { NewEvent } from './outbox.ts';
export { createOutboxReader, type OutboxReader, passInOutbox } from './outbox-reader.ts';
export { createQueueReports, type QueueReports, type WaitingReport } from './reports.ts';

/** Where the content stands; kept by the queue for the spool. */
export interface StoredContent {
  segment: number | null;
  offset: number | null;
  bytes: number;
  checksum: number;
}

export interface QueuedMail {
  facts: MailFacts;
  /** Null for a mail that was refused: it has events, but nothing to deliver. */
  content: StoredContent | null;
  /** Null or absent: the client asked for nothing. */
  options?: MailOptions | null;
}

export interface QueuedDelivery {
  mailId: number;
  facts: DeliveryFacts;
  /** The domain of the forward-path, or where it was moved to. Those of one mail and destination are tried together. */
  destination: string;
  cancelRequested: boolean;
  /** To be held instead of tried again. */
  holdRequested: boolean;
  /** The tenant whose quota it is held by. */
  heldFor: number | null;
  /** Held, and due in its lane all the same: it goes on when the lane does. */
  heldInLane: boolean;
  /** Null: the client asked for nothing. */
  options: ForwardPathOptions | null;
}

export interface NewDelivery {
  /** Its first attempt begins at once if `leased`. */
  facts: DeliveryFacts;
  destination: string;
  options?: ForwardPathOptions | null;
  class?: MailClass;
}

export interface LeasedDelivery {
  mailId: number;
  n: number;
  destination: string;
}

/** Deliveries that take turns with those of other lanes. */
export interface Lane {
  class: MailClass;
  tenantId: number;
  destination: string;
}

export interface WarmUpLane extends Lane {
  /** The next day of the warm-up begins. */
  until: number;
}

/** Where a delivery stands in its lane. */
export interface LanePlace {
  dueAt: number;
  mailId: number;
  n: number;
}

export interface DueQuestion {
  now: number;
  limit: number;
}

export interface QueueFilter {
  tenantId?: number;
  mailId?: number;
  n?: number;
  states?: readonly DeliveryFacts['state'][];
  forwardPath?: string;
  destination?: string;
}

/** Each to be called within a transaction. */
export interface QueueChanges {
  /** Inserts a mail; its deliveries and events follow. */
  insertMail(mail: QueuedMail): void;
  /** A mail that another system handled: there is nothing to deliver, and events that tell of it may follow later. */
  rememberMail(facts: MailFacts): void;
  insertDelivery(mailId: number, delivery: NewDelivery): void;
  /** Writes the facts of a delivery after a change, and frees its lease unless `facts.leased`. */
  update(before: QueuedDelivery, facts: DeliveryFacts): void;
  requestCancel(mailId: number, n: number): void;
  /** Another destination, for the next attempt. */
  redirect(mailId: number, n: number, destination: string): void;
  /** Writes the facts of a delivery that is due: it keeps its place in its lane, in whatever state. */
  holdInLane(mailId: number, facts: DeliveryFacts): void;
  /** Writes an event about a mail to the outbox, with its next sequence. */
  record(event: NewEvent): void;
  clear(mailId: number): void;
}

export interface QueueQuestions {
  /** Held deliveries whose time has come. */
  heldDue(now: number, limit: number): LeasedDelivery[];
  /** Deliveries whose attempt was under way; after a start these attempts are gone. */
  leased(): LeasedDelivery[];
  mail(mailId: number): QueuedMail | null;
  delivery(mailId: number, n: number): QueuedDelivery | null;
  /** Ascending by mail and number. `after` is the last row of the page before. */
  list(filter: QueueFilter, after: { mailId: number; n: number }, limit: number): QueuedDelivery[];
  count(filter: QueueFilter): number;
  /** Highest id ever given to a mail of this store; 0 before the first. */
  highestMailId(): number;
  /** Mails whose deliveries have all ended and whose events the ledger has. */
  clearable(limit: number): { mailId: number; content: StoredContent | null }[];
}

export interface QueueHolds {
  /** Says of a delivery that is held whose quota it waits for; `update` ends that. Within a transaction. */
  holdFor(mailId: number, n: number, tenantId: number): void;
  /** For a delivery under way, or to take that back; `update` forgets it. Within a transaction. */
  requestHold(mailId: number, n: number, wanted: boolean): void;
  /** Tenants of whom something waits for their quota. */
  tenantsHeldFor(): number[];
  /** What waits for the tenant's quota, oldest first. */
  heldFor(tenantId: number, limit: number): { mailId: number; n: number }[];
  countHeldFor(tenantId: number): number;
}

/** What is due, and nothing that is held. A parked lane has nothing due until its time. */
export interface QueueLanes {
  /** Of the tenants with something to be tried the next one by number, and when to look at it; it may be later. */
  nextTenant(mailClass: MailClass, after: number): { tenantId: number; lookAt: number } | null;
  /** The one that waits longest first. */
  dueLanes(mailClass: MailClass, tenantId: number, question: DueQuestion): Lane[];
  /** Longest due first. */
  dueIn(lane: Lane, question: DueQuestion): LeasedDelivery[];
  /** Those of the lane that were to end by then, longest first. */
  overdueIn(lane: Lane, question: DueQuestion): LeasedDelivery[];
  /** Those of one mail, whatever their destination. */
  dueOfMail(mailId: number, question: DueQuestion): LeasedDelivery[];
  /** Within a transaction. */
  park(lane: Lane, until: number, warmUpUntil?: number | null): void;
  /** Within a transaction. */
  unparkAll(): void;
  /** The lanes that are parked because of a warm-up. Within a transaction. */
  unparkWarmUps(): void;
  /** Until when at least a delivery that is due waits for a warm-up; null: it does not. */
  warmUpUntil(mailId: number, n: number, now: number): number | null;
  /** Lanes that are parked because of a warm-up, behind the one given; in the order of their time. */
  warmUpLanes(after: WarmUpLane | null, question: DueQuestion): WarmUpLane[];
  /** What is due in the lane behind the place given, longest first. */
  dueAfter(lane: Lane, after: LanePlace, question: DueQuestion): LanePlace[];
  /** How many deliveries do, and until when at least. */
  waitingForWarmUp(now: number): { count: number; until: number | null };
}

export type Queue = QueueChanges & QueueQuestions & QueueHolds & QueueLanes & QueueReports;

export function openQueue(store: Store): Queue {
  return {
    ...createQueueChanges(store),
    ...createQueueQuestions(store),
    ...createQueueHolds(store),
    ...createQueueLanes(store),
    ...createQueueReports(store),
  };
}
