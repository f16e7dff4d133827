/**
 * A server that says what a test tells it to, for the sending side: a list of steps for each connection. It
 * listens on loopback at a port the system chooses, and keeps what the client did.
 */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface Connection {
  /** Lines the client sent, without their ends; contents as one string each. */
  heard: string[];
  /** Sizes of what arrived together. */
  chunks: number[];
  tls: boolean;
}

type Step = (peer: Peer) => Promise<void>;
export type Script = readonly Step[];

/** Writes lines; each gets its CRLF. */
export function say(...lines: string[]): Step {
  return (peer) => peer.write(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
}

export function sayRaw(bytes: Buffer | string): Step {
  return (peer) => peer.write(Buffer.from(bytes as string));
}

/** Says the same again and again until the client is gone. */
export function sayForever(bytes: string): Step {
  return async (peer) => {
    while (!peer.gone) {
      await peer.write(Buffer.from(bytes));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/** Reads one line, which must be this or match. */
export function expectLine(expected: string | RegExp): Step {
  return async (peer) => {
    const line = await peer.readLine();
    if (typeof expected === 'string') assert.equal(line, expected);
    else assert.match(line, expected);
  };
}

/** Reads to the lone period; dots are left as they came. */
export const expectContent: Step = (peer) => peer.readContent();

/** Reads this many bytes of content, and no further. */
export function expectBytes(count: number): Step {
  return (peer) => peer.readBytes(count);
}

export function startTls(identity: Identity): Step {
  return (peer) => peer.startTls(identity);
}

export const close: Step = async (peer) => {
  peer.socket.end();
};
export const reset: Step = async (peer) => {
  peer.socket.resetAndDestroy();
};
/** Says no more until the client goes away. */
export const silence: Step = (peer) => peer.untilGone();

export interface Identity {
  key: string;
  cert: string;
}

/** Reads no more, and keeps the connection open. */
export const turnDeaf: Step = async (peer) => {
  peer.socket.pause();
};

/** EHLO answered with these keywords, after the greeting. */
export function hello(...keywords: string[]): Script {
  return [say('220 mx.test ESMTP'), expectLine(/^EHLO /), ...helloAgain(...keywords).slice(1)];
}

export function helloAgain(...keywords: string[]): Script {
  const lines = ['mx.test', ...keywords];
  return [
    expectLine(/^EHLO /),
    say(...lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}`)),
  ];
}

export interface ScriptServer {
  port: number;
  connections: Connection[];
  /** Until every script has run to its end; rejects with the first step that failed. */
  finished(): Promise<void>;
  close(): Promise<void>;
}

export async function startScriptServer(
  scripts: readonly Script[],
  address = '127.0.0.1',
): Promise<ScriptServer> {
  const connections: Connection[] = [];
  const runs: Promise<void>[] = [];
  const sockets = new Set<Socket>();
  const pending = scripts.map(() => Promise.withResolvers<void>());
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const script = scripts[runs.length];
    const peer = new Peer(socket);
    sockets.add(socket);
    connections.push(peer.connection);
    if (script === undefined) return socket.destroy();
    const { resolve, reject } = pending[runs.length] ?? Promise.withResolvers<void>();
    runs.push(peer.run(script).then(resolve, reject));
  });
  for (const { promise } of pending) promise.catch(() => {});
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    finished: async () => {
      await Promise.all(pending.map(({ promise }) => promise));
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
}

class Peer {
  socket: Socket;
  readonly connection: Connection = { heard: [], chunks: [], tls: false };
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.#attach();
  }

  get gone(): boolean {
    return this.#ended || this.socket.destroyed;
  }

  async run(script: Script): Promise<void> {
    try {
      for (const step of script) await step(this);
    } catch (error) {
      this.socket.destroy();
      throw error;
    }
  }

  async write(bytes: Buffer): Promise<void> {
    // A client that has gone away is no failure of the script.
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
  }

  async readLine(): Promise<string> {
    const line = await this.#readThrough('\r\n');
    this.connection.heard.push(line);
    return line;
  }

  async readContent(): Promise<void> {
    while (
      !this.#received.toString('latin1').startsWith('.\r\n') &&
      this.#received.indexOf('\r\n.\r\n') === -1
    ) {
      await this.#more();
    }
    const end = this.#received.toString('latin1').startsWith('.\r\n')
      ? 3
      : this.#received.indexOf('\r\n.\r\n') + 5;
    this.connection.heard.push(this.#take(end));
  }

  async readBytes(count: number): Promise<void> {
    while (this.#received.length < count) await this.#more();
    this.#take(count);
  }

  async startTls({ key, cert }: Identity): Promise<void> {
    this.socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
    this.socket.on('error', () => {});
    const secured = new TLSSocket(this.socket, {
      isServer: true,
      secureContext: createSecureContext({ key, cert }),
    });
    this.socket = secured;
    this.connection.tls = true;
    this.#attach();
  }

  async untilGone(): Promise<void> {
    while (!this.gone) await this.#arrival();
  }

  async #readThrough(end: string): Promise<string> {
    while (this.#received.indexOf(end) === -1) await this.#more();
    const line = this.#take(this.#received.indexOf(end) + end.length);
    return line.slice(0, -end.length);
  }

  #take(length: number): string {
    const taken = this.#received.subarray(0, length).toString('latin1');
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #more(): Promise<void> {
    assert.ok(
      !this.gone,
      `the client went away; it had said ${JSON.stringify(this.connection.heard.slice(-3))}`,
    );
    await this.#arrival();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #attach(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.connection.chunks.push(chunk.length);
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    this.socket.on('end', ended);
    this.socket.on('close', ended);
    this.socket.on('error', ended);
  }
}
