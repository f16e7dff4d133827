/**
 * One connection as a conversation sees it: bytes out, replies in, every wait bounded. Whatever goes wrong,
 * from a reset to a reply that is none, becomes one value, and the connection is dropped at once.
 */
import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import { formatReply, type ReceivedReply, ReplyReader } from '../protocol/smtp/reply-reader.ts';
import { type Lost, lostBy } from './lost.ts';

export type Heard = ReceivedReply | Lost;

export function isLost(heard: Heard): heard is Lost {
  return 'cause' in heard;
}

export class Wire {
  #socket: Socket;
  readonly #reader = new ReplyReader();
  #lost: Lost | null = null;
  /** Waits for a reply. */
  #hearer: ((heard: Heard) => void) | null = null;
  /** Waits until a block is taken, or there is no point in sending more. */
  #sender: (() => void) | null = null;
  readonly #deadline = new Deadline((timeoutMs) => {
    this.drop({ cause: 'timeout', text: `no answer within ${timeoutMs / 1000} seconds` });
  });

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#attach();
  }

  /** Alive, and nothing was said that no one asked for. */
  get quiet(): boolean {
    return this.#lost === null && !this.#reader.begun;
  }

  get sendingIp(): string {
    return this.#socket.localAddress ?? '';
  }

  write(commands: string): void {
    if (this.#lost === null) this.#socket.write(commands);
  }

  /** Says one or more commands and hears the answer to the first of them. */
  async ask(commands: string, timeoutMs: number): Promise<Heard> {
    if (!this.quiet) return this.hearUnasked(timeoutMs);
    this.write(commands);
    return this.hear(timeoutMs);
  }

  /**
   * The peer spoke although nothing was asked. Only 421 can be taken at its word then (RFC 5321 §3.8); any
   * other reply would be taken for the answer to what we say next.
   */
  async hearUnasked(timeoutMs: number): Promise<Heard> {
    const heard = await this.hear(timeoutMs);
    if (isLost(heard) || heard.code === 421) return heard;
    const lost: Lost = { cause: 'protocol', text: `an answer to nothing: ${formatReply(heard, null)}` };
    this.drop(lost);
    return lost;
  }

  /** Several buffers in one write to the system. */
  writeTogether(buffers: readonly Buffer[]): void {
    if (this.#lost !== null) return;
    this.#socket.cork();
    for (const buffer of buffers) this.#socket.write(buffer);
    this.#socket.uncork();
  }

  /** Writes and waits until the system took it, the peer speaks, or the connection is lost. */
  async writeBlock(block: Buffer, timeoutMs: number): Promise<void> {
    if (this.#lost !== null) return;
    await new Promise<void>((resolve) => {
      this.#deadline.set(timeoutMs);
      this.#sender = resolve;
      this.#socket.write(block, () => this.#release());
    });
  }

  /** The next reply. What was said before the connection was lost is heard first. */
  hear(timeoutMs: number): Heard | Promise<Heard> {
    assert(this.#hearer === null, 'one reply is awaited at a time');
    const heard = this.heard();
    if (heard !== null) return heard;
    // Set once for the whole reply: a peer that sends a byte now and then gains nothing by it.
    this.#deadline.set(timeoutMs);
    return new Promise((resolve) => {
      this.#hearer = resolve;
    });
  }

  /** The next reply if it is there already, or how the connection was lost; else null. */
  heard(): Heard | null {
    const reply = this.#reader.next();
    if (reply === null) return this.#lost;
    if ('code' in reply) return reply;
    this.drop({ cause: 'protocol', text: reply.fault });
    return this.#lost;
  }

  /** Ends the connection without farewell. The first reason counts. */
  drop(lost: Lost): void {
    this.#lost ??= lost;
    this.#socket.destroy();
    this.#tellLost();
  }

  /** Ends the connection once everything written has left. */
  close(): void {
    this.#lost ??= { cause: 'connection-lost', text: 'connection closed' };
    this.#socket.destroySoon();
    this.#tellLost();
  }

  /** Hands the socket over, for a TLS handshake. */
  detach(): Socket {
    assert(this.quiet, 'a socket is handed over between commands');
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
    this.#socket.off('error', this.#onError);
    return this.#socket;
  }

  /** Goes on with the socket that came out of the handshake. */
  reattach(socket: Socket): void {
    this.#socket = socket;
    this.#attach();
  }

  #attach(): void {
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onEnd);
    this.#socket.on('error', this.#onError);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    if (this.#hearer !== null) {
      const heard = this.heard();
      if (heard !== null) this.#answer(heard);
    } else if (this.#reader.heldBytes > limits.replyBytes) {
      this.drop({ cause: 'protocol', text: 'the peer speaks out of turn and does not stop' });
    }
    this.#release();
  };

  readonly #onEnd = (): void => {
    const said = this.#reader.partialText;
    this.drop({
      cause: 'connection-lost',
      text: said === '' ? 'connection closed by the peer' : `connection closed within a reply: ${said}`,
    });
  };

  readonly #onError = (error: Error): void => this.drop(lostBy(error));

  #tellLost(): void {
    this.#deadline.clear();
    if (this.#hearer !== null && this.#lost !== null) this.#answer(this.#lost);
    this.#release();
  }

  #answer(heard: Heard): void {
    const hearer = this.#hearer;
    this.#hearer = null;
    this.#deadline.clear();
    hearer?.(heard);
  }

  #release(): void {
    if (this.#sender === null) return;
    const sender = this.#sender;
    this.#sender = null;
    this.#deadline.clear();
    sender();
  }
}
