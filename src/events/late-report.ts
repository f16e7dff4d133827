/**
 * What came back about a delivery after it had ended: a DSN of another server, or a complaint. It waits in the store
 * until it is known what it is about (`src/queue/reports.ts`).
 */
import type { DeliveryFacts, Engagement, EventType, MailFacts } from './event.ts';
import type { Reason } from './reason.ts';

/** The delivery it is tied to by a key of this installation. */
export interface ReportedDelivery {
  tenantId: number;
  mailId: number;
  n: number;
  /** The sender does not want to be told of failures (RFC 3461, NOTIFY). */
  quiet: boolean;
}

export interface LateReport extends ReportedDelivery {
  type: Extract<EventType, 'returned' | 'complained' | 'unsubscribed'>;
  reason: Reason | null;
  /** 0 if the report tells none. */
  replyCode: number;
  /** What was said with the code; ''. */
  replyText: string;
  /** `x.y.z`; '' for a complaint. */
  enhancedStatus: string;
  /** One line for people. */
  diagnostic: string;
  /** The address is not to be sent to again. */
  suppress: boolean;
}

/** What the ledger remembers of the delivery. */
export interface Remembered {
  mail: MailFacts;
  delivery: DeliveryFacts;
  complained: boolean;
  unsubscribed: boolean;
}

/** Of a report, which tells nothing about who acted with what. */
export const noEngagement: Engagement = {
  ...{ clientIp: '', userAgent: '', device: 'unknown', client: '', os: '' },
  ...{ isBot: false, country: '', url: '' },
};
