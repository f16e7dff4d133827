/** Faults of sockets and handshakes as values. */
import type { FailureCause } from './smtp-client.ts';

/** Why no reply was, or will be, read. */
export interface Lost {
  cause: FailureCause;
  /** One line for people. */
  text: string;
}

const causes: Readonly<Record<string, FailureCause>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EADDRINUSE: 'unreachable',
  EAFNOSUPPORT: 'unreachable',
  EINVAL: 'unreachable',
};

/** While connecting. */
export function unreachedBy(error: Error): Lost {
  const code = codeOf(error);
  return { cause: causes[code] ?? 'unreachable', text: `no connection: ${oneLine(error, code)}` };
}

/** While connecting from an address of our choice: what cannot be bound says nothing of the peer. */
export function unreachedFrom(localAddress: string, error: Error): Lost {
  const ours = codeOf(error) === 'EADDRNOTAVAIL' || ('syscall' in error && error.syscall === 'bind');
  if (!ours) return unreachedBy(error);
  const text = `the source address ${localAddress} cannot be bound (${oneLine(error, codeOf(error))})`;
  return { cause: 'own-address', text };
}

/** In mid-conversation. */
export function lostBy(error: Error): Lost {
  const code = codeOf(error);
  return {
    cause: code === 'ETIMEDOUT' ? 'timeout' : 'connection-lost',
    text: `connection lost: ${oneLine(error, code)}`,
  };
}

/** In a TLS handshake. */
export function insecureBy(error: Error): Lost {
  return { cause: 'tls', text: `TLS handshake failed: ${oneLine(error, codeOf(error))}` };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** System errors are told by their code alone; others by their first line. */
function oneLine(error: Error, code: string): string {
  if (/^E[A-Z]+$/.test(code) && code !== 'EPROTO') return code;
  return (error.message.split('\n', 1)[0] ?? code).slice(0, 200);
}
