/** What a session knows, and the rules of the server it runs in. */
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ForwardPathOptions } from '../protocol/smtp/envelope-options.ts';
import type { Exchange } from './authentication.ts';
import type { ChunkReader } from './chunk-reader.ts';
import type { ContentMemory } from './content-memory.ts';
import type { ClientFacts, MailParameters, Principal, SmtpHandler } from './handler.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Answer } from './replies.ts';

/** What the server writes about itself. Fields hold neither content nor secrets (I8). */
export type ServerLog = Pick<Log, 'debug' | 'info' | 'warn' | 'error'>;

/** Where AUTH is offered without TLS. */
export type AuthWithoutTls = 'loopback' | 'always' | 'never';

/** Bounds that a configuration or a test may set; `limits` has their defaults. */
export interface ServerBounds {
  maxContentBytes: number;
  maxForwardPaths: number;
  /** Contents of all sessions together. */
  maxContentMemoryBytes: number;
  maxSessions: number;
  maxErrors: number;
  maxLoginFailures: number;
  /** FUTURERELEASE; 0: not offered. */
  maxHoldMs: number;
  idleMs: number;
  lingerMs: number;
  sessionMs: number;
  drainMs: number;
}

export interface SessionRules {
  hostname: string;
  handler: SmtpHandler;
  log: ServerLog;
  clock: Clock;
  bounds: ServerBounds;
  authWithoutTls: AuthWithoutTls;
  /** Null: TLS is not offered. */
  secureContext: SecureContext | null;
  contentMemory: ContentMemory;
  loginThrottle: LoginThrottle;
}

/** The chunk of BDAT that is read next. */
export interface Chunk {
  octets: number;
  last: boolean;
  /** It is read, dropped and answered with this (RFC 3030 §2). */
  refusal: Answer | null;
}

export interface Transaction {
  reversePath: string;
  parameters: MailParameters;
  /** By mailbox, so that a path given twice is one delivery. */
  forwardPaths: Map<string, string>;
  /** By forward-path. */
  forwardPathOptions: Map<string, ForwardPathOptions>;
  refusedPaths: number;
  /** What it is for, said by its first forward-path; null before that. */
  purpose: 'submission' | 'report' | null;
  /** The chunks so far; null before the first. */
  chunks: ChunkReader | null;
}

export interface SessionState {
  readonly rules: SessionRules;
  /** Number of the session, for the log. */
  readonly id: number;
  client: ClientFacts;
  greeting: 'none' | 'helo' | 'ehlo';
  /** Known by AUTH or by its network; null: not asked yet, or unknown. */
  principal: Principal | null;
  /** By AUTH. */
  authenticated: boolean;
  exchange: Exchange | null;
  loginFailures: number;
  transaction: Transaction | null;
  chunk: Chunk | null;
}

export function newState(rules: SessionRules, id: number, client: ClientFacts): SessionState {
  return {
    rules,
    id,
    client,
    greeting: 'none',
    principal: null,
    authenticated: false,
    exchange: null,
    loginFailures: 0,
    transaction: null,
    chunk: null,
  };
}

/** RFC 3207 §4.2: after STARTTLS the server knows nothing it learned before. Failed logins still count. */
export function forget(state: SessionState, tls: ClientFacts['tls']): void {
  state.client = { ...state.client, greetingName: '', secure: tls !== null, tls };
  state.greeting = 'none';
  state.principal = null;
  state.authenticated = false;
  state.exchange = null;
  state.transaction = null;
}

export function authOffered({ rules, client }: SessionState): boolean {
  if (client.secure || rules.authWithoutTls === 'always') return true;
  return rules.authWithoutTls === 'loopback' && isLoopback(client.remoteAddress);
}

export function startTlsOffered({ rules, client }: SessionState): boolean {
  return rules.secureContext !== null && !client.secure;
}

/** RFC 3848, RFC 6531 §4.3. */
export function protocolOf({ greeting, client, authenticated }: SessionState, smtpUtf8: boolean): string {
  if (greeting !== 'ehlo') return 'SMTP';
  return `${smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${client.secure ? 'S' : ''}${authenticated ? 'A' : ''}`;
}

/** Fields that every log line of the session has. */
export function logFields({ id, client }: SessionState): { session: number; client: string } {
  return { session: id, client: client.remoteAddress };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
