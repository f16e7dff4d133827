/** Rows and events of the ledger as this API shows them: the facts as they are, with the ids people use. */
import { z } from 'zod';
import { relayIdOf } from '../base/id.ts';
import { deliveryStates, eventTypes, type MailEvent } from '../events/event.ts';
import type { DeliveryRow } from '../ledger/ledger.ts';

export type DeliveryEntry = {
  /** `relayid:n`, as the command line takes it. */
  id: string;
  /** Relay id of the mail: what the client got to read at acceptance. */
  relayId: string;
  tenant: string;
} & DeliveryRow;

export type EventEntry = {
  /** Node and sequence: the same event has the same id in every answer. */
  id: string;
  deliveryId: string;
  relayId: string;
  tenant: string;
} & MailEvent;

export interface DeliveriesReply {
  deliveries: DeliveryEntry[];
  /** Null at the end. */
  next: string | null;
}

export interface EventsReply {
  events: EventEntry[];
  /** Null at the end. */
  next: string | null;
}

export function deliveryEntry(row: DeliveryRow, tenant: string): DeliveryEntry {
  const relayId = relayIdOf(row.mail.mailId);
  return { id: `${relayId}:${row.delivery.n}`, relayId, tenant, ...row };
}

export function eventEntry(event: MailEvent, tenant: string): EventEntry {
  const relayId = relayIdOf(event.mail.mailId);
  const id = `${event.delivery.node}:${event.sequence}`;
  return { id, deliveryId: `${relayId}:${event.delivery.n}`, relayId, tenant, ...event };
}

const mailSchema = z
  .looseObject({
    mailId: z.int(),
    tenantId: z.int(),
    acceptedAt: z.int().describe('UTC milliseconds, as every time here.'),
    reversePath: z.string(),
    fromField: z.object({ address: z.string(), name: z.string() }),
    subject: z.string(),
  })
  .describe('Facts of the mail; docs/reference/events.md tells all of them.');

const deliverySchema = z
  .looseObject({
    n: z.int().describe('Number of the forward-path within the mail, from 1.'),
    forwardPath: z.string(),
    state: z.enum(deliveryStates),
    stateAt: z.int(),
    attempts: z.int(),
    nextAttemptAt: z.int().nullable(),
    reason: z.string().nullable(),
    diagnostic: z.string().describe('Last reply, or our own words.'),
  })
  .describe('Facts of the delivery; docs/reference/events.md tells all of them.');

const engagementSchema = z.object({
  opens: z.int(),
  clicks: z.int(),
  complainedAt: z.int().nullable(),
  unsubscribedAt: z.int().nullable(),
});

const next = z
  .string()
  .nullable()
  .describe(
    'Goes into `cursor` for the next page; null at the end. A page may be short, or empty, before the end.',
  );

export const deliveriesReply = z.object({
  deliveries: z.array(
    z.object({
      id: z.string().describe('`relayid:n`.'),
      relayId: z.string().describe('18 hex digits, one for all forward-paths of a mail.'),
      tenant: z.string(),
      mail: mailSchema,
      delivery: deliverySchema,
      engagement: engagementSchema,
    }),
  ),
  next,
});

export const eventsReply = z.object({
  events: z.array(
    z.object({
      id: z.string().describe('The same event has the same id in every answer.'),
      deliveryId: z.string().describe('`relayid:n`.'),
      relayId: z.string(),
      tenant: z.string(),
      sequence: z.int(),
      type: z.enum(eventTypes),
      at: z.int(),
      mail: mailSchema,
      delivery: deliverySchema,
      status: z.looseObject({}).nullable().describe('The attempt that caused it, if one did.'),
      engagement: z.looseObject({}).nullable().describe('Who opened or clicked, if this tells of it.'),
    }),
  ),
  next,
});
