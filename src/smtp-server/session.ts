/**
 * One SMTP session from greeting to close: takes what the connection received, line by line or as content,
 * and sends the answers. What each command does is in `verbs.ts`; this is the order of things.
 *
 * While a mail is being submitted, its session reads nothing more: that is the backpressure.
 */
import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { ChunkReader } from './chunk-reader.ts';
import { Connection, type ConnectionListener } from './connection.ts';
import { type BreakingFault, DataReader } from './data-reader.ts';
import type { ClientFacts, SessionSubmission, SmtpHandler } from './handler.ts';
import { type CommandLine, ReceivedBytes } from './received-bytes.ts';
import { type Answer, farewell, replies, reply } from './replies.ts';
import {
  type Chunk,
  forget,
  logFields,
  newState,
  protocolOf,
  type SessionRules,
  type SessionState,
  type Transaction,
} from './session-state.ts';
import { answerCommand, answerExchange, maxContentBytesOf, refused, tooBig, tooMuch } from './verbs.ts';

export interface SessionOptions {
  socket: Socket;
  /** Number of the session, for the log. */
  id: number;
  client: ClientFacts;
  /** TLS from the first byte. */
  implicitTls: boolean;
  rules: SessionRules;
  onClosed: () => void;
}

/** What comes next. `reply`: from our own handler. `nothing`: the session is over. */
type Awaited = 'line' | 'content' | 'chunk' | 'reply' | 'tls' | 'nothing';

const lineRefusals = {
  'bare-lf': replies.bareLf,
  'too-long': replies.lineTooLong,
  'not-text': replies.notText,
} as const;

/** Two servers may disagree where such content ends, so nothing that follows it can be trusted (CVE-2023-51764). */
const brokenContent: Readonly<Record<BreakingFault, Answer>> = {
  'bare-cr': farewell(554, '5.6.0', 'Content has a CR without LF; lines end with CRLF'),
  'bare-lf': farewell(554, '5.6.0', 'Content has an LF without CR; lines end with CRLF'),
  nul: farewell(554, '5.6.0', 'Content has a NUL character'),
};
/** In a chunk the same is no danger: where it ends was said before. */
const brokenChunk: Readonly<Record<BreakingFault, Answer>> = {
  'bare-cr': { ...brokenContent['bare-cr'], next: 'command' },
  'bare-lf': { ...brokenContent['bare-lf'], next: 'command' },
  nul: { ...brokenContent.nul, next: 'command' },
};
const lineTooLong = reply(554, '5.6.0', `Content has a line longer than ${limits.textLineBytes} bytes`);

export class SmtpSession implements ConnectionListener {
  readonly #connection: Connection;
  readonly #rules: SessionRules;
  readonly #state: SessionState;
  readonly #implicitTls: boolean;
  readonly #onClosed: () => void;
  readonly #received = new ReceivedBytes(limits.authLineBytes, limits.smtpSkippedLineBytes);
  readonly #endsAt: number;
  #awaited: Awaited = 'line';
  #greeted = false;
  #content: DataReader | null = null;
  /** Bytes taken from the memory for contents. */
  #memoryBytes = 0;
  #noRoom = false;
  #errors = 0;
  /** The client does not read its replies: no more are made until it has. */
  #blocked = false;
  #clientEnded = false;
  #draining = false;

  constructor({ socket, id, client, implicitTls, rules, onClosed }: SessionOptions) {
    this.#rules = rules;
    this.#state = newState(rules, id, client);
    this.#implicitTls = implicitTls;
    this.#onClosed = onClosed;
    this.#endsAt = rules.clock.now() + rules.bounds.sessionMs;
    this.#connection = new Connection(socket, rules.bounds, this);
  }

  start(): void {
    this.#rules.log.debug(logFields(this.#state), 'session begins');
    if (this.#implicitTls) this.#beginTls();
    else this.#greet();
  }

  /** Ends the session as soon as no mail is under way. */
  drain(): void {
    this.#draining = true;
    if (this.#awaited === 'tls') this.#connection.destroy('stopping');
    else if (this.#isIdle()) this.#end(replies.shuttingDown);
  }

  /** Ends the session, unless its mail is being submitted: that is waited for. */
  cut(): void {
    this.#draining = true;
    if (this.#awaited === 'tls') this.#connection.destroy('stopping');
    else if (this.#awaited !== 'reply') this.#end(replies.shuttingDown);
  }

  received(piece: Buffer): void {
    if (this.#awaited === 'nothing') return;
    const late = this.#rules.clock.now() >= this.#endsAt;
    if (late && this.#awaited !== 'reply') {
      this.#end(replies.sessionTooLong);
      return;
    }
    this.#received.add(piece);
    this.#advance();
  }

  /** What was sent before the end is answered; a mail whose end mark never came is not accepted. */
  ended(): void {
    this.#clientEnded = true;
    if (this.#awaited !== 'reply') this.#close();
  }

  idle(): void {
    if (this.#awaited !== 'reply') this.#end(replies.idle);
  }

  drained(): void {
    this.#blocked = false;
    this.#advance();
  }

  secured(tls: NonNullable<ClientFacts['tls']>): void {
    forget(this.#state, tls);
    this.#dropContent();
    this.#received.clear();
    this.#awaited = 'line';
    if (!this.#greeted) this.#greet();
  }

  /** A mail that is being submitted goes on, and holds its memory until it is done. */
  closed(fault: string): void {
    if (this.#awaited !== 'reply') this.#dropContent();
    this.#awaited = 'nothing';
    this.#rules.log.debug({ ...logFields(this.#state), fault }, 'session ends');
    this.#onClosed();
  }

  #greet(): void {
    this.#greeted = true;
    this.#connection.send(reply(220, '', `${this.#rules.hostname} ESMTP Waybill`).text);
    this.#connection.flush();
  }

  /** Answers all that is there. A fault of ours ends this session and no other. */
  #advance(): void {
    try {
      while (!this.#blocked && this.#step());
      this.#blocked = !this.#connection.flush();
      this.#connection.read(!this.#blocked && (this.#awaited !== 'reply' || this.#received.length === 0));
    } catch (fault) {
      this.#rules.log.error({ ...logFields(this.#state), fault }, 'session failed');
      this.#connection.destroy('fault');
    }
  }

  /** False: nothing can be done before something else happens. */
  #step(): boolean {
    if (this.#received.length === 0) return false;
    if (this.#awaited === 'line') return this.#takeLine();
    if (this.#awaited === 'chunk') return this.#takeChunk();
    return this.#awaited === 'content' && this.#takeContent();
  }

  #takeLine(): boolean {
    const line = this.#received.takeLine();
    if (line.state === 'more') return false;
    this.#answer(this.#answerTo(line));
    // Chunks go with their transaction, whatever ended it.
    if (this.#memoryBytes > 0 && this.#state.transaction === null && this.#awaited === 'line')
      this.#dropContent();
    return true;
  }

  #answerTo(line: Exclude<CommandLine, { state: 'more' }>): Answer {
    const { exchange } = this.#state;
    if (line.state === 'flooded') return replies.lineFlood;
    if (line.state === 'refused') {
      this.#state.exchange = null;
      return exchange !== null && line.fault === 'too-long'
        ? replies.exchangeTooLong
        : lineRefusals[line.fault];
    }
    try {
      if (exchange !== null) return answerExchange(this.#state, exchange, line.text);
      return answerCommand(this.#state, line.text, line.bytes > limits.commandLineBytes);
    } catch (fault) {
      this.#rules.log.error({ ...logFields(this.#state), fault }, 'command failed');
      return replies.localError;
    }
  }

  #answer(given: Answer): void {
    if (given.isError) this.#errors += 1;
    const answer = this.#errors > this.#rules.bounds.maxErrors ? replies.tooManyErrors : given;
    if (answer.next === 'close') this.#end(answer);
    else if (answer.next === 'tls') this.#startTls(answer);
    else this.#goOn(answer);
  }

  #goOn(answer: Answer): void {
    this.#connection.send(answer.text);
    if (answer.next === 'content') this.#beginContent();
    if (answer.next === 'chunk') this.#beginChunk();
    if (this.#draining && this.#isIdle()) this.#end(replies.shuttingDown);
  }

  #isIdle(): boolean {
    return this.#awaited === 'line' && this.#state.transaction === null && this.#state.exchange === null;
  }

  /** Bytes that came with STARTTLS came in plain text: who put them there is unknown (CVE-2011-0411). */
  #startTls(answer: Answer): void {
    if (this.#received.length > 0) {
      this.#end(replies.inputAfterStartTls);
      return;
    }
    this.#connection.send(answer.text);
    this.#beginTls();
  }

  #beginTls(): void {
    const { secureContext } = this.#rules;
    assert(secureContext !== null, 'TLS is begun only where a certificate is');
    this.#awaited = 'tls';
    this.#connection.secure(secureContext);
  }

  #beginContent(): void {
    this.#content = new DataReader(this.#maxContentBytes(), limits.textLineBytes);
    this.#awaited = 'content';
  }

  #takeContent(): boolean {
    const content = this.#content;
    if (content === null) return false;
    const progress = content.push(this.#received.peek());
    this.#takeMemory(content);
    if (progress.state === 'ended') {
      this.#received.take(progress.consumed);
      this.#contentEnded(content);
      return true;
    }
    this.#received.clear();
    const maxContentBytes = this.#maxContentBytes();
    const { fault } = content;
    if (progress.state === 'broken' && isBreaking(fault)) this.#end(brokenContent[fault]);
    else if (content.contentBytes > maxContentBytes + limits.smtpSkippedContentBytes) {
      this.#end(tooMuch(maxContentBytes));
    }
    return false;
  }

  #beginChunk(): void {
    const { chunk, transaction } = this.#state;
    assert(chunk !== null, 'BDAT says how much comes');
    if (transaction !== null) {
      transaction.chunks ??= new ChunkReader(this.#maxContentBytes(), limits.textLineBytes);
    }
    this.#awaited = 'chunk';
    if (chunk.octets === 0) this.#chunkEnded(chunk);
  }

  #takeChunk(): boolean {
    const { chunk, transaction } = this.#state;
    assert(chunk !== null, 'a chunk is read after BDAT');
    const piece = this.#received.peek().subarray(0, chunk.octets);
    if (transaction?.chunks) {
      transaction.chunks.push(piece);
      this.#takeMemory(transaction.chunks);
    }
    this.#received.take(piece.length);
    chunk.octets -= piece.length;
    if (chunk.octets === 0) this.#chunkEnded(chunk);
    return true;
  }

  #chunkEnded({ last, refusal }: Chunk): void {
    const { transaction } = this.#state;
    this.#state.chunk = null;
    this.#awaited = 'line';
    const chunks = transaction?.chunks ?? null;
    if (last) chunks?.end();
    const problem = refusal ?? (chunks && this.#chunkProblem(chunks));
    if (problem !== null || last) this.#state.transaction = null;
    if (problem !== null) {
      this.#dropContent();
      this.#answer(problem);
      return;
    }
    assert(transaction !== null && chunks !== null, 'a chunk without transaction is refused');
    if (last) this.#handOver(transaction, chunks.content());
    else this.#answer(reply(250, '2.0.0', `${chunks.contentBytes} octets received`));
  }

  #chunkProblem(chunks: ChunkReader): Answer | null {
    const { fault } = chunks;
    return isBreaking(fault) ? brokenChunk[fault] : this.#contentProblem(chunks);
  }

  #takeMemory(content: DataReader | ChunkReader): void {
    const bytes = content.keptBytes - this.#memoryBytes;
    if (this.#rules.contentMemory.take(bytes)) {
      this.#memoryBytes += bytes;
      return;
    }
    this.#noRoom = true;
    content.discard();
  }

  #contentEnded(content: DataReader): void {
    const { transaction } = this.#state;
    this.#awaited = 'line';
    this.#state.transaction = null;
    this.#content = null;
    const problem = this.#contentProblem(content);
    if (problem !== null) {
      this.#dropContent();
      this.#answer(problem);
      return;
    }
    assert(transaction !== null, 'content is read within a mail transaction');
    this.#handOver(transaction, content.content());
  }

  #maxContentBytes(): number {
    return maxContentBytesOf(this.#state, this.#state.transaction);
  }

  #handOver(transaction: Transaction, content: Buffer): void {
    const { principal, client } = this.#state;
    const { reversePath, forwardPaths, forwardPathOptions, parameters } = transaction;
    const { handler } = this.#rules;
    if (transaction.purpose === 'report') {
      const { reports } = handler;
      assert(reports, 'only who takes reports is handed one');
      void this.#submit(reports.receive({ client, forwardPaths: [...forwardPaths.values()], content }));
      return;
    }
    assert(principal !== null, 'a mail transaction has a principal');
    const submission: SessionSubmission = {
      principal,
      client,
      protocol: protocolOf(this.#state, parameters.options.smtpUtf8),
      transport: this.#implicitTls ? 'smtps' : 'smtp',
      reversePath,
      forwardPaths: [...forwardPaths.values()],
      forwardPathOptions,
      options: parameters.options,
      holdUntil: parameters.holdUntil,
      content,
    };
    void this.#submit(handler.submit(submission));
  }

  #contentProblem(content: DataReader | ChunkReader): Answer | null {
    if (content.fault === 'too-big') return tooBig(content.maxContentBytes);
    if (this.#noRoom) return replies.noRoom;
    return content.fault === null ? null : lineTooLong;
  }

  async #submit(handedOver: ReturnType<SmtpHandler['submit']>): Promise<void> {
    this.#awaited = 'reply';
    const answer = await this.#outcomeOf(handedOver);
    this.#dropContent();
    if (this.#isOver()) return;
    this.#awaited = 'line';
    this.#answer(answer);
    this.#advance();
    if (this.#clientEnded && !this.#isSubmitting()) this.#close();
  }

  /** The next mail may have been there already. */
  #isSubmitting(): boolean {
    return this.#awaited === 'reply';
  }

  async #outcomeOf(handedOver: ReturnType<SmtpHandler['submit']>): Promise<Answer> {
    try {
      const result = await handedOver;
      if ('refused' in result) return refused(this.#state, 'DATA', result);
      this.#errors = 0;
      return reply(250, '2.0.0', result.accepted);
    } catch (fault) {
      this.#rules.log.error({ ...logFields(this.#state), fault }, 'submission failed');
      return replies.localError;
    }
  }

  /** The client may have gone while a mail was submitted. */
  #isOver(): boolean {
    return this.#awaited === 'nothing';
  }

  #dropContent(): void {
    this.#content = null;
    this.#noRoom = false;
    this.#rules.contentMemory.give(this.#memoryBytes);
    this.#memoryBytes = 0;
  }

  #end(answer: Answer): void {
    if (this.#isOver()) return;
    const fields = { ...logFields(this.#state), reply: answer.text.trimEnd() };
    if (answer !== replies.bye) this.#rules.log.info(fields, 'session ended by us');
    this.#connection.send(answer.text);
    this.#close();
  }

  #close(): void {
    this.#awaited = 'nothing';
    this.#dropContent();
    this.#received.clear();
    this.#connection.finish();
  }
}

function isBreaking(fault: string | null): fault is BreakingFault {
  return fault !== null && fault in brokenContent;
}
