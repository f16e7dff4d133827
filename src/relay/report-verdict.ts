/**
 * What a report says about one recipient, judged: the remote server's reply by the classification of the relay
 * (`classify.ts`), the reporting host's own words by `report-words.ts`. Pure.
 */
import type { Stage } from '../events/delivery-status.ts';
import type { Reason } from '../events/reason.ts';
import type { Action } from '../protocol/dsn/dsn.ts';
import type { Observation } from '../smtp-client/smtp-client.ts';
import { findRule } from './classify.ts';
import type { Rule } from './classify-rules.ts';
import { providerOf } from './provider.ts';
import { oneLine, type ToldReply } from './report-text.ts';
import { hardStatus, hardWords, ownWords, softWords, type WordRule } from './report-words.ts';

export interface Told {
  text: string;
  reply: ToldReply;
  stage: Stage;
  /** Of the Status field; '' if there is none. */
  status: string;
  action: Action;
  domain: string;
}

export interface Findings {
  action: Action;
  status: string | null;
  class: 4 | 5 | null;
  hard: boolean;
  reason: Reason | null;
  suppress: boolean;
}

export function judge(told: Told): Findings {
  const { action, reply } = told;
  if (action === 'delivered' || action === 'relayed' || action === 'expanded') {
    const status = told.status || reply.status || null;
    return { action, status, class: null, hard: false, reason: null, suppress: false };
  }
  const status = statusFrom(told);
  const failureClass = classFrom(told, status);
  const { reason, hard } = whyOf(told, status, failureClass);
  const isHard = hard && failureClass === 5 && action === 'failed';
  return { action, status, class: failureClass, hard: isHard, reason, suppress: isHard };
}

/** The remote server's own word is better than that of the host that repeats it; `x.0.0` says nothing. */
function statusFrom({ status, reply }: Told): string | null {
  const informative = (one: string) => one !== '' && !one.endsWith('.0.0');
  if (informative(reply.status)) return reply.status;
  return status || reply.status || null;
}

function classFrom({ reply, action }: Told, status: string | null): 4 | 5 {
  if (status !== null && !status.startsWith('2')) return status.startsWith('4') ? 4 : 5;
  if (reply.code !== 0) return reply.code < 500 ? 4 : 5;
  return action === 'delayed' ? 4 : 5;
}

interface Why {
  reason: Reason;
  hard: boolean;
}

/**
 * A reply is judged by the rules for replies, unless these only know its class; then the words of the reporting
 * host count, as they do without any reply.
 */
function whyOf(told: Told, status: string | null, failureClass: 4 | 5): Why {
  const { reply } = told;
  const text = foldWords(reply.code === 0 ? told.text : reply.text);
  const own = wordRule(reply.code === 0 ? told.text : reply.text, status);
  const rule = ruleFor(told, status, failureClass);
  if (own !== undefined && (reply.code === 0 || saysLittle(rule) || outranks(own.reason, rule.reason))) {
    return { reason: own.reason, hard: own.hard === true && !afterContent(told.stage, own.reason) };
  }
  const gone = rule.reason === 'bounce' && !isContradicted(status) && isGone(text, status);
  return { reason: rule.reason, hard: gone && !afterContent(told.stage, rule.reason) };
}

/** A refused recipient whose domain is not there, a delay that lasted too long: the host knows better than the code. */
function outranks(own: Reason, byReply: Reason): boolean {
  return (own === 'no-mx' && byReply === 'bounce') || (own === 'old' && byReply === 'generic');
}

/**
 * "User unknown" behind the content, of a server that took the same forward-path at RCPT: that is a filter speaking
 * (mobile providers answer so), and says nothing about the address.
 */
function afterContent(stage: Stage, reason: Reason): boolean {
  return reason === 'bounce' && (stage === 'data' || stage === 'end-of-data');
}

function isGone(text: string, status: string | null): boolean {
  if (softWords.test(text)) return false;
  return hardWords.test(text) || (status !== null && hardStatus.test(status));
}

/** "User unknown" under a status of policy: one of both is wrong, so nothing is certain. RFC 3463 §3.8, RFC 5248. */
function isContradicted(status: string | null): boolean {
  return status !== null && /^5\.7\.(?!1[37]$)/.test(status);
}

function ruleFor({ reply, stage, domain }: Told, status: string | null, failureClass: 4 | 5): Rule {
  const code = reply.code === 0 ? failureClass * 100 + 50 : reply.code;
  const said = { code, text: reply.text };
  const observation: Observation = { stage, reply: said, enhancedStatus: status, cause: null, text: '' };
  return findRule(observation, said, providerOf(domain));
}

/** A rule that holds for whole classes of replies. */
function saysLittle({ text, status, codes, providers }: Rule): boolean {
  return [text, status, codes, providers].every((condition) => condition === undefined);
}

export function wordRule(text: string, status: string | null): WordRule | undefined {
  const folded = foldWords(text);
  return ownWords.find(
    (rule) => rule.text?.test(folded) === true || (status !== null && rule.status?.test(status) === true),
  );
}

const address = /[^\s<>"'(),:;]{1,254}@[^\s<>"'(),:;]{1,254}/g;

function foldWords(text: string): string {
  return oneLine(text).replace(address, '').toLowerCase();
}
