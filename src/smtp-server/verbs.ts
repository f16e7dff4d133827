/**
 * What each command does (RFC 5321 §4.1.1; STARTTLS of RFC 3207; AUTH of RFC 4954): one function for each
 * verb, each a list of steps of which any may refuse. They change the session's state and return the answer.
 */
import {
  beginExchange,
  continueExchange,
  type Exchange,
  type ExchangeStep,
  mechanisms,
} from './authentication.ts';
import { isGreetingName, parseCommand, parseMail, parseRcpt } from './commands.ts';
import type { Principal, Refusal } from './handler.ts';
import { type Answer, refusal, replies, reply } from './replies.ts';
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
  RSET: rset,
  NOOP: () => replies.noop,
  HELP: () => replies.help,
  VRFY: (_, argument) => (argument === '' ? replies.argumentMissing : replies.verify),
  QUIT: (_, argument) => (argument === '' ? replies.bye : replies.noArgument),
};

/** Known to SMTP or its extensions, but not done here. */
const notImplemented = [
  'EXPN',
  'BDAT',
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
  return [
    'PIPELINING',
    `SIZE ${state.rules.bounds.maxContentBytes}`,
    '8BITMIME',
    'ENHANCEDSTATUSCODES',
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
    state.principal = result.principal;
    state.authenticated = true;
    return replies.loggedIn;
  }
  const answer = refused(state, 'AUTH', result);
  return result.refused.code >= 500 ? loginFailed(state, answer) : answer;
}

function loginFailed(state: SessionState, answer: Answer): Answer {
  state.loginFailures += 1;
  return state.loginFailures >= state.rules.bounds.maxLoginFailures ? replies.tooManyLogins : answer;
}

function mail(state: SessionState, argument: string): Answer {
  const { handler, bounds } = state.rules;
  if (state.greeting === 'none') return replies.greetFirst;
  if (state.transaction !== null) return replies.nestedMail;
  const principal = identify(state);
  if ('text' in principal) return principal;
  const command = parseMail(argument);
  if ('text' in command) return command;
  const { reversePath, parameters } = command;
  if ((parameters.declaredBytes ?? 0) > bounds.maxContentBytes) return tooBig(bounds.maxContentBytes);
  const unwelcome = handler.checkReversePath(principal, reversePath, parameters);
  if (unwelcome !== null) return refused(state, 'MAIL', unwelcome);
  state.transaction = { reversePath, parameters, forwardPaths: new Map(), refusedPaths: 0 };
  return replies.senderOk;
}

/** Who sends: by AUTH, or by the network the client is in. */
function identify(state: SessionState): Principal | Answer {
  if (state.principal !== null) return state.principal;
  const result = state.rules.handler.trusted(state.client.remoteAddress);
  if (result === null) return authOffered(state) ? replies.authenticationRequired : replies.tlsRequired;
  if (!('principal' in result)) return refused(state, 'MAIL', result);
  state.principal = result.principal;
  return result.principal;
}

export function tooBig(maxContentBytes: number): Answer {
  return reply(552, '5.3.4', `Content is larger than ${maxContentBytes} bytes`);
}

function rcpt(state: SessionState, argument: string): Answer {
  const { transaction, principal } = state;
  if (transaction === null || principal === null) return replies.mailFirst;
  const { forwardPaths, refusedPaths } = transaction;
  const { bounds, handler, hostname } = state.rules;
  if (Math.max(forwardPaths.size, refusedPaths) >= bounds.maxForwardPaths) return replies.tooManyRecipients;
  const command = parseRcpt(argument, hostname);
  if ('text' in command) return refusedPath(transaction, command);
  const { forwardPath, key } = command;
  if (forwardPaths.has(key)) return replies.recipientOk;
  const mail = { reversePath: transaction.reversePath, client: state.client, protocol: protocolOf(state) };
  const unwelcome = handler.checkForwardPath(principal, forwardPath, forwardPaths.size + 1, mail);
  if (unwelcome !== null) return refusedPath(transaction, refused(state, 'RCPT', unwelcome));
  forwardPaths.set(key, forwardPath);
  return replies.recipientOk;
}

/** Bad addresses are no protocol errors, or one list with ten of them would lose all the others. */
function refusedPath(transaction: Transaction, answer: Answer): Answer {
  transaction.refusedPaths += 1;
  return answer;
}

function data(state: SessionState, argument: string): Answer {
  if (argument !== '') return replies.noArgument;
  if (state.transaction === null) return replies.mailFirst;
  return state.transaction.forwardPaths.size > 0 ? replies.sendContent : replies.noRecipients;
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
