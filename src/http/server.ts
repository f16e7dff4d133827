/**
 * The HTTP server: sockets, and the bounds on what comes through them. What is answered is in `app.ts` and
 * in the apps themselves.
 *
 * Not here: TLS (a proxy in front speaks it), authentication (each app knows its own credentials).
 * Invariants: I7 (slow, silent and half-closed clients end at a bound), I8.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { randomHex } from '../base/random.ts';
import { createHttpApp, type HttpAppOptions } from './app.ts';
import type { HttpLog } from './log.ts';
import { faultProblem, problemReply } from './problem.ts';

export interface HttpLimits {
  urlBytes: number;
  headerBytes: number;
  headerFields: number;
  headerMs: number;
  requestMs: number;
  idleMs: number;
  keepAliveMs: number;
  requestsPerConnection: number;
  connections: number;
  drainMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  urlBytes: limits.httpUrlBytes,
  headerBytes: limits.httpHeaderBytes,
  headerFields: limits.httpHeaderFields,
  headerMs: limits.httpHeaderMs,
  requestMs: limits.httpRequestMs,
  idleMs: limits.httpIdleMs,
  keepAliveMs: limits.httpKeepAliveMs,
  requestsPerConnection: limits.httpRequestsPerConnection,
  connections: limits.httpConnections,
  drainMs: limits.httpDrainMs,
};

export interface HttpServerOptions extends HttpAppOptions {
  listen: { host: string; port: number };
  limits?: HttpLimits;
}

export interface HttpServer {
  /** Port 0 takes a free one; the answer tells which. */
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no new requests, lets those under way finish within `drainMs`, then cuts every connection. */
  close(): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const bounds = options.limits ?? defaultHttpLimits;
  const app = createHttpApp(options, bounds.urlBytes);
  const server = createBoundedServer(app, bounds, options.log);
  const whenQuiet = watchRequests(server);
  return {
    listen: () => listen(server, options.listen),
    async close() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      const enough = new AbortController();
      await Promise.race([whenQuiet(), options.clock.sleep(bounds.drainMs, enough.signal)]);
      enough.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createBoundedServer(app: Hono, bounds: HttpLimits, log: HttpLog): Server {
  const answer = getRequestListener(app.fetch, { errorHandler: answerOutside(log) });
  const server = createServer(
    {
      maxHeaderSize: bounds.headerBytes,
      headersTimeout: bounds.headerMs,
      requestTimeout: Math.max(bounds.requestMs, bounds.headerMs),
      keepAliveTimeout: bounds.keepAliveMs,
      // How often the two timeouts above are looked at.
      connectionsCheckingInterval: Math.ceil(bounds.headerMs / 10),
    },
    (incoming, outgoing) => {
      outgoing.shouldKeepAlive &&= server.listening;
      void answer(incoming, outgoing);
    },
  );
  server.maxHeadersCount = bounds.headerFields;
  server.maxRequestsPerSocket = bounds.requestsPerConnection;
  server.maxConnections = bounds.connections;
  server.setTimeout(bounds.idleMs);
  return server;
}

/** What never reached an app, or left it as something other than a reply. */
function answerOutside(log: HttpLog) {
  return (error: unknown): Response => {
    if (error instanceof RequestError) {
      const detail = 'The request line or the Host field cannot be read.';
      return problemReply({ status: 400, title: 'Bad Request', detail });
    }
    const faultId = randomHex(8);
    log.error({ faultId, err: error }, 'fault');
    return faultProblem(faultId);
  };
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      assert(typeof address === 'object' && address !== null, 'a TCP server has an address');
      resolve({ host: address.address, port: address.port });
    });
  });
}

type ListenAddress = { host: AddressInfo['address']; port: AddressInfo['port'] };

/** Counts requests under way; the returned function resolves when there is none. */
function watchRequests(server: Server): () => Promise<void> {
  let underWay = 0;
  let onQuiet = () => {};
  server.on('request', (_incoming, outgoing) => {
    underWay += 1;
    outgoing.once('close', () => {
      underWay -= 1;
      if (underWay === 0) onQuiet();
    });
  });
  return () =>
    new Promise((resolve) => {
      onQuiet = resolve;
      if (underWay === 0) resolve();
    });
}
