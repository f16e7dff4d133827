/**
 * What each command does (RFC 5321 §4.1.1; BDAT of RFC 3030; STARTTLS of RFC 3207; AUTH of RFC 4954): one function for
 * each verb, each a list of steps of which any may refuse. They change the session's state and return the answer.
 */
import { limits } from '../base/limits.ts';
import {
  beginExchange,
  continueExchange,
  type Exchange,
  type ExchangeStep,
  mechanisms,
} from './authentication.ts';
import { futureRelease, isGreetingName, parseBdat, parseCommand, parseMail, parseRcpt } from './commands.ts';
import type { MailParameters, Principal, Refusal } from './handler.ts';
import { type Answer, receiveChunk, refusal, replies, reply } from './replies.ts';
import {
  authOffered,
  logFields,
  protocolOf,
  type SessionState,
  startTlsOffered,
  type Transaction,
} from './session-state.ts';

type Verb = (state: SessionState, argument: string) => Answer;

const verbs: Readonly<Record<string, Verb>> = {
  HELO: helo,
  EHLO: ehlo,
  STARTTLS: startTls,
  AUTH: auth,
  MAIL: mail,
  RCPT: rcpt,
  DATA: data,
  BDAT: bdat,
  RSET: rset,
  NOOP: () => replies.noop,
  HELP: () => replies.help,
  VRFY: (_, argument) => (argument === '' ? replies.argumentMissing : replies.verify),
  QUIT: (_, argument) => (argument === '' ? replies.bye : replies.noArgument),
};

/** Known to SMTP or its extensions, but not done here. */
const notImplemented = [
  'EXPN',
  'ETRN',
  'ATRN',
  'TURN',
  'SEND',
  'SOML',
  'SAML',
  'BURL',
  'XCLIENT',
  'XFORWARD',
];
/** A browser can be made to send mail for a stranger if we go on after its request line. */
const otherProtocols = [
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PRI',
];

/** Only lines of AUTH may be longer than `maxLineBytes`. */
export function answerCommand(state: SessionState, line: string, isLong: boolean): Answer {
  const command = parseCommand(line);
  if (command === null) return replies.unknownCommand;
  const { verb, argument } = command;
  if (isLong && verb !== 'AUTH') return replies.lineTooLong;
  if (Object.hasOwn(verbs, verb)) return verbs[verb]?.(state, argument) ?? replies.unknownCommand;
  if (notImplemented.includes(verb)) return replies.notImplemented;
  return otherProtocols.includes(verb) ? replies.otherProtocol : replies.unknownCommand;
}

export function answerExchange(state: SessionState, exchange: Exchange, line: string): Answer {
  state.exchange = null;
  return takeStep(state, continueExchange(exchange, line));
}

function helo(state: SessionState, argument: string): Answer {
  if (!isGreetingName(argument)) return replies.badName;
  greet(state, 'helo', argument);
  return reply(250, '', state.rules.hostname);
}

function ehlo(state: SessionState, argument: string): Answer {
  if (!isGreetingName(argument)) return replies.badName;
  greet(state, 'ehlo', argument);
  return reply(250, '', [state.rules.hostname, ...extensions(state)].join('\n'));
}

/** RFC 5321 §4.1.4: a greeting ends the mail transaction. */
function greet(state: SessionState, greeting: 'helo' | 'ehlo', greetingName: string): void {
  state.greeting = greeting;
  state.client = { ...state.client, greetingName };
  state.transaction = null;
}

function extensions(state: SessionState): string[] {
  const { bounds, clock } = state.rules;
  const { seconds, dateTime } = futureRelease(clock.now(), bounds.maxHoldMs);
  return [
    'PIPELINING',
    `SIZE ${bounds.maxContentBytes}`,
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'ENHANCEDSTATUSCODES',
    'DSN',
    'MT-PRIORITY',
    ...(bounds.maxHoldMs > 0 ? [`FUTURERELEASE ${seconds} ${dateTime}`] : []),
    `LIMITS RCPTMAX=${bounds.maxForwardPaths}`,
    // RFC 8689 §2: where TLS is, and nowhere else.
    ...(state.client.secure ? ['REQUIRETLS'] : []),
    ...(startTlsOffered(state) ? ['STARTTLS'] : []),
    ...(authOffered(state) ? [`AUTH ${mechanisms.join(' ')}`] : []),
    'HELP',
  ];
}

function startTls(state: SessionState, argument: string): Answer {
  if (argument !== '') return replies.noArgument;
  if (state.client.secure) return replies.secureAlready;
  if (!startTlsOffered(state)) return replies.notImplemented;
  return state.greeting === 'ehlo' ? replies.startTls : replies.ehloFirst;
}

function auth(state: SessionState, argument: string): Answer {
  if (argument === '') return replies.argumentMissing;
  if (state.greeting !== 'ehlo') return replies.ehloFirst;
  if (state.authenticated) return replies.loggedInAlready;
  if (state.transaction !== null) return replies.loginInTransaction;
  if (!authOffered(state)) return replies.tlsForAuthentication;
  const { loginThrottle, clock } = state.rules;
  if (loginThrottle.isBlocked(state.client.remoteAddress, clock.now())) return replies.tooManyLoginsOfAddress;
  return takeStep(state, beginExchange(argument));
}

function takeStep(state: SessionState, step: ExchangeStep): Answer {
  switch (step.step) {
    case 'challenge':
      state.exchange = step.exchange;
      return { ...reply(334, '', step.text), next: 'login' };
    case 'credentials':
      return logIn(state, step.username, step.password);
    case 'refused':
      return step.failed ? loginFailed(state, step.answer) : step.answer;
  }
}

function logIn(state: SessionState, username: string, password: string): Answer {
  const result = state.rules.handler.authenticate(username, password, state.client);
  if ('principal' in result) {
    const { loginThrottle, clock } = state.rules;
    loginThrottle.succeeded(state.client.remoteAddress, clock.now());
    state.principal = result.principal;
    state.authenticated = true;
    return replies.loggedIn;
  }
  const answer = refused(state, 'AUTH', result);
  return result.refused.code >= 500 ? loginFailed(state, answer) : answer;
}

function loginFailed(state: SessionState, answer: Answer): Answer {
  const { loginThrottle, clock } = state.rules;
  loginThrottle.failed(state.client.remoteAddress, clock.now());
  state.loginFailures += 1;
  return state.loginFailures >= state.rules.bounds.maxLoginFailures ? replies.tooManyLogins : answer;
}

function mail(state: SessionState, argument: string): Answer {
  const { handler, bounds, clock } = state.rules;
  if (state.greeting === 'none') return replies.greetFirst;
  if (state.transaction !== null) return replies.nestedMail;
  const principal = identify(state);
  // Whoever is unknown may still bring a report: the forward-path tells.
  if (principal === null && !handler.reports) return nameYourself(state);
  if (principal !== null && 'text' in principal) return principal;
  const offered = { now: clock.now(), maxHoldMs: bounds.maxHoldMs, secure: state.client.secure };
  const command = parseMail(argument, offered);
  if ('text' in command) return command;
  const { reversePath, parameters } = command;
  if ((parameters.declaredBytes ?? 0) > bounds.maxContentBytes) return tooBig(bounds.maxContentBytes);
  const unwelcome = principal && handler.checkReversePath(principal, reversePath, parameters);
  if (unwelcome !== null) return refused(state, 'MAIL', unwelcome);
  state.transaction = newTransaction(reversePath, parameters);
  return replies.senderOk;
}

function newTransaction(reversePath: string, parameters: MailParameters): Transaction {
  return {
    reversePath,
    parameters,
    forwardPaths: new Map(),
    forwardPathOptions: new Map(),
    refusedPaths: 0,
    purpose: null,
    chunks: null,
  };
}

/** Who sends: by AUTH, or by the network the client is in; null: unknown. */
function identify(state: SessionState): Principal | Answer | null {
  if (state.principal !== null) return state.principal;
  const result = state.rules.handler.trusted(state.client.remoteAddress);
  if (result === null) return null;
  if (!('principal' in result)) return refused(state, 'MAIL', result);
  state.principal = result.principal;
  return result.principal;
}

function nameYourself(state: SessionState): Answer {
  return authOffered(state) ? replies.authenticationRequired : replies.tlsRequired;
}

export function tooBig(maxContentBytes: number): Answer {
  return reply(552, '5.3.4', `Content is larger than ${maxContentBytes} bytes`);
}

function rcpt(state: SessionState, argument: string): Answer {
  const { transaction } = state;
  if (transaction === null) return replies.mailFirst;
  if (transaction.chunks !== null) return replies.rcptAfterBdat;
  const { forwardPaths, refusedPaths, parameters } = transaction;
  const { bounds, hostname } = state.rules;
  if (Math.max(forwardPaths.size, refusedPaths) >= bounds.maxForwardPaths) return replies.tooManyRecipients;
  const command = parseRcpt(argument, hostname, parameters.options.smtpUtf8);
  if ('text' in command) return refusedPath(transaction, command);
  const { forwardPath, key, options } = command;
  if (forwardPaths.has(key)) return replies.recipientOk;
  const unwelcome =
    purposeRefusal(state, transaction, forwardPath) ?? pathRefusal(state, transaction, forwardPath);
  if (unwelcome !== null) return refusedPath(transaction, unwelcome);
  forwardPaths.set(key, forwardPath);
  if (options !== null) transaction.forwardPathOptions.set(forwardPath, options);
  return replies.recipientOk;
}

/** Mail and reports do not share a transaction. Sets what it is for. */
function purposeRefusal(state: SessionState, transaction: Transaction, forwardPath: string): Answer | null {
  const { reports } = state.rules.handler;
  const mailbox = reports?.mailboxOf(forwardPath) ?? null;
  if (mailbox !== null && mailbox !== 'welcome') return refused(state, 'RCPT', mailbox);
  const purpose = mailbox === null ? 'submission' : 'report';
  if (purpose === 'submission' && state.principal === null) return nameYourself(state);
  if (transaction.purpose !== null && transaction.purpose !== purpose) return replies.otherPurpose;
  if (purpose === 'report' && transaction.forwardPaths.size >= (reports?.bounds.mailboxes ?? 0))
    return replies.tooManyRecipients;
  transaction.purpose = purpose;
  return null;
}

function pathRefusal(state: SessionState, transaction: Transaction, forwardPath: string): Answer | null {
  const { principal, client, rules } = state;
  const { reversePath, purpose, forwardPaths, parameters } = transaction;
  if (purpose === 'report' || principal === null) return null;
  const protocol = protocolOf(state, parameters.options.smtpUtf8);
  const count = forwardPaths.size + 1;
  const unwelcome = rules.handler.checkForwardPath(principal, forwardPath, count, {
    ...{ reversePath, client, protocol },
  });
  return unwelcome && refused(state, 'RCPT', unwelcome);
}

/** Of reports less is taken than of mail. */
export function maxContentBytesOf({ rules }: SessionState, transaction: Transaction | null): number {
  const { maxContentBytes } = rules.bounds;
  const { reports } = rules.handler;
  return transaction?.purpose === 'report' && reports
    ? Math.min(reports.bounds.contentBytes, maxContentBytes)
    : maxContentBytes;
}

/** Bad addresses are no protocol errors, or one list with ten of them would lose all the others. */
function refusedPath(transaction: Transaction, answer: Answer): Answer {
  transaction.refusedPaths += 1;
  return answer;
}

function data(state: SessionState, argument: string): Answer {
  if (argument !== '') return replies.noArgument;
  if (state.transaction === null) return replies.mailFirst;
  if (state.transaction.chunks !== null) return replies.dataAfterBdat;
  return state.transaction.forwardPaths.size > 0 ? replies.sendContent : replies.noRecipients;
}

/** A chunk that is refused is read all the same, for the client has sent it already (RFC 3030 §2). */
function bdat(state: SessionState, argument: string): Answer {
  const command = parseBdat(argument);
  if (command === null) return replies.bdatSyntax;
  const { maxContentBytes } = state.rules.bounds;
  if (command.octets > maxContentBytes + limits.smtpSkippedContentBytes) return tooMuch(maxContentBytes);
  state.chunk = { ...command, refusal: chunkRefusal(state, command.octets) };
  // RFC 3030 §2: with one chunk the whole transaction has failed.
  if (state.chunk.refusal !== null) state.transaction = null;
  return receiveChunk;
}

function chunkRefusal(state: SessionState, octets: number): Answer | null {
  const { transaction } = state;
  const maxContentBytes = maxContentBytesOf(state, transaction);
  if (transaction === null) return replies.mailFirst;
  if (transaction.forwardPaths.size === 0) return replies.noRecipients;
  const before = transaction.chunks?.contentBytes ?? 0;
  return before + octets > maxContentBytes ? tooBig(maxContentBytes) : null;
}

/** More than is worth to be read and dropped. */
export function tooMuch(maxContentBytes: number): Answer {
  return { ...tooBig(maxContentBytes), next: 'close' };
}

function rset(state: SessionState, argument: string): Answer {
  if (argument !== '') return replies.noArgument;
  state.transaction = null;
  return replies.reset;
}

/** The private reason goes to the log, the reply to the client. */
export function refused(state: SessionState, verb: string, unwelcome: Refusal): Answer {
  const { refused: answer, privateReason } = unwelcome;
  const fields = {
    ...logFields(state),
    verb,
    reply: answer.code,
    enhancedStatus: answer.enhancedStatus,
    reason: privateReason,
  };
  state.rules.log.info(fields, 'refused');
  return refusal(unwelcome);
}
