/** Rows as the ledger would answer them: one made by hand, or all that a history leaves behind. */
import type { DeliveryFacts, MailFacts } from '../../src/events/event.ts';
import type { DeliveryRow } from '../../src/ledger/ledger.ts';
import type { History } from './histories.ts';

const acceptedAt = Date.UTC(2025, 5, 15, 12, 0, 0, 250);

const mailFacts: MailFacts = {
  mailId: (acceptedAt - Date.UTC(2024, 0, 1)) * 4096 + 128,
  tenantId: 1,
  streamId: 10_001,
  sendingDomain: 'mail.example.com',
  acceptedAt,
  reversePath: 'bounces@mail.example.com',
  fromField: { address: 'news@mail.example.com', name: 'News' },
  toField: 'Ann <ann@shop.example>',
  replyTo: '',
  subject: 'Verification',
  messageIdField: '1@mail.example.com',
  contentBytes: 2000,
  bodyBytes: 1500,
  origin: '192.0.2.7',
  transport: 'http',
  protocol: 'HTTP',
  authenticated: true,
  tags: [],
  template: '',
  category: '',
};

const deliveryFacts: DeliveryFacts = {
  n: 1,
  forwardPath: 'ann@shop.example',
  domain: 'shop.example',
  provider: 'shop.example',
  displayName: '',
  state: 'queued',
  stateAt: acceptedAt,
  attempts: 0,
  deferrals: 0,
  firstAttemptAt: null,
  lastAttemptAt: null,
  deliveredAt: null,
  nextAttemptAt: acceptedAt,
  expiresAt: acceptedAt + 5 * 24 * 3_600_000,
  leased: false,
  reason: null,
  replyCode: null,
  enhancedStatus: '',
  diagnostic: '',
  remoteMta: '',
  remoteMtaAddress: '',
  sendingIp: '',
  node: 'node-1',
};

const noEngagement: DeliveryRow['engagement'] = {
  opens: 0,
  clicks: 0,
  complainedAt: null,
  unsubscribedAt: null,
};

/** A mail just queued, but for the changes. */
export function deliveryRow(
  delivery: Partial<DeliveryFacts> = {},
  mail: Partial<MailFacts> = {},
  engagement: Partial<DeliveryRow['engagement']> = {},
): DeliveryRow {
  return {
    mail: { ...mailFacts, ...mail },
    delivery: { ...deliveryFacts, ...delivery },
    engagement: { ...noEngagement, ...engagement },
  };
}

/** Newest mail first; within a mail, the highest number first. */
export function rowsOf(history: History): DeliveryRow[] {
  const rows = new Map<string, DeliveryRow>();
  for (const { type, at, mail, delivery } of history.events) {
    const name = `${mail.mailId}:${delivery.n}`;
    const { opens, clicks, complainedAt, unsubscribedAt } = rows.get(name)?.engagement ?? noEngagement;
    const engagement = {
      opens: opens + (type === 'opened' ? 1 : 0),
      clicks: clicks + (type === 'clicked' ? 1 : 0),
      complainedAt: complainedAt ?? (type === 'complained' ? at : null),
      unsubscribedAt: unsubscribedAt ?? (type === 'unsubscribed' ? at : null),
    };
    rows.set(name, { mail, delivery, engagement });
  }
  return [...rows.values()].sort((a, b) => b.mail.mailId - a.mail.mailId || b.delivery.n - a.delivery.n);
}
