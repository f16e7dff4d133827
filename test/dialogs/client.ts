/** The client's end of a dialog: sends bytes, reads lines, changes to TLS, hangs up in every way. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Longer than any answer takes; a dialog that waits so long has failed. */
const patienceMs = 5_000;

export class DialogClient {
  #socket: Socket;
  #received = '';
  #over = false;
  /** What the one waiting reader does when something came. */
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async connect(port: number, implicitTls = false): Promise<DialogClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    const client = new DialogClient(socket);
    if (implicitTls) await client.startTls();
    return client;
  }

  #listen(socket: Socket): void {
    socket.on('data', (piece: Buffer) => {
      this.#received += piece.toString('latin1');
      this.#wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.#over = true;
        this.#wake?.();
      });
    }
  }

  /** `text` is bytes, one character each. */
  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The next line without CRLF. */
  async line(): Promise<string> {
    await this.#until(() => this.#received.includes('\r\n') || this.#over, 'a line');
    const end = this.#received.indexOf('\r\n');
    if (end === -1) throw new Error(`the server closed instead of sending a line; unread: ${this.unread}`);
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 2);
    return line;
  }

  /** All lines of one reply. */
  async reply(): Promise<string[]> {
    const lines = [await this.line()];
    while (lines.at(-1)?.[3] === '-') lines.push(await this.line());
    return lines;
  }

  async closedByServer(): Promise<void> {
    await this.#until(() => this.#over, 'the server to close');
  }

  get unread(): string {
    return JSON.stringify(this.#received);
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners('data');
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    this.#socket = secure;
    this.#received = '';
    this.#listen(secure);
    await once(secure, 'secureConnect');
  }

  /** FIN: we say no more, and still listen. */
  end(): void {
    this.#socket.end();
  }

  /** RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const late = AbortSignal.timeout(patienceMs);
    while (!condition()) {
      if (late.aborted) throw new Error(`waited in vain for ${what}; unread: ${this.unread}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        late.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wake = null;
    }
  }
}
