/** Errors that no dialect answers in its own words: problem details (RFC 9457). */
export interface Problem {
  status: number;
  title: string;
  /** One sentence for the person who reads it. */
  detail: string;
  /** Under this id the log tells what went wrong inside. */
  faultId?: string;
  /** Path of the reference pages. */
  documentation?: string;
}

export function problemReply(problem: Problem, headers: Record<string, string> = {}): Response {
  return new Response(`${JSON.stringify({ type: 'about:blank', ...problem })}\n`, {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}

export function faultProblem(faultId: string): Response {
  const detail = 'The request failed by a fault of the server. Its log tells more under the fault id.';
  return problemReply({ status: 500, title: 'Internal Server Error', detail, faultId });
}
