/**
 * The exchanges of AUTH (RFC 4954) for PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login). Pure: a line
 * in, the next step out. Whether the password is right is for the handler.
 */
import { isUtf8 } from 'node:buffer';
import { type Answer, complaint } from './replies.ts';

export const mechanisms = ['PLAIN', 'LOGIN'] as const;

/** An exchange that waits for the client's next line. */
export type Exchange = { mechanism: 'PLAIN' } | { mechanism: 'LOGIN'; username: string | null };

export type ExchangeStep =
  | { step: 'challenge'; text: string; exchange: Exchange }
  | { step: 'credentials'; username: string; password: string }
  /** `failed`: it counts as a failed login. */
  | { step: 'refused'; answer: Answer; failed: boolean };

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const usernameChallenge = Buffer.from('Username:').toString('base64');
const passwordChallenge = Buffer.from('Password:').toString('base64');

/** `argument` is what stands after AUTH: the mechanism, and perhaps an initial response. */
export function beginExchange(argument: string): ExchangeStep {
  const [mechanism = '', initialResponse, ...more] = argument.split(' ');
  const exchange = newExchange(mechanism.toUpperCase());
  if (exchange === null) {
    return refuse(
      complaint(504, '5.5.4', `Unknown authentication mechanism; use ${mechanisms.join(' or ')}`),
      false,
    );
  }
  if (more.length > 0)
    return refuse(complaint(501, '5.5.4', 'Syntax: AUTH mechanism [initial-response]'), false);
  if (initialResponse === undefined) return challenge(exchange);
  return respond(exchange, initialResponse === '=' ? '' : initialResponse);
}

/** The client's next line: base64, or `*` to give up. */
export function continueExchange(exchange: Exchange, line: string): ExchangeStep {
  if (line === '*') return refuse(complaint(501, '5.7.0', 'Authentication cancelled'), false);
  return respond(exchange, line);
}

function newExchange(mechanism: string): Exchange | null {
  if (mechanism === 'PLAIN') return { mechanism };
  return mechanism === 'LOGIN' ? { mechanism, username: null } : null;
}

function challenge(exchange: Exchange): ExchangeStep {
  return { step: 'challenge', text: challengeText(exchange), exchange };
}

function challengeText(exchange: Exchange): string {
  if (exchange.mechanism === 'PLAIN') return '';
  return exchange.username === null ? usernameChallenge : passwordChallenge;
}

function respond(exchange: Exchange, line: string): ExchangeStep {
  const response = decode(line);
  if (response === null) return malformed('the response is not base64 of UTF-8 text');
  if (exchange.mechanism === 'PLAIN') return plainCredentials(response);
  if (exchange.username === null) return challenge({ ...exchange, username: response });
  return credentials(exchange.username, response);
}

function decode(line: string): string | null {
  if (!base64.test(line)) return null;
  const bytes = Buffer.from(line, 'base64');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** RFC 4616 §2: `[authzid] NUL authcid NUL passwd`; acting for somebody else is not offered. */
function plainCredentials(response: string): ExchangeStep {
  const [authorizationId = '', username, password, ...more] = response.split('\0');
  if (username === undefined || password === undefined || more.length > 0) {
    return malformed('PLAIN is authorization identity, user name and password with NUL between them');
  }
  if (authorizationId !== '' && authorizationId !== username) {
    return refuse(complaint(535, '5.7.8', 'Acting for another user is not offered'), true);
  }
  return credentials(username, password);
}

function credentials(username: string, password: string): ExchangeStep {
  if (username === '' || password === '') return malformed('user name and password may not be empty');
  if (username.includes('\0') || password.includes('\0')) return malformed('NUL in user name or password');
  return { step: 'credentials', username, password };
}

function malformed(problem: string): ExchangeStep {
  return refuse(complaint(501, '5.5.2', `Cannot read the response: ${problem}`), true);
}

function refuse(answer: Answer, failed: boolean): ExchangeStep {
  return { step: 'refused', answer, failed };
}
