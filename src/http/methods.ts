/** Which methods a path knows: tells a wrong method (405) from a wrong path (404). */
import type { Endpoint } from './endpoint.ts';

type MethodsOf = (path: string) => string[];

/** For `Allow` (RFC 9110 §10.2.1); empty for a path that no endpoint has. */
export function allowedMethods(endpoints: readonly Endpoint[]): MethodsOf {
  const patterns = endpoints.map(({ method, path }) => ({ method, pattern: pathPattern(path) }));
  return (path) => {
    const methods = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (methods.size === 0) return [];
    const names = [...methods].map((method) => method.toUpperCase()).sort();
    return [...names, ...(methods.has('get') ? ['HEAD'] : []), 'OPTIONS'];
  };
}

/** `/v3/{domain}/stats` as an expression in which a parameter is one path segment. */
function pathPattern(path: string): RegExp {
  const segments = path
    .split('/')
    .map((segment) => (segment.startsWith('{') ? '[^/]+' : RegExp.escape(segment)));
  return new RegExp(`^${segments.join('/')}$`);
}
