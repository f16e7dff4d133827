/**
 * Command lines and their arguments, as values (RFC 5321 §4.1.1). Pure. To take up an extension, add its row
 * to `mailParameters` or `rcptParameters`; what has no row is answered with 555.
 */
import { type Path, type PathParameter, parsePath } from '../protocol/address/path.ts';
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
/** RFC 3461 §4: printable characters, with `+` and two hexadecimal digits for the others. */
const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;

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

export function parseMail(argument: string): MailCommand | Answer {
  const path = parseAfter('FROM:', argument);
  if (path === null) return replies.mailSyntax;
  if ('text' in path) return path;
  if (path.domain === '' && path.address !== '') return badPath('reverse-path', 'the address has no domain');
  const parameters: MailParameters = { declaredBytes: null, body: '7BIT' };
  const problem = applyParameters(path.parameters, mailParameters, parameters);
  return problem ?? { reversePath: path.address, parameters };
}

export interface RcptCommand {
  forwardPath: string;
  /** Equal for spellings of the same mailbox. */
  key: string;
}

/** `<Postmaster>` stands for the postmaster of this host (RFC 5321 §4.1.1.3). */
export function parseRcpt(argument: string, hostname: string): RcptCommand | Answer {
  const path = parseAfter('TO:', argument);
  if (path === null) return replies.rcptSyntax;
  if ('text' in path) return path;
  if (path.address === '') return badPath('forward-path', 'the path is empty');
  const problem = applyParameters(path.parameters, rcptParameters, undefined);
  if (problem !== null) return problem;
  if (path.domain === '')
    return { forwardPath: `${path.address}@${hostname}`, key: `postmaster@${hostname}` };
  return { forwardPath: path.address, key: `${path.localPart}@${path.domain}` };
}

/** Null: the keyword is not there. */
function parseAfter(keyword: 'FROM:' | 'TO:', argument: string): Path | Answer | null {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return null;
  const which = keyword === 'FROM:' ? 'reverse-path' : 'forward-path';
  const path = parsePath(argument.slice(keyword.length));
  if (!path.ok) return path.at === 'path' ? badPath(which, path.problem) : badParameter(path.problem);
  return path.international ? needsSmtputf8(which) : path;
}

/** RFC 3463: X.1.7 is the sender's address, X.1.3 the recipient's. Addresses are data, not protocol errors. */
function badPath(which: 'reverse-path' | 'forward-path', problem: string): Answer {
  const status = which === 'reverse-path' ? '5.1.7' : '5.1.3';
  return { ...complaint(501, status, `Bad ${which}: ${problem}`), isError: which === 'reverse-path' };
}

/** RFC 6531 §3.5. */
function needsSmtputf8(which: 'reverse-path' | 'forward-path'): Answer {
  return { ...complaint(553, '5.6.7', `Non-ASCII ${which} is not supported`), isError: false };
}

function badParameter(problem: string): Answer {
  return complaint(501, '5.5.4', `Bad parameter: ${problem}`);
}

/** Notes the value; false if it is malformed. */
type ParameterReader<T> = (value: string | null, into: T) => boolean;

const mailParameters: Readonly<Record<string, ParameterReader<MailParameters>>> = {
  /** RFC 1870. */
  SIZE: (value, into) => {
    if (value === null || !/^\d{1,20}$/.test(value)) return false;
    into.declaredBytes = Number(value);
    return true;
  },
  /** RFC 6152. */
  BODY: (value, into) => {
    const body = value?.toUpperCase();
    if (body !== '7BIT' && body !== '8BITMIME') return false;
    into.body = body;
    return true;
  },
  /** RFC 4954 §5: who submitted it first. Read and not used: we trust the session's own principal only. */
  AUTH: (value) => value !== null && xtext.test(value),
};

const rcptParameters: Readonly<Record<string, ParameterReader<undefined>>> = {};

function applyParameters<T>(
  given: readonly PathParameter[],
  known: Readonly<Record<string, ParameterReader<T>>>,
  into: T,
): Answer | null {
  for (const { keyword, value } of given) {
    const read = Object.hasOwn(known, keyword) ? known[keyword] : undefined;
    if (read === undefined) return complaint(555, '5.5.4', `Parameter ${keyword} is not supported`);
    if (!read(value, into)) return badParameter(`the value of ${keyword} is malformed`);
  }
  return null;
}
