/**
 * All apps as one, with what holds for every request: the bound on the URL, the log line, the security
 * headers, the reply to an unknown path, and a fault that ends as a reply with an id.
 */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type Next } from 'hono';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { docsRoutes } from './docs-page.ts';
import { provideFaultRecorder, recordFault } from './fault.ts';
import type { HttpLog } from './log.ts';
import { allowedMethods } from './methods.ts';
import type { Reference } from './openapi.ts';
import { faultProblem, problemReply } from './problem.ts';

export interface HttpAppOptions {
  /** Mounted at `/` one after the other: the first whose route matches answers. */
  apps: readonly Hono[];
  docs: readonly Reference[];
  /** Version of the product, as the reference pages show it. */
  version: string;
  /** False while what the answers need is not there yet. */
  health: () => boolean;
  log: HttpLog;
  clock: Clock;
}

export function createHttpApp(options: HttpAppOptions, maxUrlBytes: number = limits.httpUrlBytes): Hono {
  const app = new Hono();
  app.use('*', logRequest(options));
  app.use('*', secure);
  app.use('*', boundUrl(maxUrlBytes));
  app.get('/healthz', () => healthReply(options.health()));
  app.route('/', docsRoutes(options.docs, options.version));
  for (const one of options.apps) app.route('/', one);
  app.get('/', (c) => c.redirect('/docs'));
  app.notFound(unknownReply(options.docs));
  app.onError(faultReply);
  return app;
}

/** One line per request. Neither query nor headers nor body: keys and signatures travel there. */
function logRequest({ log, clock }: HttpAppOptions) {
  return async (c: Context, next: Next): Promise<void> => {
    const startedAt = clock.now();
    const about = { method: c.req.method, path: loggedPath(c.req.url), client: clientAddress(c) };
    provideFaultRecorder(c, (faultId, fault) => log.error({ ...about, faultId, err: fault }, 'fault'));
    await next();
    log.info({ ...about, status: c.res.status, durationMs: clock.now() - startedAt }, 'request');
  };
}

/** As it stands in the request line, without the query. */
function loggedPath(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '';
  return path.length > limits.httpLoggedPathChars ? `${path.slice(0, limits.httpLoggedPathChars)}…` : path;
}

function clientAddress(c: Context): string {
  const bindings: Partial<HttpBindings> | undefined = c.env;
  return bindings?.incoming?.socket.remoteAddress ?? '';
}

const securityHeaders: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
];

/** A handler that sets one of these itself keeps its own. */
async function secure(c: Context, next: Next): Promise<void> {
  await next();
  for (const [name, value] of securityHeaders) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
}

function boundUrl(maxUrlBytes: number) {
  return async (c: Context, next: Next): Promise<Response | undefined> => {
    if (c.req.url.length <= maxUrlBytes) {
      await next();
      return undefined;
    }
    const detail = `The URL is longer than ${maxUrlBytes} bytes.`;
    return problemReply({ status: 414, title: 'URI Too Long', detail });
  };
}

function healthReply(ready: boolean): Response {
  return Response.json({ status: ready ? 'ok' : 'starting' }, { status: ready ? 200 : 503 });
}

function unknownReply(docs: readonly Reference[]) {
  const methodsOf = allowedMethods(docs.flatMap(({ endpoints }) => endpoints));
  return (c: Context): Response => {
    const methods = methodsOf(c.req.path);
    const allow = { allow: methods.join(', ') };
    if (methods.length === 0) return notFoundReply();
    if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: allow });
    const detail = 'This path does not know the method. /docs lists what is answered here.';
    return problemReply({ status: 405, title: 'Method Not Allowed', detail, documentation: '/docs' }, allow);
  };
}

function notFoundReply(): Response {
  const detail = 'Nothing is answered at this path. /docs lists what is.';
  return problemReply({ status: 404, title: 'Not Found', detail, documentation: '/docs' });
}

function faultReply(fault: Error, c: Context): Response {
  return faultProblem(recordFault(c, fault));
}
