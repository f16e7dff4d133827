/** What an endpoint of this dialect is, and the steps that all of them share: who asks, for which domain. */
import { Hono } from 'hono';
import type { Endpoint } from '../../http/endpoint.ts';
import { recordFault } from '../../http/fault.ts';
import { type Fields, queryOf } from '../../http/query.ts';
import { adviceAbout, type Scope } from '../../ledger/ledger.ts';
import { parseDomain } from '../../protocol/address/domain.ts';
import type { CredentialHolder, Tenants } from '../../tenants/tenants.ts';
import type { DialectDeps } from '../dialect.ts';
import { authenticate } from './authenticate.ts';
import {
  domainNotFound,
  faultReply,
  forbiddenReply,
  type Refusal,
  refusalReply,
  resultReply,
} from './errors.ts';
import { literalSegments } from './words.ts';

export interface Question {
  /** The tenant of the key; with `{domain}` in the path, that domain of his. */
  scope: Scope;
  /** Of the path. */
  parameters: Readonly<Record<string, string>>;
  fields: Fields;
  /** For its body. */
  request: Request;
  /** Scheme and host as the client wrote them. */
  origin: string;
}

export type Outcome = { ok: true; body: object } | Refusal;

export interface Route {
  endpoint: Endpoint;
  answer(deps: DialectDeps, question: Question): Promise<Outcome>;
}

/** Shared by every endpoint's entry in the reference. */
export const basicAuth = [
  { kind: 'basic', description: 'User name `api`, password: the API key.' },
] as const satisfies Endpoint['security'];

export const refusals: Endpoint['replies'] = {
  400: {
    description: 'A parameter is missing or wrong: `{"message": …}` says which.',
    contentType: 'application/json',
  },
  401: { description: 'No key or a wrong one: the text `Forbidden`.', contentType: 'text/plain' },
  503: {
    description: 'The log cannot answer that now: `{"message": …}` says what to do.',
    contentType: 'application/json',
  },
};

export const bodyRefusals: Endpoint['replies'] = {
  ...refusals,
  413: { description: 'The body is too large.', contentType: 'application/json' },
  415: { description: 'The body is of another type.', contentType: 'application/json' },
};

export const domainRefusals: Endpoint['replies'] = {
  ...refusals,
  404: {
    description: 'Not a sending domain of this key: `{"message": "Domain not found: …"}`.',
    contentType: 'application/json',
  },
};

export const domainParameter = {
  domain: { description: 'A sending domain of the tenant.', example: 'mail.example.com' },
} satisfies Endpoint['pathParameters'];

export function mount(routes: readonly Route[], deps: DialectDeps): Hono {
  const app = new Hono();
  for (const route of routes) {
    const path = route.endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(route.endpoint.method.toUpperCase(), path, async (c) => {
      const holder = authenticate(deps.tenants, c.req.header('authorization'));
      if (!holder) return forbiddenReply();
      const scope = scopeOf(deps.tenants, holder, c.req.param('domain'));
      if (!scope.ok) return refusalReply(scope);
      const { origin } = new URL(c.req.url);
      const asked = {
        scope: scope.value,
        parameters: c.req.param(),
        fields: queryOf(c.req.url),
        request: c.req.raw,
        origin,
      };
      const outcome = await route.answer(deps, asked);
      return outcome.ok ? resultReply(outcome.body) : refusalReply(outcome);
    });
  }
  app.onError((fault, c) => faultReply(recordFault(c, fault), adviceAbout(fault)));
  return app;
}

function scopeOf(
  tenants: Tenants,
  { tenantId, streamId }: CredentialHolder,
  domain: string | undefined,
): { ok: true; value: Scope } | Refusal {
  const scope: Scope = { tenantId, ...(streamId === null ? {} : { streamId }) };
  if (domain === undefined) return { ok: true, value: scope };
  const parsed = literalSegments.has(domain) ? null : parseDomain(domain);
  const sendingDomain = parsed?.ok ? parsed.domain : '';
  const owned = tenants.sendingDomainOwners(sendingDomain).some((owner) => owner.tenantId === tenantId);
  return owned ? { ok: true, value: { ...scope, sendingDomain } } : domainNotFound(domain);
}
