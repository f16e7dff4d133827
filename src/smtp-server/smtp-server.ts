/**
 * The receiving side of SMTP: listeners that take submissions and hand each to an `SmtpHandler`.
 * RFC 5321 and RFC 6409, with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), CHUNKING (3030),
 * ENHANCEDSTATUSCODES (2034), DSN (3461), MT-PRIORITY (6710), FUTURERELEASE (4865), LIMITS (9422), REQUIRETLS (8689),
 * STARTTLS (3207) or TLS from the first byte (8314), AUTH PLAIN and LOGIN (4954, 4616); behind balancers the PROXY
 * protocol. `docs/smtp.md` has every refusal.
 *
 * Not here: who may send what to whom and what becomes of a mail (the handler), delivery (smtp-client, relay).
 *
 * Invariants: 250 after end of data is sent only when the handler has resolved (I1). Only CRLF "." CRLF ends
 * content after DATA, and such content with a bare CR, a bare LF or NUL ends the session. Nothing learned before TLS counts
 * after it. Every buffer, list and wait has its bound (I7). Log lines hold no content and no secrets (I8).
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { type Network, networkContains, unmapped } from '../base/network.ts';
import { loadCertificate, type TlsFiles } from './certificate.ts';
import { ContentMemory } from './content-memory.ts';
import type { ClientFacts, SmtpHandler } from './handler.ts';
import { LoginThrottle, type LoginThrottleBounds } from './login-throttle.ts';
import { readProxyHeader } from './proxied-socket.ts';
import { replies } from './replies.ts';
import { SmtpSession } from './session.ts';
import type { AuthWithoutTls, ServerBounds, ServerLog, SessionRules } from './session-state.ts';

export interface ListenAddress {
  host: string;
  /** 0: a free one. */
  port: number;
}

export interface SmtpServerOptions {
  /** Our name in the greeting. */
  hostname: string;
  /** Plain text with STARTTLS. */
  listen: readonly ListenAddress[];
  /** TLS from the first byte. */
  implicitTlsListen?: readonly ListenAddress[];
  /** Null: TLS is not offered. */
  tls: TlsFiles | null;
  /** Default: `loopback`. */
  authWithoutTls?: AuthWithoutTls;
  maxContentBytes?: number;
  maxForwardPaths?: number;
  /** Longest time a client may have a mail held (FUTURERELEASE); 0, the default: not offered. */
  maxHoldMs?: number;
  /** Balancers: what connects from there begins with a PROXY header, and nothing else does. */
  proxyNetworks?: readonly Network[];
  /** Instead of those in `limits`, for all listeners together. */
  bounds?: Partial<Omit<ServerBounds, 'maxContentBytes' | 'maxForwardPaths' | 'maxHoldMs'>>;
  /** Instead of those in `limits`. */
  loginThrottle?: Partial<LoginThrottleBounds>;
  handler: SmtpHandler;
  log: ServerLog;
  clock: Clock;
}

export interface SmtpServer {
  /** The addresses, in the order given, those with implicit TLS last. Rejects if one cannot be listened on. */
  listen(): Promise<ListenAddress[]>;
  /** Takes no more sessions, lets mail transactions under way finish, says 421 to the rest. */
  close(): Promise<void>;
  /** Sessions that are open now. */
  sessionCount(): number;
}

/** Connections beyond the sessions that still get a reply before they are closed. */
const refusedConnections = 1000;
const backlog = 511;

/** Rejects if the certificate cannot be read or made. */
export async function createSmtpServer(options: SmtpServerOptions): Promise<SmtpServer> {
  const { tls, hostname, clock } = options;
  const secureContext = tls === null ? null : serverContext(await loadCertificate(tls, hostname, clock));
  return new Listeners(options, rulesOf(options, secureContext));
}

class Listeners implements SmtpServer {
  readonly #rules: SessionRules;
  readonly #listeners: readonly { address: ListenAddress; server: Server }[];
  readonly #sessions = new Set<SmtpSession>();
  readonly #proxyNetworks: readonly Network[];
  /** Connections of balancers whose header has not come yet. */
  readonly #unproxied = new Set<Socket>();
  #lastId = 0;
  #onEmpty: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SmtpServerOptions, rules: SessionRules) {
    const { listen, implicitTlsListen = [], proxyNetworks = [] } = options;
    if (implicitTlsListen.length > 0 && rules.secureContext === null) {
      throw new TypeError('implicit TLS needs a certificate');
    }
    this.#rules = rules;
    this.#proxyNetworks = proxyNetworks;
    this.#listeners = [
      ...listen.map((address) => ({ address, server: this.#newServer(false) })),
      ...implicitTlsListen.map((address) => ({ address, server: this.#newServer(true) })),
    ];
  }

  async listen(): Promise<ListenAddress[]> {
    try {
      return await Promise.all(this.#listeners.map(({ address, server }) => listenOn(server, address)));
    } catch (fault) {
      await this.close();
      throw fault;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { server } of this.#listeners) server.close();
    for (const socket of this.#unproxied) socket.destroy();
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

  #newServer(implicitTls: boolean): Server {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#admit(socket, implicitTls));
    server.maxConnections = this.#rules.bounds.maxSessions + refusedConnections;
    server.on('error', (fault) => this.#rules.log.error({ fault }, 'SMTP listener'));
    return server;
  }

  #admit(socket: Socket, implicitTls: boolean): void {
    if (this.#sessions.size + this.#unproxied.size >= this.#rules.bounds.maxSessions) {
      this.#refuse(socket, implicitTls);
      return;
    }
    const client = factsOf(socket);
    if (this.#proxyNetworks.some((network) => networkContains(network, client.remoteAddress))) {
      void this.#awaitHeader(socket, client, implicitTls);
    } else this.#begin(socket, client, implicitTls);
  }

  /** Who does not say whom it speaks for gets no answer: it would not expect one of SMTP. */
  async #awaitHeader(socket: Socket, proxy: ClientFacts, implicitTls: boolean): Promise<void> {
    this.#unproxied.add(socket);
    const header = await readProxyHeader(socket);
    this.#unproxied.delete(socket);
    if ('problem' in header) {
      this.#rules.log.warn({ client: proxy.remoteAddress, problem: header.problem }, 'PROXY header');
      socket.destroy();
    } else if (this.#closing !== null) socket.destroy();
    else {
      this.#begin(socket, { ...proxy, ...header.client }, implicitTls);
      // TLS reads from below the socket.
      if (!implicitTls) socket.resume();
    }
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #begin(socket: Socket, client: ClientFacts, implicitTls: boolean): void {
    this.#lastId += 1;
    const session: SmtpSession = new SmtpSession({
      socket,
      id: this.#lastId,
      client,
      implicitTls,
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

  /** A client that expects TLS cannot read a reply, so it gets none. */
  #refuse(socket: Socket, implicitTls: boolean): void {
    this.#rules.log.warn({ client: unmapped(socket.remoteAddress ?? '') }, 'too many sessions');
    socket.on('error', () => socket.destroy());
    socket.setTimeout(this.#rules.bounds.lingerMs, () => socket.destroy());
    socket.resume();
    socket.end(implicitTls ? '' : replies.tooManySessions.text);
  }
}

async function listenOn(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  server.listen({ host, port, backlog });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
}

function rulesOf(options: SmtpServerOptions, secureContext: SecureContext | null): SessionRules {
  const { hostname, handler, log, clock, authWithoutTls = 'loopback' } = options;
  const { maxContentBytes = limits.contentBytes, maxForwardPaths = limits.forwardPathsPerMail } = options;
  const { maxHoldMs = 0 } = options;
  const maxContentMemoryBytes = Math.max(limits.smtpContentBytesInMemory, 2 * maxContentBytes);
  const bounds = {
    ...defaultBounds,
    maxContentBytes,
    maxForwardPaths,
    maxHoldMs,
    maxContentMemoryBytes,
    ...options.bounds,
  };
  const contentMemory = new ContentMemory(bounds.maxContentMemoryBytes);
  const loginThrottle = new LoginThrottle({ ...defaultThrottle, ...options.loginThrottle });
  return {
    hostname,
    handler,
    log,
    clock,
    bounds,
    authWithoutTls,
    secureContext,
    contentMemory,
    loginThrottle,
  };
}

/** RFC 8996: nothing older than TLS 1.2. */
function serverContext({ key, cert }: { key: string; cert: string }): SecureContext {
  return createSecureContext({ key, cert, minVersion: 'TLSv1.2' });
}

const defaultBounds = {
  maxSessions: limits.smtpSessions,
  maxErrors: limits.smtpErrorsPerSession,
  maxLoginFailures: limits.smtpLoginFailuresPerSession,
  idleMs: limits.smtpServerIdleMs,
  lingerMs: limits.smtpLingerMs,
  sessionMs: limits.smtpSessionMs,
  drainMs: limits.smtpDrainMs,
};

const defaultThrottle: LoginThrottleBounds = {
  maxFailures: limits.smtpLoginFailuresPerAddress,
  maxAddresses: limits.smtpLoginAddresses,
  blockMs: limits.smtpLoginBlockMs,
  longestBlockMs: limits.smtpLoginLongestBlockMs,
  memoryMs: limits.smtpLoginMemoryMs,
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
