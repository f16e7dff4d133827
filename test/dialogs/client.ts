/** The client's end of a dialog: sends bytes, reads lines, changes to TLS, hangs up in every way. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Longer than any answer takes; a dialog that waits so long has failed. */
const patienceMs = 60_000;
/** A write that takes so many turns on loopback is not being read. */
const heldTurns = 10;
const turnMs = 30;

export class DialogClient {
  #socket: Socket;
  /** Whole lines, and what has no end yet. */
  #lines: string[] = [];
  #partial = '';
  /** Lines read so far. */
  #at = 0;
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
      const lines = `${this.#partial}${piece.toString('latin1')}`.split('\r\n');
      this.#partial = lines.pop() ?? '';
      this.#lines.push(...lines);
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

  /** Sends the piece again and again until the server reads no more, or `times` is reached; returns the bytes. */
  async sendUntilHeld(piece: string, times: number): Promise<number> {
    for (let n = 0; n < times; n += 1) {
      let written = false;
      this.#socket.write(piece, 'latin1', () => {
        written = true;
        this.#wake?.();
      });
      // Several turns, for one turn of a busy server may take long in a process that is client as well.
      for (let turn = 0; turn < heldTurns && !written; turn += 1) await this.#wakeOr(turnMs);
      if (!written) return n * piece.length;
    }
    return times * piece.length;
  }

  #wakeOr(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The next line without CRLF. */
  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === null) throw new Error(`the server closed instead of sending a line; unread: ${this.unread}`);
    return line;
  }

  /** Null: the server has closed. */
  async lineOrEnd(): Promise<string | null> {
    if (this.#at < this.#lines.length) return this.#next();
    this.#lines = [];
    this.#at = 0;
    await this.#until(() => this.#lines.length > 0 || this.#over, 'a line');
    return this.#lines.length > 0 ? this.#next() : null;
  }

  #next(): string {
    this.#at += 1;
    return this.#lines[this.#at - 1] ?? '';
  }

  async closedByServer(): Promise<void> {
    await this.#until(() => this.#over, 'the server to close');
  }

  get unread(): string {
    return JSON.stringify([...this.#lines.slice(this.#at), this.#partial].join('\n'));
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners('data');
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    this.#socket = secure;
    this.#partial = '';
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
