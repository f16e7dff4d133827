/** The words and numbers of this API, as tables. */
import { type DeliveryState, deliveryStates, type MailFacts } from '../../events/event.ts';

/** What the log shows. A rejected submission never became mail: its sender was told at once. */
const shownStates = deliveryStates.filter((state) => state !== 'rejected');

/** States that the parameter `delivered` stands for; without it, all of them. */
export const statesOfDelivered: Readonly<Record<'0' | '1' | 'all', readonly DeliveryState[]>> = {
  0: shownStates.filter((state) => state !== 'delivered'),
  1: ['delivered'],
  all: shownStates,
};

export const interfaceOfTransport: Readonly<Record<MailFacts['transport'], string>> = {
  smtp: 'feeder',
  smtps: 'feeder',
  http: 'api',
};

/** The one zone that all mail leaves by. */
export const sendingZone = 'default';

export const timeWindows = ['1h', '24h', '7d', 'month', 'day', 'billing', 'all'] as const;
export type TimeWindow = (typeof timeWindows)[number];

/** SMTP user of an order. */
export function userOfOrder(orderId: number): string {
  return `mb${orderId}`;
}
