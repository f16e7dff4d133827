/**
 * The receiving side of SMTP: one listener that takes submissions and hands each to an `SmtpHandler`.
 * RFC 5321 and RFC 6409, with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034),
 * STARTTLS (3207) or TLS from the first byte (8314), AUTH PLAIN and LOGIN (4954, 4616).
 *
 * Not here: who may send what to whom and what becomes of a mail (the handler), delivery (smtp-client, relay).
 *
 * Invariants: 250 after end of data is sent only when the handler has resolved (I1). Only CRLF "." CRLF ends
 * content, and content with a bare CR, a bare LF or NUL ends the session. Nothing learned before TLS counts
 * after it. Every buffer, list and wait has its bound (I7). Log lines hold no content and no secrets (I8).
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { unmapped } from '../base/network.ts';
import { ContentMemory } from './content-memory.ts';
import type { ClientFacts, SmtpHandler } from './handler.ts';
import { replies } from './replies.ts';
import { SmtpSession } from './session.ts';
import type { AuthWithoutTls, ServerBounds, ServerLog, SessionRules } from './session-state.ts';

export { loadOrMakeCertificate } from './certificate.ts';
export type { AuthWithoutTls, ServerBounds, ServerLog } from './session-state.ts';

export interface SmtpServerOptions {
  host: string;
  /** 0: a free one. */
  port: number;
  /** TLS from the first byte; needs `tls`. */
  implicitTls?: boolean;
  /** Our name in the greeting. */
  hostname: string;
  /** PEM; null: TLS is not offered. */
  tls: { key: string; cert: string } | null;
  /** Default: `loopback`. */
  authWithoutTls?: AuthWithoutTls;
  handler: SmtpHandler;
  log: ServerLog;
  clock: Clock;
  bounds?: Partial<ServerBounds>;
}

export interface SmtpServer {
  /** Rejects if the address cannot be listened on. */
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no more sessions, lets mail transactions under way finish, says 421 to the rest. */
  close(): Promise<void>;
  /** Sessions that are open now. */
  sessionCount(): number;
}

/** Connections beyond the sessions that still get a reply before they are closed. */
const refusedConnections = 1000;
const backlog = 511;

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  return new Listener(options);
}

class Listener implements SmtpServer {
  readonly #options: SmtpServerOptions;
  readonly #rules: SessionRules;
  readonly #server: Server;
  readonly #sessions = new Set<SmtpSession>();
  #lastId = 0;
  #onEmpty: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SmtpServerOptions) {
    this.#options = options;
    this.#rules = rulesOf(options);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = this.#rules.bounds.maxSessions + refusedConnections;
    this.#server.on('error', (fault) => this.#rules.log.error({ fault }, 'SMTP listener'));
  }

  async listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    this.#server.listen({ host, port, backlog });
    await once(this.#server, 'listening');
    const address = this.#server.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    for (const session of this.#sessions) session.drain();
    if (this.#sessions.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const waited = new AbortController();
    const cut = this.#rules.clock.sleep(this.#rules.bounds.drainMs, waited.signal).then(() => {
      for (const session of this.#sessions) session.cut();
    });
    await emptied;
    waited.abort();
    await cut;
  }

  sessionCount(): number {
    return this.#sessions.size;
  }

  #accept(socket: Socket): void {
    if (this.#sessions.size >= this.#rules.bounds.maxSessions) {
      this.#refuse(socket);
      return;
    }
    this.#lastId += 1;
    const session: SmtpSession = new SmtpSession({
      socket,
      id: this.#lastId,
      client: factsOf(socket),
      rules: this.#rules,
      onClosed: () => this.#closed(session),
    });
    this.#sessions.add(session);
    session.start();
  }

  #closed(session: SmtpSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #refuse(socket: Socket): void {
    this.#rules.log.warn({ client: unmapped(socket.remoteAddress ?? '') }, 'too many sessions');
    socket.on('error', () => socket.destroy());
    socket.setTimeout(limits.smtpLingerMs, () => socket.destroy());
    socket.resume();
    socket.end(this.#rules.implicitTls ? '' : replies.tooManySessions.text);
  }
}

function rulesOf(options: SmtpServerOptions): SessionRules {
  const { hostname, handler, log, clock, tls, implicitTls = false, authWithoutTls = 'loopback' } = options;
  const bounds = { ...defaultBounds, ...options.bounds };
  const secureContext = tls === null ? null : serverContext(tls);
  if (implicitTls && secureContext === null) throw new TypeError('implicit TLS needs a certificate');
  const contentMemory = new ContentMemory(
    Math.max(limits.smtpContentBytesInMemory, 2 * bounds.maxContentBytes),
  );
  return { hostname, handler, log, clock, bounds, authWithoutTls, secureContext, implicitTls, contentMemory };
}

/** RFC 8996: nothing older than TLS 1.2. */
function serverContext({ key, cert }: { key: string; cert: string }): SecureContext {
  return createSecureContext({ key, cert, minVersion: 'TLSv1.2' });
}

const defaultBounds: ServerBounds = {
  maxContentBytes: limits.contentBytes,
  maxForwardPaths: limits.forwardPathsPerMail,
  maxSessions: limits.smtpSessions,
  maxErrors: limits.smtpErrorsPerSession,
  maxLoginFailures: limits.smtpLoginFailuresPerSession,
  idleMs: limits.smtpServerIdleMs,
  sessionMs: limits.smtpSessionMs,
  drainMs: limits.smtpDrainMs,
};

function factsOf(socket: Socket): ClientFacts {
  return {
    remoteAddress: unmapped(socket.remoteAddress ?? ''),
    remotePort: socket.remotePort ?? 0,
    localAddress: unmapped(socket.localAddress ?? ''),
    localPort: socket.localPort ?? 0,
    greetingName: '',
    secure: false,
    tls: null,
  };
}
