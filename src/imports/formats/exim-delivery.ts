/**
 * Exim's delivery lines: an address, `<the one it came from>`, fields, and for `**` and `==` behind a colon what was
 * said. The delivery is to the final address; where that is no mail address (a local user, a file, a pipe) to the one
 * it came from.
 */
import type { RemoteMta, Stage } from '../../events/delivery-status.ts';
import type { LogRecord, Told } from '../record.ts';
import type { Entry } from './entry.ts';
import { addressInBrackets, addressOf, lineOf } from './words.ts';

interface Line {
  address: string;
  /** Behind the addresses: fields, then words. */
  rest: string;
}

/** Null if no address stands there. */
export function deliveryOf({ at, id }: Entry, flag: string, text: string): LogRecord[] | null {
  const line = lineIn(text);
  if (line === null) return null;
  const { address, rest } = line;
  const words = flag === '**' || flag === '==' ? wordsIn(rest) : (confirmationIn(rest) ?? '');
  const type = typeOf(flag, words);
  const status = type === 'expired' ? '4.4.7' : '';
  const remoteMta = remoteMtaIn(rest);
  const told: Told = {
    text: lineOf(words),
    status,
    stage: stageIn(words),
    remoteMta,
    durationMs: durationIn(/\sDT=(\S{1,20})/.exec(rest)?.[1]),
  };
  const inQueue = /\sQT=(\S{1,20})/.exec(rest)?.[1];
  const acceptedAt = inQueue === undefined ? {} : { acceptedAt: at - durationIn(inQueue) };
  return [{ kind: 'delivery', at, id, type, to: { address }, told, ...acceptedAt }];
}

function typeOf(flag: string, words: string): 'delivered' | 'deferred' | 'failed' | 'expired' {
  if (flag === '==') return 'deferred';
  if (flag !== '**') return 'delivered';
  return /retry timeout exceeded|long failure period|retry time not reached .{0,80}long/i.test(words)
    ? 'expired'
    : 'failed';
}

/** A pipe's command has spaces; all but the first address come in brackets. */
function lineIn(text: string): Line | null {
  const field = /\s(?:F|P|R|T|S|H|X|C|A|QT|DT|ST|SRS|I)=/.exec(` ${text}`)?.index ?? text.length;
  const colon = text.indexOf(': ', text.startsWith(':') ? text.indexOf(' ') : 0); // `:blackhole: <a@b>`
  const end = Math.min(field, colon === -1 ? text.length : colon, text.length);
  const head = text.slice(0, end);
  const original = /<([^<>\s]{1,512})>\s*$/.exec(head)?.[1];
  const [final = ''] = head.replace(/^<(.*)>$/, '$1').split(' ', 1);
  const address = addressOf(isAddress(final) || original === undefined ? final.replace(/:$/, '') : original);
  return address === '' ? null : { address, rest: ` ${text.slice(end)}` };
}

function isAddress(text: string): boolean {
  return text.lastIndexOf('@') > 0 && !/^[|/:]/.test(text);
}

/** Behind the fields: `…: SMTP error from remote mail server after RCPT TO:<a>: 550 no`, `… defer (-44): why`. */
function wordsIn(rest: string): string {
  const deferred = /\sdefer \((-?\d{1,4})\)(?: H=\S+(?: \[[^\]]{1,50}\])?(?::\d{1,5})?)?:? ?/.exec(rest);
  if (deferred !== null) return rest.slice(deferred.index + deferred[0].length);
  const error = /(?:SMTP|LMTP) error from|retry timeout exceeded|retry time not reached/.exec(rest);
  if (error !== null) return rest.slice(error.index);
  const colon = /(?<!\]):\s(?!\s)/.exec(rest);
  return colon === null ? rest.trim() : rest.slice(colon.index + 2);
}

/** `C="250 OK"`: what the server said at the end. */
function confirmationIn(rest: string): string | undefined {
  return /\sC="((?:[^"\\]|\\.){0,4000})"/
    .exec(rest)?.[1]
    ?.replace(/\\(?:n|r|t)/g, ' ')
    .replace(/\\(.)/g, '$1');
}

/** `H=name [address]:25`. */
function remoteMtaIn(rest: string): RemoteMta | null {
  const match = /\sH=(\S{1,253})(?: \((?:[^)]{0,253})\))?(?: (\[[^\]]{1,60}\])(?::(\d{1,5}))?)?/.exec(rest);
  if (match === null) return null;
  const [, name = '', place = '', port = '25'] = match;
  return {
    name: name.replace(/^\[(.*)\]$/, '$1'),
    address: addressInBrackets(place || name),
    port: Number(port),
  };
}

const stages: readonly (readonly [RegExp, Stage])[] = [
  [/after (?:pipelined )?MAIL FROM/i, 'mail'],
  [/after (?:pipelined )?RCPT TO/i, 'rcpt'],
  [/after end of data|after pipelined end of data|after sending data/i, 'end-of-data'],
  [/after (?:pipelined )?DATA|after BDAT/i, 'data'],
  [/after (?:EHLO|HELO)/i, 'ehlo'],
  [/after (?:STARTTLS)|TLS (?:session|error)/i, 'tls'],
  [/initial connection|greeting/i, 'greeting'],
  [/Connection (?:refused|timed out)|Network is unreachable|No route to host/i, 'connect'],
  [/host lookup did not complete|lookup of host|Unrouteable|all relevant MX/i, 'dns'],
];

function stageIn(words: string): Stage {
  return stages.find(([pattern]) => pattern.test(words))?.[1] ?? 'rcpt';
}

const unitsMs: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
};

/** `1w2d3h4m5s`, `0.123s`. */
function durationIn(text: string | undefined): number {
  let sum = 0;
  for (const [, number, unit = 's'] of (text ?? '').matchAll(/(\d{1,9}(?:\.\d{1,6})?)([wdhms])/g))
    sum += Number(number) * (unitsMs[unit] ?? 0);
  return Math.round(sum);
}
