/**
 * Step 17: what an observation means. Pure. The rules are data (`classify-rules.ts`); here is how they are applied,
 * and what it means when there was no reply at all.
 *
 * What is refused before MAIL is about hosts, not about mail: it is temporary, whatever the code. A status of ours
 * always fits the outcome; one that the peer sent is kept as it is.
 */
import { assert, unreachable } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type { DeliveryStatus, EnhancedStatus, Reply, Stage } from '../events/delivery-status.ts';
import type { Reason } from '../events/reason.ts';
import { assignEnhancedStatus, type ReplyStage } from '../protocol/smtp/enhanced-status.ts';
import { formatReply } from '../protocol/smtp/reply-reader.ts';
import type { FailureCause, Observation } from '../smtp-client/smtp-client.ts';
import { type Rule, rules, siteStages } from './classify-rules.ts';

export type Verdict = Pick<DeliveryStatus, 'outcome' | 'reason' | 'enhancedStatus' | 'diagnostic'>;

export interface Circumstances {
  /** Mailbox provider of the forward-path. */
  provider: string;
}

export function classify(observation: Observation, { provider }: Circumstances): Verdict {
  const { reply, cause } = observation;
  if (reply !== null) return judgeReply(observation, reply, provider);
  assert(cause !== null, 'an observation has a reply or a cause');
  return judgeCause(observation, cause);
}

function judgeReply(observation: Observation, reply: Reply, provider: string): Verdict {
  const { enhancedStatus } = observation;
  const diagnostic = formatReply(reply, enhancedStatus);
  if (reply.code < 400) {
    return {
      outcome: 'delivered',
      reason: null,
      enhancedStatus: statusOf(observation, reply, null),
      diagnostic,
    };
  }
  const rule = findRule(observation, reply, provider);
  const outcome = rule.outcome ?? outcomeOf(reply.code, observation.stage);
  const assigned = statusOf(observation, reply, rule.assign ?? null);
  return { outcome, reason: rule.reason, enhancedStatus: fitting(assigned, outcome), diagnostic };
}

/** The rule that tells why; the last rules hold for anything. */
export function findRule(observation: Observation, reply: Reply, provider: string): Rule {
  const text = foldText(reply.text);
  const rule = rules.find(
    ({ codes, class: digit, status, stages, providers, text: pattern }) =>
      (codes === undefined || codes.includes(reply.code)) &&
      (digit === undefined || digit === Math.floor(reply.code / 100)) &&
      (stages === undefined || stages.includes(observation.stage)) &&
      (providers === undefined || providers.includes(provider)) &&
      (status === undefined ||
        (observation.enhancedStatus !== null && status.test(observation.enhancedStatus))) &&
      (pattern === undefined || pattern.test(text)),
  );
  assert(rule !== undefined, 'there is a rule for every refusal');
  return rule;
}

/** Parts of an address are no words: `nospam@example.org` tells nothing about spam. */
const address = /[^\s<>"'(),:;]{1,254}@[^\s<>"'(),:;]{1,254}/g;

/** One line in lower case, of bounded length, without addresses. */
function foldText(text: string): string {
  const line = text.slice(0, limits.classifiedTextChars).replaceAll('\n', ' ');
  return line.replace(address, '').toLowerCase();
}

function outcomeOf(code: number, stage: Stage): 'deferred' | 'failed' {
  return code < 500 || siteStages.includes(stage) ? 'deferred' : 'failed';
}

function statusOf(
  { enhancedStatus, stage }: Observation,
  reply: Reply,
  assign: string | null,
): EnhancedStatus {
  if (enhancedStatus !== null) return { value: enhancedStatus, origin: 'received' };
  const assigned = assignEnhancedStatus(reply.code, replyStage(stage));
  const value = assign === null ? assigned : `${assigned.charAt(0)}.${assign}`;
  return { value, origin: 'assigned' };
}

function fitting(status: EnhancedStatus, outcome: 'deferred' | 'failed'): EnhancedStatus {
  if (status.origin === 'received') return status;
  return { ...status, value: `${outcome === 'deferred' ? 4 : 5}${status.value.slice(1)}` };
}

/** No reply is read while looking up and connecting. */
function replyStage(stage: Stage): ReplyStage {
  assert(stage !== 'dns' && stage !== 'connect', 'a reply is read on a connection');
  return stage;
}

function judgeCause(observation: Observation, cause: FailureCause): Verdict {
  const { outcome, reason, status } = meaningOf(observation, cause);
  const value = observation.enhancedStatus ?? status;
  return { outcome, reason, enhancedStatus: { value, origin: 'assigned' }, diagnostic: inWords(observation) };
}

interface Meaning {
  outcome: 'deferred' | 'failed';
  reason: Reason;
  status: string;
}

function meaningOf(observation: Observation, cause: FailureCause): Meaning {
  switch (cause) {
    case 'refused':
    case 'unreachable':
      return { outcome: 'deferred', reason: 'connect', status: '4.4.1' };
    case 'own-address':
      return { outcome: 'deferred', reason: 'internal', status: '4.3.5' };
    case 'timeout':
    case 'connection-lost':
      return {
        outcome: 'deferred',
        reason: 'connect',
        status: observation.stage === 'connect' ? '4.4.1' : '4.4.2',
      };
    case 'protocol':
      return { outcome: 'deferred', reason: 'generic', status: '4.5.0' };
    case 'tls':
      return { outcome: 'deferred', reason: 'tls', status: '4.7.5' };
    case 'unsupported':
      return unsupported(observation);
    case 'null-mx':
      return { outcome: 'failed', reason: 'null-mx', status: '5.1.10' };
    case 'no-mx':
      return { outcome: 'failed', reason: 'no-mx', status: '5.1.2' };
    case 'dns':
      return { outcome: isPermanent(observation) ? 'failed' : 'deferred', reason: 'dns', status: '4.4.3' };
    default:
      return unreachable(cause);
  }
}

/**
 * A host that lacks something may get it; a mail or an address does not change. What is known after EHLO is that no TLS
 * as the mail requires it is to be had: the sender is to hear of that at once (RFC 8689 §4.2).
 */
function unsupported({ stage }: Observation): Meaning {
  if (stage === 'ehlo') return { outcome: 'failed', reason: 'tls', status: '5.7.30' };
  if (stage === 'tls') return { outcome: 'deferred', reason: 'tls', status: '4.7.4' };
  if (stage === 'auth') return { outcome: 'deferred', reason: 'internal', status: '4.7.4' };
  return { outcome: 'failed', reason: stage === 'rcpt' ? 'bounce' : 'generic', status: '5.6.3' };
}

function isPermanent({ enhancedStatus }: Observation): boolean {
  return enhancedStatus?.startsWith('5') === true;
}

/** Our own words; how far it came belongs to them. */
function inWords({ stage, text }: Observation): string {
  return stage === 'dns' || stage === 'connect' ? text : `${text} (at ${stage})`;
}
