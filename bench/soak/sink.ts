/**
 * A receiving server that behaves as badly as the network does: slow, refusing for now or for good, hanging up at
 * any point, also after it has taken the content and before it says so. Once calm it takes everything.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Random } from '../../src/base/random.ts';

export interface BadSink {
  port: number;
  /** How often each forward-path got a content, whether or not the reply to it arrived. */
  arrived: Map<string, number>;
  /** From now on everything is taken at once. */
  calm(): void;
  close(): Promise<void>;
}

/** How often, of 1000. */
const odds = {
  greeting: { hangUp: 20, refuseForNow: 20 },
  rcpt: { hangUp: 2, refuseForNow: 80, refuse: 30 },
  content: { hangUpBefore: 5, hangUpAfter: 10, refuseForNow: 20, refuse: 10 },
};
const longestDelayMs = 40;
const delayed = 300;

export async function startBadSink(random: Random): Promise<BadSink> {
  const arrived = new Map<string, number>();
  const sockets = new Set<Socket>();
  const mood = { calm: false };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    new SinkSession(socket, { arrived, mood, random }).start();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arrived,
    calm: () => {
      mood.calm = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface SinkFacts {
  arrived: Map<string, number>;
  mood: { calm: boolean };
  random: Random;
}

const endOfData = Buffer.from('\r\n.\r\n');

class SinkSession {
  readonly #socket: Socket;
  readonly #facts: SinkFacts;
  #received: Buffer = Buffer.alloc(0);
  #paths: string[] = [];
  #inContent = false;
  #answering = false;

  constructor(socket: Socket, facts: SinkFacts) {
    this.#socket = socket;
    this.#facts = facts;
  }

  start(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      void this.#work();
    });
    if (this.#happens(odds.greeting.hangUp)) this.#socket.destroy();
    else if (this.#happens(odds.greeting.refuseForNow)) this.#socket.end('421 4.3.2 Not now\r\n');
    else this.#socket.write('220 sink.test ESMTP\r\n');
  }

  #happens(of1000: number): boolean {
    return !this.#facts.mood.calm && this.#facts.random() * 1000 < of1000;
  }

  /** One command after the other, each answered before the next is looked at. */
  async #work(): Promise<void> {
    if (this.#answering) return;
    this.#answering = true;
    for (let next = this.#next(); next !== null && !this.#socket.destroyed; next = this.#next()) {
      if (this.#happens(delayed)) await this.#delay();
      this.#answer(next);
    }
    this.#answering = false;
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#facts.random() * longestDelayMs));
  }

  #next(): string | null {
    const end = this.#inContent ? endOfData : Buffer.from('\r\n');
    const at = this.#received.indexOf(end);
    if (at === -1) return null;
    const text = this.#inContent ? '' : this.#received.toString('latin1', 0, at);
    this.#received = this.#received.subarray(at + end.length);
    return text;
  }

  #answer(command: string): void {
    const verb = command.slice(0, 4).toUpperCase();
    if (this.#inContent) this.#answerContent();
    else if (verb === 'EHLO') this.#say('250-sink.test', '250-PIPELINING', '250 8BITMIME');
    else if (verb === 'MAIL' || verb === 'RSET') {
      this.#paths = [];
      this.#say('250 2.0.0 Ok');
    } else if (verb === 'RCPT') this.#answerRcpt(/<([^>]*)>/.exec(command)?.[1] ?? '');
    else if (verb === 'DATA') this.#answerData();
    else if (verb === 'QUIT') this.#socket.end('221 2.0.0 Bye\r\n');
    else this.#say('502 5.5.1 What?');
  }

  #answerRcpt(path: string): void {
    if (this.#happens(odds.rcpt.hangUp)) this.#socket.destroy();
    else if (this.#happens(odds.rcpt.refuseForNow)) this.#say('450 4.2.0 Later');
    else if (this.#happens(odds.rcpt.refuse)) this.#say('550 5.1.1 Nobody of that name');
    else {
      this.#paths.push(path);
      this.#say('250 2.1.5 Ok');
    }
  }

  #answerData(): void {
    this.#inContent = this.#paths.length > 0;
    this.#say(this.#inContent ? '354 Go on' : '554 5.5.1 No valid recipients');
  }

  #answerContent(): void {
    this.#inContent = false;
    if (this.#happens(odds.content.hangUpBefore)) this.#socket.destroy();
    else if (this.#happens(odds.content.refuseForNow)) this.#say('451 4.3.0 Later');
    else if (this.#happens(odds.content.refuse)) this.#say('554 5.7.1 Not this one');
    else {
      const { arrived } = this.#facts;
      for (const path of this.#paths) arrived.set(path, (arrived.get(path) ?? 0) + 1);
      if (this.#happens(odds.content.hangUpAfter)) this.#socket.destroy();
      else this.#say('250 2.0.0 Taken');
    }
  }

  #say(...lines: string[]): void {
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }
}
