/** Every question that a dialect, the console or the command line puts to the ledger, with arguments by chance. */
import type { Ask, CountQuestion, DeliveryFilter, DeliveryRow, Page } from '../../src/ledger/question.ts';
import { randomSource } from '../../test/support/histories.ts';
import { historyBegin, historyEnd } from './history.ts';
import { below, type Random } from './random.ts';

const dayMs = 24 * 3_600_000;
const newest = { offset: 0, limit: 100, direction: 'descending' } as const;
const oldest = { ...newest, direction: 'ascending' } as const;

export interface Sampled {
  tenantId: number;
  tenantDeliveries: number;
  rows: readonly DeliveryRow[];
}

export interface Sample extends Sampled {
  random: Random;
}

export type Question = (ledger: Ask, sample: Sample) => Promise<unknown>;

/** Deliveries of all ages to ask about. */
export async function sampleOf(ledger: Ask, tenantId: number): Promise<Sampled> {
  const random = randomSource(tenantId);
  const { total } = await ledger.deliveries({ tenantId }, {}, { ...newest, limit: 1 });
  const rows: DeliveryRow[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const from = historyBegin + below(random, historyEnd - historyBegin - 7 * dayMs);
    const page = { ...newest, limit: 25 };
    rows.push(...(await ledger.deliveries({ tenantId }, { from, to: from + 7 * dayMs }, page)).rows);
  }
  if (rows.length === 0) throw new Error(`tenant ${tenantId} has no deliveries to ask about`);
  return { tenantId, tenantDeliveries: total, rows };
}

function rowOf({ rows, random }: Sample): DeliveryRow {
  const row = rows[below(random, rows.length)];
  if (!row) throw new Error('an empty sample');
  return row;
}

/** A window of so many days that ends somewhere in the history. */
function windowOf({ random }: Sample, days: number): { from: number; to: number } {
  const to = historyEnd - below(random, historyEnd - historyBegin - days * dayMs);
  return { from: to - days * dayMs, to };
}

type FilterOf = (row: DeliveryRow, sample: Sample) => DeliveryFilter;

const log =
  (filter: FilterOf, page: Page = newest): Question =>
  (ledger, sample) =>
    ledger.deliveries({ tenantId: sample.tenantId }, filter(rowOf(sample), sample), page);

const mails =
  (filter: FilterOf, page: Page = newest): Question =>
  (ledger, sample) =>
    ledger.mails({ tenantId: sample.tenantId }, filter(rowOf(sample), sample), page);

const events =
  (filter: (row: DeliveryRow, sample: Sample) => Parameters<Ask['events']>[1]): Question =>
  (ledger, sample) =>
    ledger.events({ tenantId: sample.tenantId }, filter(rowOf(sample), sample), 'descending', null, 300);

const counts =
  (question: Omit<CountQuestion, 'from' | 'to' | 'zone'>, days = 30): Question =>
  (ledger, sample) =>
    ledger.countByBucket(
      { tenantId: sample.tenantId },
      { ...question, ...windowOf(sample, days), zone: 'Europe/Berlin' },
    );

const top =
  (key: Parameters<Ask['top']>[1]): Question =>
  (ledger, sample) => {
    const { from, to } = windowOf(sample, 30);
    return ledger.top({ tenantId: sample.tenantId }, key, from, to, 500);
  };

const deep = (offset: number): Page => ({ ...newest, offset });
const outcomes = [
  'accepted',
  'delivered',
  'deferred',
  'failed',
  'expired',
  'suppressed',
  'returned',
] as const;
const engaged = ['opened', 'clicked', 'unsubscribed', 'complained'] as const;

export const questions: Readonly<Record<string, Question>> = {
  'log: newest first': log(() => ({})),
  'log: oldest first': log(() => ({}), oldest),
  'log: offset 1,000': log(() => ({}), deep(1_000)),
  'log: offset 10,000': log(() => ({}), deep(10_000)),
  'log: offset 100,000': log(() => ({}), deep(100_000)),
  'log: a day': log((_, sample) => windowOf(sample, 1)),
  'log: 30 days': log((_, sample) => windowOf(sample, 30)),
  'log: by recipient': log(({ delivery }) => ({ forwardPath: delivery.forwardPath })),
  'log: by reverse-path': log(({ mail }) => ({ reversePath: mail.reversePath })),
  'log: by From field': log(({ mail }) => ({ fromField: mail.fromField.address })),
  'log: by Reply-To': log(({ mail }) => ({ replyTo: mail.replyTo })),
  'log: by subject': log(({ mail }) => ({ subject: mail.subject })),
  'log: by origin': log(({ mail }) => ({ origin: mail.origin })),
  'log: by remote MTA': log(({ delivery }) => ({ remoteMta: delivery.remoteMta })),
  'log: delivered': log(() => ({ status: [{ states: ['delivered'] }] })),
  'log: failed': log(() => ({ status: [{ states: ['failed', 'expired'] }] })),
  'log: by state and reason': log(() => ({ status: [{ states: ['failed'], reasons: ['bounce'] }] })),
  'log: opened': log(() => ({ status: [{ states: ['delivered'], engaged: true }] })),
  'log: search for an address': log(({ delivery }) => ({ search: [{ text: delivery.forwardPath }] })),
  'log: part of a Message-ID, 90 days': log(({ mail }, sample) => ({
    ...windowOf(sample, 90),
    messageIdContains: mail.messageIdField.slice(4, 16),
  })),
  'id: mail (relay id, UUID, send id)': log(({ mail, delivery }) => ({ mailId: mail.mailId, n: delivery.n })),
  'id: all recipients of a mail': log(({ mail }) => ({ mailId: mail.mailId }), oldest),
  'id: Message-ID': mails(({ mail }) => ({ messageIdContains: mail.messageIdField })),
  'id: events of a mail': events(({ mail }) => ({ mailId: mail.mailId })),
  'mails: newest first': mails(() => ({})),
  'mails: offset 100,000': mails(() => ({}), deep(100_000)),
  'queue: open mails': (ledger, { tenantId }) => ledger.queue({ tenantId }, {}, newest),
  'events: newest 300': events(() => ({})),
  'events: 300 failures': events(() => ({ types: ['failed', 'deferred'] })),
  'events: by recipient': events(({ delivery }) => ({ forwardPath: delivery.forwardPath })),
  'counts: 30 days by hour': counts({ types: outcomes, unit: 'hour' }),
  'counts: 30 days by day': counts({ types: outcomes, unit: 'day' }),
  'counts: 365 days by month': counts({ types: outcomes, unit: 'month' }, 365),
  'counts: 30 days by provider': counts({ types: outcomes, unit: 'all', groupBy: 'provider' }),
  'counts: 30 days by device': counts({ types: engaged, unit: 'all', groupBy: 'device' }),
  'counts: 30 days by country': counts({ types: engaged, unit: 'all', groupBy: 'country' }),
  'counts: 30 days by tag': counts({ types: outcomes, unit: 'all', groupBy: 'tag' }),
  'counts: unique opens, 30 days by day': counts({ types: ['opened', 'clicked'], unit: 'day' }),
  'totals: mails of 30 days': (ledger, sample) => {
    const { from, to } = windowOf(sample, 30);
    return ledger.mailTotals({ tenantId: sample.tenantId }, from, to);
  },
  'top 500: recipients, 30 days': top('forwardPath'),
  'top 500: reverse-paths, 30 days': top('reversePath'),
  'top 500: origins, 30 days': top('origin'),
};
