/**
 * TLS for a connection to a remote server (RFC 3207, RFC 8314, RFC 7435). Any certificate is taken here and
 * whether it was valid is told: what an invalid one means is for the caller to decide.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { systemClock } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import { type DaneCheck, daneProblem } from './dane.ts';
import { insecureBy, type Lost } from './lost.ts';

export interface TlsOptions {
  /** The name the certificate must be for. */
  name: string;
  dane?: DaneCheck | undefined;
  /** PEM certificates trusted beside those of the system. */
  trustedCertificates?: readonly string[];
}

export interface SecuredSocket {
  socket: TLSSocket;
  facts: TlsFacts;
  /** Why the certificate is not valid for the name by the authorities we trust; '' if it is. */
  problem: string;
  /** Why it is not the one the TLSA records speak of; '' if it is, or there are none. */
  daneProblem: string;
}

export type Secured = SecuredSocket | Lost;

/** One handshake on a connected socket. The socket is destroyed when it fails. */
export function secure(socket: Socket, options: TlsOptions, timeoutMs: number): Promise<Secured> {
  // An address literal of a mail domain: the certificate has it without brackets.
  const name = options.name.replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1');
  return new Promise((resolve) => {
    const secured = tlsConnect({
      socket,
      host: name,
      // RFC 6066 §3: an address is no server name.
      ...(isIP(name) === 0 ? { servername: options.dane?.baseDomain ?? name } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
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
      resolve(judge(secured, options.dane));
    });
  });
}

function judge(socket: TLSSocket, dane: DaneCheck | undefined): SecuredSocket {
  const problem = socket.authorized ? '' : String(socket.authorizationError).slice(0, 200);
  const unmatched = dane === undefined ? '' : daneProblem(sentCertificates(socket), dane, systemClock.now());
  const facts = {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    verified: (dane === undefined ? problem : unmatched) === '',
  };
  return { socket, facts, problem, daneProblem: unmatched };
}

/** In the order in which the server sent them: here `issuerCertificate` is simply the next one. */
function sentCertificates(socket: TLSSocket): X509Certificate[] {
  const sent: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && sent.length < limits.certificatePath) {
    sent.push(next);
    next = next.issuerCertificate;
  }
  return sent;
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
