/** A client that submits mail after mail over one session, and opens another when the server is gone. */
import { connect, type Socket } from 'node:net';
import type { Random } from '../../src/base/random.ts';

export interface Accepted {
  relayId: string;
  forwardPaths: string[];
}

export interface ClientFacts {
  /** Asked anew for each session: a server that was started again. */
  address(): { host: string; port: number };
  credentials: { username: string; password: string };
  sender: string;
  random: Random;
  /** A number no other mail of this run has. */
  nextNumber(): number;
  onAccepted(mail: Accepted): void;
  /** The session ended before the reply to the content: nobody knows, the client would send again. */
  onUnanswered(): void;
  onRefused(reply: string): void;
}

const againMs = 50;
const domains = 10;
const mostPaths = 5;
const sizes = [500, 500, 500, 2_000, 2_000, 8_000, 40_000, 200_000];

/** Resolves once aborted, after the mail in hand. */
export async function runClient(facts: ClientFacts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const session = new Session(facts.address());
    try {
      await session.open(facts.credentials);
      while (!stop.aborted) await submitOne(session, facts);
    } catch (fault) {
      if (!(fault instanceof SessionLost)) throw fault;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    } finally {
      session.close();
    }
  }
}

async function submitOne(session: Session, facts: ClientFacts): Promise<void> {
  const { random, sender } = facts;
  const number = facts.nextNumber();
  const forwardPaths = Array.from(
    { length: 1 + Math.floor(random() ** 2 * mostPaths) },
    (_, n) => `m${number}.${n}@d${Math.floor(random() * domains)}.test`,
  );
  const size = sizes[Math.floor(random() * sizes.length)] ?? 500;
  const commands = [`MAIL FROM:<${sender}>`, ...forwardPaths.map((path) => `RCPT TO:<${path}>`), 'DATA'];
  for (const command of commands) {
    const reply = await session.ask(command);
    if (!/^[23]/.test(reply)) {
      facts.onRefused(reply);
      await session.ask('RSET');
      return;
    }
  }
  const reply = await session.ask(contentOf(number, sender, size)).catch((fault: unknown) => {
    facts.onUnanswered();
    throw fault;
  });
  const relayId = /queued as ([0-9a-f]{18})/.exec(reply)?.[1];
  if (relayId) facts.onAccepted({ relayId, forwardPaths });
  else facts.onRefused(reply);
}

function contentOf(number: number, sender: string, size: number): string {
  const line = 'All the mail that is fit to be sent, and then some more of it.\r\n';
  const head = `From: <${sender}>\r\nTo: undisclosed-recipients:;\r\nSubject: number ${number}\r\n\r\n`;
  return `${head}${line.repeat(Math.ceil(size / line.length))}.`;
}

class SessionLost extends Error {}

class Session {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve: (reply: string) => void; reject: (fault: Error) => void } | null = null;
  #lost = false;

  constructor({ host, port }: { host: string; port: number }) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => {
      this.#received += text;
      this.#look();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#lost = true;
      this.#waiting?.reject(new SessionLost('the server is gone'));
    });
  }

  async open({ username, password }: ClientFacts['credentials']): Promise<void> {
    await this.#reply();
    await this.ask('EHLO soak.test');
    const secret = Buffer.from(`\0${username}\0${password}`).toString('base64');
    const reply = await this.ask(`AUTH PLAIN ${secret}`);
    if (!reply.startsWith('235')) throw new SessionLost(`not let in: ${reply}`);
  }

  ask(command: string): Promise<string> {
    if (this.#lost) return Promise.reject(new SessionLost('the server is gone'));
    this.#socket.write(`${command}\r\n`);
    return this.#reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  #reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#lost) return reject(new SessionLost('the server is gone'));
      this.#waiting = { resolve, reject };
      this.#look();
    });
  }

  #look(): void {
    const whole = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/.exec(this.#received)?.[0];
    if (!whole || !this.#waiting) return;
    this.#received = this.#received.slice(whole.length);
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(whole);
  }
}
