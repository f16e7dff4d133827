/** The metrics of this dialect as tables, after the vendor's own definitions of them. */
import type { EventType } from '../../events/event.ts';
import type { CountDimension } from '../../ledger/ledger.ts';
import { permanentFailures } from './words.ts';

/** In the order of the reply. */
export const countMetrics = [
  'accepted_incoming_count',
  'accepted_outgoing_count',
  'accepted_count',
  'delivered_smtp_count',
  'delivered_http_count',
  'delivered_optimized_count',
  'delivered_count',
  'stored_count',
  'processed_count',
  'sent_count',
  'opened_count',
  'clicked_count',
  'unique_opened_count',
  'unique_clicked_count',
  'unsubscribed_count',
  'complained_count',
  'failed_count',
  'temporary_failed_count',
  'permanent_failed_count',
  'esp_block_count',
  'temporary_failed_esp_block_count',
  'permanent_failed_esp_block_count',
  'rate_limit_count',
  'webhook_count',
  'permanent_failed_optimized_count',
  'permanent_failed_old_count',
  'bounced_count',
  'hard_bounces_count',
  'soft_bounces_count',
  'delayed_bounce_count',
  'suppressed_bounces_count',
  'suppressed_unsubscribed_count',
  'suppressed_complaints_count',
  'delivered_first_attempt_count',
  'delayed_first_attempt_count',
  'delivered_subsequent_count',
  'delivered_two_plus_attempts_count',
] as const;
export type CountMetric = (typeof countMetrics)[number];

export const rateMetrics = [
  'delivered_rate',
  'opened_rate',
  'clicked_rate',
  'unique_opened_rate',
  'unique_clicked_rate',
  'unsubscribed_rate',
  'complained_rate',
  'bounce_rate',
  'fail_rate',
  'permanent_fail_rate',
  'temporary_fail_rate',
  'delayed_rate',
  'delayed_first_attempt_rate',
] as const;
export type RateMetric = (typeof rateMetrics)[number];

export const metrics = [...countMetrics, ...rateMetrics] as const;
export type Metric = CountMetric | RateMetric;

/** Counted from events for which every condition holds, or made of other metrics. */
export type CountRule =
  | {
      /** None: a number that a relay always answers with zero. */
      types: readonly EventType[];
      /** Any of these, in the service's words. */
      reasons?: readonly string[];
      authenticated?: boolean;
      /** Delivered at the first attempt, or at a later one. */
      first?: boolean;
      /** Counts recipients at their first event, not events. */
      unique?: true;
    }
  | { plus: readonly CountMetric[]; minus?: readonly CountMetric[] };

const suppressed = [
  'suppressed_bounces_count',
  'suppressed_unsubscribed_count',
  'suppressed_complaints_count',
] as const;

export const countRules: Readonly<Record<CountMetric, CountRule>> = {
  accepted_incoming_count: { types: ['accepted'], authenticated: false },
  accepted_outgoing_count: { types: ['accepted'], authenticated: true },
  accepted_count: { types: ['accepted'] },
  delivered_smtp_count: { types: ['delivered'] },
  delivered_http_count: { types: [] },
  delivered_optimized_count: { types: [] },
  delivered_count: { types: ['delivered'] },
  stored_count: { types: ['stored'] },
  processed_count: {
    plus: ['delivered_count', 'permanent_failed_count'],
    minus: ['webhook_count', 'delayed_bounce_count'],
  },
  sent_count: { plus: ['delivered_count', 'permanent_failed_count'], minus: suppressed },
  opened_count: { types: ['opened'] },
  clicked_count: { types: ['clicked'] },
  unique_opened_count: { types: ['opened'], unique: true },
  unique_clicked_count: { types: ['clicked'], unique: true },
  unsubscribed_count: { types: ['unsubscribed'] },
  complained_count: { types: ['complained'] },
  failed_count: { plus: ['temporary_failed_count', 'permanent_failed_count'] },
  temporary_failed_count: { types: ['deferred'] },
  permanent_failed_count: { types: permanentFailures },
  esp_block_count: { plus: ['temporary_failed_esp_block_count'] },
  temporary_failed_esp_block_count: { types: ['deferred'], reasons: ['espblock'] },
  permanent_failed_esp_block_count: { types: permanentFailures, reasons: ['espblock'] },
  rate_limit_count: { types: ['held'] },
  webhook_count: { types: [] },
  permanent_failed_optimized_count: { types: [] },
  permanent_failed_old_count: { types: permanentFailures, reasons: ['old'] },
  bounced_count: { plus: ['permanent_failed_count'], minus: suppressed },
  hard_bounces_count: { types: ['failed', 'suppressed'], reasons: ['bounce'] },
  soft_bounces_count: {
    types: ['failed', 'suppressed', 'canceled'],
    reasons: ['generic', 'greylisted', 'espblock'],
  },
  delayed_bounce_count: { types: ['returned'] },
  suppressed_bounces_count: { types: permanentFailures, reasons: ['suppress-bounce'] },
  suppressed_unsubscribed_count: { types: permanentFailures, reasons: ['suppress-unsubscribe'] },
  suppressed_complaints_count: { types: permanentFailures, reasons: ['suppress-complaint'] },
  delivered_first_attempt_count: { types: ['delivered'], first: true },
  delayed_first_attempt_count: { plus: ['delivered_two_plus_attempts_count', 'permanent_failed_old_count'] },
  delivered_subsequent_count: { plus: ['delivered_two_plus_attempts_count'] },
  delivered_two_plus_attempts_count: { types: ['delivered'], first: false },
};

/** `[part, whole]`. */
export const rateRules: Readonly<Record<RateMetric, readonly [CountMetric, CountMetric]>> = {
  delivered_rate: ['delivered_count', 'sent_count'],
  opened_rate: ['opened_count', 'delivered_count'],
  clicked_rate: ['clicked_count', 'delivered_count'],
  unique_opened_rate: ['unique_opened_count', 'delivered_count'],
  unique_clicked_rate: ['unique_clicked_count', 'delivered_count'],
  unsubscribed_rate: ['unsubscribed_count', 'delivered_count'],
  complained_rate: ['complained_count', 'delivered_count'],
  bounce_rate: ['bounced_count', 'processed_count'],
  fail_rate: ['failed_count', 'delivered_count'],
  permanent_fail_rate: ['permanent_failed_count', 'processed_count'],
  temporary_fail_rate: ['temporary_failed_count', 'delivered_count'],
  delayed_rate: ['delivered_two_plus_attempts_count', 'delivered_count'],
  delayed_first_attempt_rate: ['delayed_first_attempt_count', 'delivered_count'],
};

/** What can be grouped and filtered by, beside `time`. */
export const metricDimensions = {
  domain: 'sendingDomain',
  ip: 'sendingIp',
  recipient_provider: 'provider',
  country: 'country',
  device: 'device',
  tag: 'tag',
} as const satisfies Record<string, CountDimension>;
export type MetricDimension = keyof typeof metricDimensions;

export const comparators = ['=', '!=', 'contains', 'not contains'] as const;
export type Comparator = (typeof comparators)[number];
