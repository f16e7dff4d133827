/**
 * One client's socket: replies gathered into one write, TLS taken up on the way, a close that lets the last
 * reply arrive. It knows nothing of SMTP.
 *
 * The socket may be half closed: a client that says all it has to say and sends FIN still gets its answers.
 */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import type { ClientFacts } from './handler.ts';

export interface ConnectionBounds {
  idleMs: number;
  /** How long the last reply may take to be read, and the client to close. */
  lingerMs: number;
}

export interface ConnectionListener {
  received(piece: Buffer): void;
  /** The client sends no more. */
  ended(): void;
  /** Nothing moved for the idle time. */
  idle(): void;
  /** The client has read what was waiting; until then `flush` said false. */
  drained(): void;
  secured(tls: NonNullable<ClientFacts['tls']>): void;
  /** Comes last and once. `fault` is what the socket said, '' for an orderly end. */
  closed(fault: string): void;
}

export class Connection {
  readonly #listener: ConnectionListener;
  readonly #bounds: ConnectionBounds;
  /** Over the handshake, then over the wait for the client's close. */
  readonly #deadline: Deadline;
  #socket: Socket;
  #unsent = '';
  #reading = true;
  #finished = false;
  #closed = false;
  #lingerBytes = 0;
  #fault = '';

  constructor(socket: Socket, bounds: ConnectionBounds, listener: ConnectionListener) {
    this.#listener = listener;
    this.#bounds = bounds;
    this.#deadline = new Deadline(() => this.destroy('timeout'));
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /** Gathers text; `flush` sends it. */
  send(text: string): void {
    this.#unsent += text;
  }

  /** False: the client does not read; `drained` comes when it has. */
  flush(): boolean {
    if (this.#unsent === '' || this.#finished) return true;
    const text = this.#unsent;
    this.#unsent = '';
    return this.#socket.write(text, 'latin1');
  }

  /** Whether to read on. */
  read(on: boolean): void {
    if (on === this.#reading || this.#finished) return;
    this.#reading = on;
    if (on) this.#socket.resume();
    else this.#socket.pause();
  }

  /** Sends what is gathered and closes our side. What the client still sends is read and dropped, in bounds. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#deadline.set(this.#bounds.lingerMs);
    this.#socket.end(this.#unsent, 'latin1');
    this.#socket.resume();
  }

  destroy(fault: string): void {
    this.#fault ||= fault;
    this.#socket.destroy();
  }

  /** Sends what is gathered and begins TLS as the server. What comes from now on belongs to the handshake. */
  secure(context: SecureContext): void {
    const plain = this.#socket;
    plain.pause();
    this.flush();
    for (const event of ['data', 'end', 'timeout', 'drain', 'close']) plain.removeAllListeners(event);
    plain.setTimeout(0);
    this.#deadline.set(limits.tlsHandshakeMs);
    const secure = new TLSSocket(plain, { isServer: true, secureContext: context, requestCert: false });
    this.#socket = secure;
    this.#reading = true;
    this.#listen(secure);
    secure.once('secure', () => this.#secured(secure));
  }

  #secured(secure: TLSSocket): void {
    this.#deadline.clear();
    const { name } = secure.getCipher();
    this.#listener.secured({ version: secure.getProtocol() ?? 'unknown', cipher: name });
  }

  #listen(socket: Socket): void {
    socket.setTimeout(this.#bounds.idleMs);
    socket.on('data', (piece: Buffer) => this.#received(piece));
    socket.on('end', () => this.#ended());
    socket.on('timeout', () => this.#idle());
    socket.on('drain', () => this.#listener.drained());
    socket.on('error', (error: NodeJS.ErrnoException) => this.destroy(error.code ?? error.message));
    socket.on('close', () => this.#close());
  }

  #received(piece: Buffer): void {
    if (!this.#finished) {
      this.#listener.received(piece);
      return;
    }
    this.#lingerBytes += piece.length;
    if (this.#lingerBytes > limits.smtpLingerBytes) this.destroy('flood');
  }

  #ended(): void {
    if (!this.#finished) this.#listener.ended();
  }

  #idle(): void {
    if (!this.#finished) this.#listener.idle();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.clear();
    this.#listener.closed(this.#fault);
  }
}
