/**
 * TLS for a connection to a remote server (RFC 3207, RFC 8314, RFC 7435). Any certificate is taken here and
 * whether it was valid is told: what an invalid one means is for the caller to decide.
 */
import { isIP, type Socket } from 'node:net';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { Deadline } from '../base/deadline.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import { insecureBy, type Lost } from './lost.ts';

export interface TlsOptions {
  /** The name the certificate must be for. */
  name: string;
  /** PEM certificates trusted beside those of the system. */
  trustedCertificates?: readonly string[];
}

export type Secured = { socket: TLSSocket; facts: TlsFacts; problem: string } | Lost;

/** One handshake on a connected socket. The socket is destroyed when it fails. */
export function secure(socket: Socket, options: TlsOptions, timeoutMs: number): Promise<Secured> {
  // An address literal of a mail domain: the certificate has it without brackets.
  const name = options.name.replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1');
  return new Promise((resolve) => {
    const secured = tlsConnect({
      socket,
      host: name,
      // RFC 6066 §3: an address is no server name.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      secureContext: secureContext(options.trustedCertificates),
      rejectUnauthorized: false,
    });
    const fail = (lost: Lost) => {
      deadline.clear();
      secured.destroy();
      resolve(lost);
    };
    const closed = () => fail({ cause: 'tls', text: 'connection closed during the TLS handshake' });
    const deadline = new Deadline((ms) => {
      fail({ cause: 'tls', text: `TLS handshake not finished within ${ms / 1000} seconds` });
    });
    deadline.set(timeoutMs);
    // The sockets may both tell of the same fault, now or later: the first word counts.
    socket.on('error', (error) => fail(insecureBy(error)));
    secured.on('error', (error) => fail(insecureBy(error)));
    secured.once('close', closed);
    secured.once('secureConnect', () => {
      deadline.clear();
      secured.off('close', closed);
      resolve({ socket: secured, facts: factsOf(secured), problem: problemOf(secured) });
    });
  });
}

function factsOf(socket: TLSSocket): TlsFacts {
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    verified: socket.authorized,
  };
}

/** Why the certificate is not valid for the name; '' if it is. */
function problemOf(socket: TLSSocket): string {
  return socket.authorized ? '' : String(socket.authorizationError).slice(0, 200);
}

let systemContext: SecureContext | undefined;
const ownContexts = new WeakMap<readonly string[], SecureContext>();

/** Made once: reading the certificates of the system takes longer than a handshake. */
function secureContext(trusted: readonly string[] | undefined): SecureContext {
  if (trusted === undefined) {
    systemContext ??= createSecureContext({ ca: getCACertificates('default') });
    return systemContext;
  }
  const known = ownContexts.get(trusted);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca: [...getCACertificates('default'), ...trusted] });
  ownContexts.set(trusted, context);
  return context;
}
