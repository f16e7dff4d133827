/** What an endpoint of this dialect is, and the steps that all of them share. */
import { type Context, Hono } from 'hono';
import type { Endpoint } from '../../http/endpoint.ts';
import { recordFault } from '../../http/fault.ts';
import { type Fields, queryOf } from '../../http/query.ts';
import { adviceAbout } from '../../ledger/ledger.ts';
import type { DialectDeps } from '../dialect.ts';
import { type Account, authenticate } from './authenticate.ts';
import { errorBody, errorReply, type Refusal, wrongKey } from './errors.ts';
import { readSettings, type Settings } from './options.ts';

export interface Question {
  account: Account;
  fields: Fields;
  settings: Settings;
}

export interface Route {
  endpoint: Endpoint;
  answer(deps: DialectDeps, question: Question): Promise<object | Refusal>;
}

export const security: Endpoint['security'] = [
  { kind: 'header', name: 'X-API-KEY', description: 'Key of the account.' },
];

export const unauthorized: Endpoint['replies'] = {
  401: { description: 'No key or a wrong one.', schema: errorReply },
  503: { description: 'The log cannot answer that now: `message` says what to do.', schema: errorReply },
};

/** Pages of any origin may ask: what opens the account is the key, which no browser adds by itself. */
const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
  'access-control-allow-headers': 'X-API-KEY, Content-Type',
};

/** Only GET (and with it HEAD) and OPTIONS are taken: paths may be shared with other APIs. */
export function mount(app: Hono, { endpoint, answer }: Route, deps: DialectDeps): void {
  const settings = readSettings(deps.settings);
  mountOptions(app, endpoint.path);
  app.get(endpoint.path, async (c) => {
    const account = authenticate(deps.tenants, c.req.header('x-api-key'));
    if (!account) return reply(c, wrongKey);
    return reply(c, await answer(deps, { account, fields: queryOf(c.req.url), settings }));
  });
}

export function mountOptions(app: Hono, path: string): void {
  app.options(path, (c) => c.body(null, 200, crossOrigin));
}

export function createApp(): Hono {
  const app = new Hono();
  app.onError((fault, c) => {
    const faultId = recordFault(c, fault);
    const advice = adviceAbout(fault);
    const status = advice === null ? 500 : 503;
    const message = advice ?? `Internal error; the log of the server tells more under ${faultId}.`;
    return c.json(errorBody({ status, message }), status, crossOrigin);
  });
  return app;
}

function reply(c: Context, body: object | Refusal): Response {
  return isRefusal(body) ? c.json(errorBody(body), body.status, crossOrigin) : c.json(body, 200, crossOrigin);
}

function isRefusal(body: object | Refusal): body is Refusal {
  return 'ok' in body && body.ok === false;
}
