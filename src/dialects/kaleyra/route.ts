/** What an endpoint of this dialect is, and the steps that all of them share. */
import { Hono } from 'hono';
import type { Endpoint } from '../../http/endpoint.ts';
import { recordFault } from '../../http/fault.ts';
import { type Fields, queryOf } from '../../http/query.ts';
import { adviceAbout } from '../../ledger/ledger.ts';
import type { DialectDeps } from '../dialect.ts';
import { type Account, authenticate } from './authenticate.ts';
import { errorBody, errorReply, internalFault, notNow, type Refusal } from './errors.ts';
import { readSettings } from './options.ts';
import type { Rendering } from './render.ts';

export interface Question {
  account: Account;
  fields: Fields;
  /** Last part of the path, where the endpoint has one. */
  messageId: string;
  rendering: Rendering;
}

export interface Route {
  endpoint: Endpoint;
  answer(deps: DialectDeps, question: Question): Promise<object | Refusal>;
}

export const security: Endpoint['security'] = [
  { kind: 'header', name: 'api-key', description: 'Key of the account that the SID in the path names.' },
];

export const sidParameter = {
  SID: { description: 'Id of the account.', example: 'WB0123456789' },
} satisfies Endpoint['pathParameters'];

export const refusals: Endpoint['replies'] = {
  401: { description: 'No key or a wrong one.', schema: errorReply },
  403: { description: 'The key belongs to another SID.', schema: errorReply },
  503: {
    description: 'The log cannot answer that now: `error.message` says what to do.',
    schema: errorReply,
  },
};

export function mount(routes: readonly Route[], deps: DialectDeps): Hono {
  const app = new Hono();
  const { price } = readSettings(deps.settings);
  for (const { endpoint, answer } of routes) {
    app.get(endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const { SID: sid = '', messageId = '' } = c.req.param() as Partial<Record<string, string>>;
      const account = authenticate(deps.tenants, sid, c.req.header('api-key'));
      if (!account.ok) return c.json(errorBody(account), account.status);
      const rendering = { key: deps.key, zone: account.zone, sid, price };
      const reply = await answer(deps, { account, fields: queryOf(c.req.url), messageId, rendering });
      return isRefusal(reply) ? c.json(errorBody(reply), reply.status) : c.json(reply);
    });
  }
  app.onError((fault, c) => {
    recordFault(c, fault);
    const advice = adviceAbout(fault);
    const refusal = advice === null ? internalFault : notNow(advice);
    return c.json(errorBody(refusal), refusal.status);
  });
  return app;
}

function isRefusal(reply: object | Refusal): reply is Refusal {
  return 'ok' in reply && reply.ok === false;
}
