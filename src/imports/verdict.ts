/**
 * What a logged attempt means, by the one classification of the relay (`relay/report-verdict.ts`), which judges the
 * replies that other systems report. Pure.
 */
import type { DeliveryStatus, EnhancedStatus, Reply, Stage } from '../events/delivery-status.ts';
import type { Reason } from '../events/reason.ts';
import { assignEnhancedStatus, isEnhancedStatus } from '../protocol/smtp/enhanced-status.ts';
import { replyIn } from '../relay/report-text.ts';
import { judge } from '../relay/report-verdict.ts';
import type { Told } from './record.ts';

type Outcome = DeliveryStatus['outcome'];

export function statusOf(
  told: Told,
  outcome: Outcome,
  { at, domain }: { at: number; domain: string },
): DeliveryStatus {
  const stage = told.stage ?? (outcome === 'delivered' ? 'end-of-data' : stageIn(told.text));
  const { reply, status } = outcome === 'delivered' ? positiveIn(told.text) : negativeIn(told.text);
  return {
    outcome,
    stage,
    reply,
    enhancedStatus: enhancedStatus(told, { reply, status, stage, outcome }),
    reason: outcome === 'delivered' ? null : (told.reason ?? reasonOf(told, outcome, { stage, domain })),
    diagnostic:
      reply === null
        ? told.text
        : [String(reply.code), status, reply.text].filter((part) => part !== '').join(' '),
    remoteMta: told.remoteMta,
    sendingIp: '',
    tls: null,
    startedAt: at - told.durationMs,
    durationMs: told.durationMs,
  };
}

interface Said {
  reply: Reply | null;
  /** '' if the reply has none. */
  status: string;
}

function positiveIn(text: string): Said {
  const match = /^(2\d\d)(?:[ -]|$)(2\.\d{1,3}\.\d{1,3}(?: |$))?/.exec(text);
  if (match === null) return { reply: null, status: '' };
  const [head, code, status = ''] = match;
  return { reply: { code: Number(code), text: text.slice(head.length) }, status: status.trim() };
}

function negativeIn(text: string): Said {
  const { code, status, text: words } = replyIn(text);
  if (code === 0) return { reply: null, status: '' };
  // What a log says behind the reply is not the server's: `(in reply to RCPT TO command)`.
  return { reply: { code, text: words.replace(/ \(in reply to [^)]{1,60}\)?$/, '') }, status };
}

interface Heard extends Said {
  stage: Stage;
  outcome: Outcome;
}

const standard = { delivered: '2.0.0', deferred: '4.0.0', failed: '5.0.0' } as const;

function enhancedStatus(told: Told, { reply, status, stage, outcome }: Heard): EnhancedStatus {
  if (status !== '') return { value: status, origin: 'received' };
  if (isEnhancedStatus(told.status)) return { value: told.status, origin: 'assigned' };
  const spoken = reply !== null && stage !== 'dns' && stage !== 'connect';
  return { value: spoken ? assignEnhancedStatus(reply.code, stage) : standard[outcome], origin: 'assigned' };
}

function reasonOf(told: Told, outcome: Outcome, { stage, domain }: { stage: Stage; domain: string }): Reason {
  const action = outcome === 'failed' ? 'failed' : 'delayed';
  const { text, status } = told;
  const { reason } = judge({ text, reply: replyIn(text), stage, status, action, domain });
  if (stage === 'connect' && (reason === null || reason === 'generic' || reason === 'old')) return 'connect';
  return reason ?? 'generic';
}

/** In the words that mail systems log. */
const stages: readonly (readonly [RegExp, Stage])[] = [
  [/in reply to (?:HELO|EHLO|LHLO)/i, 'ehlo'],
  [/in reply to MAIL FROM|sending MAIL FROM/i, 'mail'],
  [/in reply to RCPT TO|sending RCPT TO/i, 'rcpt'],
  [/in reply to DATA|sending DATA command/i, 'data'],
  [/in reply to end of DATA|end of data|sending (?:end of data|message body)/i, 'end-of-data'],
  [/in reply to STARTTLS|TLS (?:is required|handshake|not available)|cannot start tls|certificate/i, 'tls'],
  [/in reply to AUTH|SASL authentication/i, 'auth'],
  [/refused to talk to me|initial server greeting|performing the (?:E|H)HLO/i, 'greeting'],
  [
    /^connect to |^Network (?:error|is)|connection (?:refused|timed out)|no route to host|unreachable|Tried all MXs/i,
    'connect',
  ],
  [
    /name service error|host (?:or domain name )?not found|no mx|mx lookup|dns |nullmx|unable to look up|no address/i,
    'dns',
  ],
];

function stageIn(text: string): Stage {
  return stages.find(([pattern]) => pattern.test(text))?.[1] ?? 'rcpt';
}
