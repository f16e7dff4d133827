/** The replies of this dialect: a result, and everything that is none, in the words of recorded replies. */
import { limits } from '../../base/limits.ts';

/** `Access-Control-Allow-Origin` stands on every recorded reply, whatever its status. */
const commonHeaders = { 'cache-control': 'no-store', 'access-control-allow-origin': '*' } as const;

const json = { ...commonHeaders, 'content-type': 'application/json; charset=utf-8' } as const;

export type Refusal = { ok: false; status: 400 | 404 | 413 | 415; problem: string };

/** Says the same for a domain that nobody has and for one that another tenant has. */
export function domainNotFound(domain: string): Refusal {
  return { ok: false, status: 404, problem: `Domain not found: ${domain.slice(0, limits.domainBytes)}` };
}

export function badRequest(problem: string): Refusal {
  return { ok: false, status: 400, problem };
}

export function resultReply(body: object): Response {
  return Response.json(body, { headers: json });
}

export function refusalReply({ status, problem }: Refusal): Response {
  return Response.json({ message: problem }, { status, headers: json });
}

/** The one reply that is no JSON: the service sends it for a missing and for a wrong key alike. */
export function forbiddenReply(): Response {
  const headers = {
    ...commonHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'www-authenticate': 'Basic realm="MG API"',
  };
  return new Response('Forbidden', { status: 401, headers });
}

/** `advice`: what the client can do about it, if anything. */
export function faultReply(faultId: string, advice: string | null): Response {
  const message = advice ?? `Internal server error; the server's log tells more under fault id ${faultId}`;
  return Response.json({ message }, { status: advice === null ? 500 : 503, headers: json });
}
