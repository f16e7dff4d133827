/**
 * Command lines and their arguments, as values (RFC 5321 §4.1.1). Pure. To take up an extension, add its row
 * to `mailParameters` or `rcptParameters`; what has no row is answered with 555.
 */
import type { EpochMs } from '../base/clock.ts';
import { isoTime } from '../base/time-text.ts';
import { type Path, type PathParameter, parsePath } from '../protocol/address/path.ts';
import {
  type ForwardPathOptions,
  isEnvelopeId,
  isOriginalRecipient,
  isXtext,
  noForwardPathOptions,
  noMailOptions,
  parseNotify,
  parsePriority,
} from '../protocol/smtp/envelope-options.ts';
import type { MailParameters } from './handler.ts';
import { type Answer, complaint, replies } from './replies.ts';

export interface Command {
  /** Upper case. */
  verb: string;
  /** Without the spaces around it; '' if there is none. */
  argument: string;
}

const verbPattern = /^[A-Za-z][A-Za-z0-9-]*$/;
/** What may stand in HELO and EHLO; many clients give names that DNS would not allow. */
const greetingNamePattern = /^(?:[\w.-]{1,255}|\[[0-9A-Za-z:.]{1,64}\])$/;

/** Null: the line begins with no verb. */
export function parseCommand(line: string): Command | null {
  const space = line.indexOf(' ');
  const verb = space === -1 ? line : line.slice(0, space);
  if (!verbPattern.test(verb)) return null;
  return { verb: verb.toUpperCase(), argument: space === -1 ? '' : line.slice(space).trim() };
}

export function isGreetingName(argument: string): boolean {
  return greetingNamePattern.test(argument);
}

export interface MailCommand {
  /** '' for `<>`. */
  reversePath: string;
  parameters: MailParameters;
}

/** What of the session decides which parameters may be given. */
export interface Offered {
  now: EpochMs;
  /** The longest a mail may be held; 0: FUTURERELEASE is not offered. */
  maxHoldMs: number;
  secure: boolean;
}

export function parseMail(argument: string, offered: Offered): MailCommand | Answer {
  const path = parseAfter('FROM:', argument);
  if (path === null) return replies.mailSyntax;
  if ('text' in path) return path;
  if (path.domain === '' && path.address !== '') return badPath('reverse-path', 'the address has no domain');
  const draft: MailDraft = {
    offered,
    parameters: { declaredBytes: null, body: '7BIT', holdUntil: null, options: { ...noMailOptions } },
    holds: 0,
  };
  const problem = applyParameters(path.parameters, mailParameters, draft);
  if (problem !== null) return problem;
  const { parameters } = draft;
  if (path.international && !parameters.options.smtpUtf8) return needsSmtputf8('reverse-path');
  return { reversePath: path.address, parameters };
}

export interface RcptCommand {
  forwardPath: string;
  /** Equal for spellings of the same mailbox. */
  key: string;
  /** Null: given without any. */
  options: ForwardPathOptions | null;
}

/** `<Postmaster>` stands for the postmaster of this host (RFC 5321 §4.1.1.3). */
export function parseRcpt(argument: string, hostname: string, smtpUtf8: boolean): RcptCommand | Answer {
  const path = parseAfter('TO:', argument);
  if (path === null) return replies.rcptSyntax;
  if ('text' in path) return path;
  if (path.address === '') return badPath('forward-path', 'the path is empty');
  if (path.international && !smtpUtf8) return needsSmtputf8('forward-path');
  const draft: RcptDraft = { options: { ...noForwardPathOptions }, smtpUtf8 };
  const problem = applyParameters(path.parameters, rcptParameters, draft);
  if (problem !== null) return problem;
  const options = path.parameters.length > 0 ? draft.options : null;
  if (path.domain === '')
    return { forwardPath: `${path.address}@${hostname}`, key: `postmaster@${hostname}`, options };
  return { forwardPath: path.address, key: `${path.localPart}@${path.domain}`, options };
}

export interface BdatCommand {
  octets: number;
  last: boolean;
}

/** RFC 3030 §2; null: malformed. */
export function parseBdat(argument: string): BdatCommand | null {
  const [, octets, last] = /^(\d{1,15})(?: +(LAST))?$/i.exec(argument) ?? [];
  return octets === undefined ? null : { octets: Number(octets), last: last !== undefined };
}

/** Null: the keyword is not there. */
function parseAfter(keyword: 'FROM:' | 'TO:', argument: string): Path | Answer | null {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return null;
  const which = keyword === 'FROM:' ? 'reverse-path' : 'forward-path';
  const path = parsePath(argument.slice(keyword.length));
  if (!path.ok) return path.at === 'path' ? badPath(which, path.problem) : badParameter(path.problem);
  return path;
}

/** RFC 3463: X.1.7 is the sender's address, X.1.3 the recipient's. Addresses are data, not protocol errors. */
function badPath(which: 'reverse-path' | 'forward-path', problem: string): Answer {
  const status = which === 'reverse-path' ? '5.1.7' : '5.1.3';
  return { ...complaint(501, status, `Bad ${which}: ${problem}`), isError: which === 'reverse-path' };
}

/** RFC 6531 §3.5. */
function needsSmtputf8(which: 'reverse-path' | 'forward-path'): Answer {
  return { ...complaint(553, '5.6.7', `Non-ASCII ${which} without SMTPUTF8`), isError: false };
}

function badParameter(problem: string): Answer {
  return complaint(501, '5.5.4', `Bad parameter: ${problem}`);
}

/** Notes the value. False: it is malformed; an answer: it is refused for another reason. */
type ParameterReader<T> = (value: string | null, into: T) => boolean | Answer;

interface MailDraft {
  offered: Offered;
  parameters: MailParameters;
  /** HOLDFOR and HOLDUNTIL given. */
  holds: number;
}

const mailParameters: Readonly<Record<string, ParameterReader<MailDraft>>> = {
  /** RFC 1870. */
  SIZE: (value, { parameters }) => {
    if (value === null || !/^\d{1,20}$/.test(value)) return false;
    parameters.declaredBytes = Number(value);
    return true;
  },
  /** RFC 6152. BINARYMIME of RFC 3030 is not offered: what is binary cannot go on to a server without it. */
  BODY: (value, { parameters }) => {
    const body = value?.toUpperCase();
    if (body === 'BINARYMIME') return replies.noBinaryMime;
    if (body !== '7BIT' && body !== '8BITMIME') return false;
    parameters.body = body;
    return true;
  },
  /** RFC 4954 §5: who submitted it first. Read and not used: we trust the session's own principal only. */
  AUTH: (value) => value !== null && isXtext(value),
  /** RFC 6531 §3.4. */
  SMTPUTF8: (value, { parameters }) => {
    parameters.options.smtpUtf8 = true;
    return value === null;
  },
  /** RFC 3461 §4.3. */
  RET: (value, { parameters }) => {
    const ret = value?.toUpperCase();
    if (ret !== 'FULL' && ret !== 'HDRS') return false;
    parameters.options.ret = ret;
    return true;
  },
  /** RFC 3461 §4.4. */
  ENVID: (value, { parameters }) => {
    parameters.options.envid = value ?? '';
    return value !== null && isEnvelopeId(value);
  },
  /** RFC 8689 §2. */
  REQUIRETLS: (value, { parameters, offered }) => {
    if (value !== null) return false;
    parameters.options.requireTls = true;
    return offered.secure || replies.requireTlsWithoutTls;
  },
  /** RFC 6710 */
  'MT-PRIORITY': (value, { parameters }) => {
    parameters.options.priority = parsePriority(value ?? '');
    return parameters.options.priority !== null;
  },
  /** RFC 4865: seconds from now. */
  HOLDFOR: (value, draft) => {
    const seconds = value !== null && /^\d{1,9}$/.test(value) ? Number(value) : null;
    return seconds === null ? false : noteHold(draft, draft.offered.now + seconds * 1000);
  },
  /** RFC 4865: a date-time of RFC 3339. */
  HOLDUNTIL: (value, draft) => {
    const at = parseDateTime(value ?? '');
    return at === null ? false : noteHold(draft, at);
  },
};

/** A time that has passed already releases the mail at once. */
function noteHold(draft: MailDraft, until: EpochMs): boolean | Answer {
  const { now, maxHoldMs } = draft.offered;
  if (maxHoldMs === 0) return replies.holdNotOffered;
  draft.holds += 1;
  if (draft.holds > 1) return replies.heldTwice;
  if (until > now + maxHoldMs) return holdTooLong(now, maxHoldMs);
  draft.parameters.holdUntil = until > now ? until : null;
  return true;
}

function holdTooLong(now: EpochMs, maxHoldMs: number): Answer {
  const { seconds, dateTime } = futureRelease(now, maxHoldMs);
  return complaint(501, '5.5.4', `A mail is held for at most ${seconds} seconds, until ${dateTime}`);
}

/** The two parameters of FUTURERELEASE in the answer to EHLO. */
export function futureRelease(now: EpochMs, maxHoldMs: number): { seconds: number; dateTime: string } {
  const dateTime = isoTime(now + maxHoldMs).replace(/\.\d+Z$/, 'Z');
  return { seconds: Math.floor(maxHoldMs / 1000), dateTime };
}

const dateTimePattern = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 §5.6; null: malformed, or no such day or time. */
function parseDateTime(text: string): EpochMs | null {
  if (!dateTimePattern.test(text)) return null;
  try {
    return Temporal.Instant.from(text.toUpperCase()).epochMilliseconds;
  } catch {
    return null;
  }
}

interface RcptDraft {
  options: ForwardPathOptions;
  smtpUtf8: boolean;
}

const rcptParameters: Readonly<Record<string, ParameterReader<RcptDraft>>> = {
  /** RFC 3461 §4.1. */
  NOTIFY: (value, { options }) => {
    const words = parseNotify(value ?? '');
    options.notify = words ?? [];
    return words !== null;
  },
  /** RFC 3461 §4.2; RFC 6533 §3 for the type utf-8. */
  ORCPT: (value, { options, smtpUtf8 }) => {
    options.orcpt = value ?? '';
    return value !== null && isOriginalRecipient(value) && (smtpUtf8 || /^[\x00-\x7f]*$/.test(value));
  },
};

function applyParameters<T>(
  given: readonly PathParameter[],
  known: Readonly<Record<string, ParameterReader<T>>>,
  into: T,
): Answer | null {
  for (const { keyword, value } of given) {
    const read = Object.hasOwn(known, keyword) ? known[keyword] : undefined;
    if (read === undefined) return complaint(555, '5.5.4', `Parameter ${keyword} is not supported`);
    const verdict = read(value, into);
    if (verdict === false) return badParameter(`the value of ${keyword} is malformed`);
    if (verdict !== true) return verdict;
  }
  return null;
}
