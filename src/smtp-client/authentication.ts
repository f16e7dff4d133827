/** AUTH (RFC 4954) with PLAIN (RFC 4616), or LOGIN where nothing else is offered. */
import type { Extensions } from '../protocol/smtp/extensions.ts';
import { isIntermediate, isPositive, observeFailure, unsupported } from './observation.ts';
import type { ConnectOptions, Observation } from './smtp-client.ts';
import type { Heard, Wire } from './wire.ts';

export interface Credentials {
  username: string;
  password: string;
}

/** Null: authenticated. */
export async function authenticate(
  wire: Wire,
  extensions: Extensions,
  credentials: Credentials,
  timeouts: ConnectOptions['timeouts'],
): Promise<Observation | null> {
  const exchange = exchangeFor(extensions, credentials);
  if (exchange === null) {
    return unsupported('auth', '4.7.4', 'the server offers neither AUTH PLAIN nor AUTH LOGIN');
  }
  let heard: Heard = await wire.ask(`${exchange.command}\r\n`, timeouts.commandMs);
  for (const answer of exchange.answers) {
    if (!isIntermediate(heard)) break;
    heard = await wire.ask(`${answer}\r\n`, timeouts.commandMs);
  }
  return isPositive(heard) ? null : observeFailure('auth', heard, wire);
}

interface Exchange {
  command: string;
  /** What is said after each 334. */
  answers: string[];
}

function exchangeFor(extensions: Extensions, { username, password }: Credentials): Exchange | null {
  if (extensions.auth.includes('PLAIN')) {
    const secret = base64(`\0${username}\0${password}`);
    // A server that overlooks the initial response asks for it.
    return { command: `AUTH PLAIN ${secret}`, answers: [secret] };
  }
  if (extensions.auth.includes('LOGIN')) {
    return { command: 'AUTH LOGIN', answers: [base64(username), base64(password)] };
  }
  return null;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
