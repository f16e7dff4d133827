/**
 * From nothing to a session: TCP, greeting, EHLO or HELO (RFC 5321 §3.1, §3.2), STARTTLS (RFC 3207), AUTH.
 * Each step either succeeds or is the observation that ends the attempt.
 */
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { assert } from '../base/assert.ts';
import { Deadline } from '../base/deadline.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import { type Extensions, noExtensions, parseExtensions } from '../protocol/smtp/extensions.ts';
import { authenticate } from './authentication.ts';
import { type Lost, unreachedBy, unreachedFrom } from './lost.ts';
import {
  codeOf,
  isClosing,
  isNegative,
  isPositive,
  observe,
  observeFailure,
  unsupported,
} from './observation.ts';
import { Session } from './session.ts';
import type { Connect, ConnectOptions, FailedConnection, Observation, SmtpSession } from './smtp-client.ts';
import { type Secured, type SecuredSocket, secure } from './tls.ts';
import { Wire } from './wire.ts';

type TlsUse = ConnectOptions['tls'];
type Failed = FailedConnection;
/** An attempt that failed in the handshake may be made again without one. */
type Attempted = { session: SmtpSession } | (Failed & { inHandshake: boolean });

export const connect: Connect = async (options) => {
  assert(/^[\x21-\x7e]+$/.test(options.greetingName), 'the greeting name is one word');
  assert(
    !options.requireTls || options.tls === 'required' || options.tls === 'implicit',
    'TLS is not optional',
  );
  assert(isIP(options.target.address) !== 0, 'an address is known before a connection is made');
  let attempted = await attempt(options, options.tls);
  // RFC 7435: some protection most of the time. The session says that it has no TLS.
  if ('failed' in attempted && attempted.inHandshake && options.tls === 'opportunistic') {
    attempted = await attempt(options, 'none', attempted.failed.text);
  }
  if ('session' in attempted) return attempted.session;
  return { failed: attempted.failed, sendingIp: attempted.sendingIp, tls: attempted.tls };
};

/** `shortfall`: why there will be no TLS, if it was tried before. */
async function attempt(options: ConnectOptions, tls: TlsUse, shortfall = ''): Promise<Attempted> {
  const socket = await openSocket(options);
  if ('cause' in socket) {
    const sendingIp = options.localAddress ?? '';
    return { failed: observe('connect', socket), sendingIp, tls: null, inHandshake: false };
  }
  const sendingIp = socket.localAddress ?? '';
  const opening = new Opening(options, socket, shortfall);
  const failed = await opening.run(tls);
  if (failed === null) return { session: opening.session() };
  opening.leave();
  return { failed, sendingIp, tls: opening.facts, inHandshake: opening.inHandshake };
}

function openSocket(options: ConnectOptions): Promise<Socket | Lost> {
  const { target, localAddress, timeouts } = options;
  return new Promise((resolve) => {
    const socket = tcpConnect({
      host: target.address,
      port: target.port,
      // Without it every small write waits for the acknowledgement of the one before it.
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const fail = (lost: Lost) => {
      deadline.clear();
      socket.destroy();
      resolve(lost);
    };
    const failBy = (error: Error) =>
      fail(localAddress === undefined ? unreachedBy(error) : unreachedFrom(localAddress, error));
    const deadline = new Deadline((ms) => {
      fail({ cause: 'timeout', text: `no connection within ${ms / 1000} seconds` });
    });
    deadline.set(timeouts.connectMs);
    socket.once('error', failBy);
    socket.once('connect', () => {
      deadline.clear();
      resolve(socket);
      socket.off('error', failBy);
    });
  });
}

/** The steps from a connected socket to a session. */
class Opening {
  readonly #options: ConnectOptions;
  readonly #socket: Socket;
  #wire: Wire | null = null;
  #extensions: Extensions = noExtensions;
  facts: TlsFacts | null = null;
  #shortfall: string;
  inHandshake = false;

  constructor(options: ConnectOptions, socket: Socket, shortfall: string) {
    this.#options = options;
    this.#socket = socket;
    this.#shortfall = shortfall;
  }

  /** Null: all went well. */
  async run(tls: TlsUse): Promise<Observation | null> {
    return (
      (tls === 'implicit' ? await this.#secureFirst() : this.#plainFirst()) ??
      (await this.#hearGreeting()) ??
      (await this.#hello()) ??
      (tls === 'none' || tls === 'implicit' ? null : await this.#startTls(tls)) ??
      this.#checkRequireTls() ??
      (await this.#authenticate())
    );
  }

  session(): SmtpSession {
    return new Session(this.#live, this.#extensions, this.#security, this.#options.timeouts);
  }

  get #security() {
    return { tls: this.facts, tlsShortfall: this.#shortfall };
  }

  /** Says goodbye without waiting for an answer. */
  leave(): void {
    this.#wire?.write('QUIT\r\n');
    this.#wire?.close();
    this.#socket.destroySoon();
  }

  get #live(): Wire {
    assert(this.#wire !== null, 'the first step makes the wire');
    return this.#wire;
  }

  #plainFirst(): null {
    this.#wire = new Wire(this.#socket);
    return null;
  }

  async #secureFirst(): Promise<Observation | null> {
    const secured = await this.#handshake(this.#socket);
    if ('cause' in secured) return observe('tls', secured);
    this.#wire = new Wire(secured.socket);
    return this.#checkCertificate(secured, 'implicit');
  }

  async #hearGreeting(): Promise<Observation | null> {
    const heard = await this.#live.hear(this.#options.timeouts.greetingMs);
    if (codeOf(heard) === 220) return null;
    return observeFailure('greeting', heard, this.#live);
  }

  /** EHLO, or HELO for a server that refuses it (RFC 5321 §3.2). */
  async #hello(): Promise<Observation | null> {
    const { greetingName, timeouts } = this.#options;
    const extended = await this.#live.ask(`EHLO ${greetingName}\r\n`, timeouts.commandMs);
    if (isPositive(extended)) {
      this.#extensions = parseExtensions(extended.text);
      return null;
    }
    if (codeOf(extended) < 500) return observeFailure('ehlo', extended, this.#live);
    const plain = await this.#live.ask(`HELO ${greetingName}\r\n`, timeouts.commandMs);
    this.#extensions = noExtensions;
    return isPositive(plain) ? null : observeFailure('ehlo', plain, this.#live);
  }

  async #startTls(tls: 'opportunistic' | 'encrypted' | 'required'): Promise<Observation | null> {
    if (!this.#extensions.startTls) {
      const text = 'the server does not offer STARTTLS';
      if (this.#options.requireTls) return lacksRequireTls(text);
      return tls === 'opportunistic' ? this.#goOnInPlainText(text) : unsupported('tls', '4.7.4', text);
    }
    const heard = await this.#live.ask('STARTTLS\r\n', this.#options.timeouts.commandMs);
    if (isNegative(heard) && !isClosing(heard) && tls === 'opportunistic') {
      return this.#goOnInPlainText(`the server refuses STARTTLS with ${codeOf(heard)}`);
    }
    if (!isPositive(heard)) return observeFailure('tls', heard, this.#live);
    if (!this.#live.quiet) return this.#refuseInjection();
    const secured = await this.#handshake(this.#live.detach());
    if ('cause' in secured) return observe('tls', secured);
    this.#live.reattach(secured.socket);
    // RFC 3207 §4.2: what was said before the handshake is forgotten.
    return this.#checkCertificate(secured, tls) ?? this.#hello();
  }

  #goOnInPlainText(why: string): null {
    this.#shortfall = why;
    return null;
  }

  /** Plain text behind the answer would be taken for replies under TLS. */
  #refuseInjection(): Observation {
    const text = 'the peer went on in plain text after its answer to STARTTLS';
    this.#live.drop({ cause: 'protocol', text });
    return observe('tls', { cause: 'protocol', text });
  }

  async #handshake(socket: Socket): Promise<Secured> {
    const { target, dane, trustedCertificates, timeouts } = this.#options;
    const options = {
      name: target.name,
      dane,
      ...(trustedCertificates === undefined ? {} : { trustedCertificates }),
    };
    const secured = await secure(socket, options, timeouts.commandMs);
    if ('cause' in secured) this.inHandshake = true;
    else this.facts = secured.facts;
    return secured;
  }

  /** Null: this certificate will do. What it lacks beyond what was asked for is noted. */
  #checkCertificate({ problem, daneProblem }: SecuredSocket, tls: TlsUse): Observation | null {
    const invalid = problem === '' ? '' : `the certificate of the server is not valid: ${problem}`;
    const wanted = tls === 'required' || tls === 'implicit' ? invalid : '';
    const text = daneProblem === '' ? wanted : daneProblem;
    if (text === '') {
      this.#shortfall = this.#options.dane === undefined ? invalid : '';
      return null;
    }
    if (this.#options.requireTls) return lacksRequireTls(text);
    return observe('tls', { cause: 'tls', text });
  }

  #checkRequireTls(): Observation | null {
    if (!this.#options.requireTls || this.#extensions.requireTls) return null;
    return lacksRequireTls('the server does not offer REQUIRETLS');
  }

  async #authenticate(): Promise<Observation | null> {
    const { credentials, tls, timeouts } = this.#options;
    if (credentials === undefined) return null;
    if (this.facts === null && tls !== 'none') {
      return observe('auth', { cause: 'tls', text: 'credentials are not sent without TLS' });
    }
    return authenticate(this.#live, this.#extensions, credentials, timeouts);
  }
}

/** Known before MAIL is said, so another server may be tried. RFC 8689 §4.2 has the status. */
function lacksRequireTls(text: string): Observation {
  return unsupported('ehlo', '5.7.30', `${text}, and the mail requires TLS all the way`);
}
