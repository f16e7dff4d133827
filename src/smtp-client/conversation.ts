/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT for each forward-path, DATA, content. With PIPELINING
 * (RFC 2920 §3.1) the commands leave in one write; the replies are read one by one either way.
 */
import { isAscii as isAsciiContent } from 'node:buffer';
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type { Stage } from '../events/delivery-status.ts';
import { domainOf } from '../protocol/address/address.ts';
import { isAscii, isSafePath, mailCommand, rcptCommand } from '../protocol/smtp/commands.ts';
import { noForwardPathOptions, noMailOptions } from '../protocol/smtp/envelope-options.ts';
import type { Extensions } from '../protocol/smtp/extensions.ts';
import { contentTerminator, declaredBytes, transparentPart } from '../protocol/smtp/transparency.ts';
import {
  isClosing,
  isIntermediate,
  isNegative,
  isPositive,
  observe,
  observeFailure,
  unsupported,
} from './observation.ts';
import type { Observation, OutgoingMail, SmtpTimeouts } from './smtp-client.ts';
import { type Heard, isLost, type Wire } from './wire.ts';

export interface Conversation {
  wire: Wire;
  extensions: Extensions;
  timeouts: SmtpTimeouts;
  /** The last transaction was left unfinished: RSET comes first. */
  needsReset: boolean;
}

/** One observation per forward-path, in order. Drops the connection when it cannot be used again. */
export async function converse(conversation: Conversation, given: OutgoingMail): Promise<Observation[]> {
  const mail = conversation.extensions.smtpUtf8 ? given : withAsciiDomains(given);
  const findings = new Findings(mail.forwardPaths.length);
  refuseUnsayable(findings, mail, conversation.extensions);
  if (findings.open.length > 0) await new Transaction(conversation, mail, findings).run();
  return findings.all();
}

/** RFC 6531 §3.2: a domain has another spelling for servers without SMTPUTF8. A local part has none. */
function withAsciiDomains(mail: OutgoingMail): OutgoingMail {
  if (isAscii(mail.reversePath) && mail.forwardPaths.every(isAscii)) return mail;
  const forwardPaths = mail.forwardPaths.map(withAsciiDomain);
  return { ...mail, reversePath: withAsciiDomain(mail.reversePath), forwardPaths };
}

function withAsciiDomain(path: string): string {
  const domain = isAscii(path) ? '' : domainOf(path);
  return domain === '' ? path : `${path.slice(0, path.lastIndexOf('@'))}@${domain}`;
}

/** What is known of each forward-path so far. */
class Findings {
  readonly #observations: (Observation | null)[];

  constructor(forwardPaths: number) {
    this.#observations = new Array(forwardPaths).fill(null);
  }

  /** Numbers of the forward-paths nothing final is known of. */
  get open(): number[] {
    return [...this.#observations.keys()].filter((index) => this.#observations[index] === null);
  }

  settle(index: number, observation: Observation): void {
    this.#observations[index] = observation;
  }

  settleOpen(observation: Observation): void {
    for (const index of this.open) this.settle(index, observation);
  }

  all(): Observation[] {
    return this.#observations.map((observation) => {
      assert(observation !== null, 'every forward-path got to hear something');
      return observation;
    });
  }
}

/** What cannot be said to this peer, or in SMTP at all, is not begun. */
function refuseUnsayable(findings: Findings, mail: OutgoingMail, extensions: Extensions): void {
  const refusal = refuseMail(mail, extensions);
  if (refusal !== null) findings.settleOpen(refusal);
  for (const index of findings.open) {
    const path = mail.forwardPaths[index] ?? '';
    if (path === '' || !isSafePath(path)) {
      findings.settle(index, unsupported('rcpt', '5.1.3', 'the address cannot be written as a forward-path'));
    } else if (!isAscii(path) && !extensions.smtpUtf8) {
      findings.settle(index, unsupported('rcpt', '5.6.7', 'the server does not offer SMTPUTF8'));
    }
  }
}

function refuseMail(
  { reversePath, content, options = noMailOptions }: OutgoingMail,
  extensions: Extensions,
): Observation | null {
  if (!isSafePath(reversePath)) {
    return unsupported('mail', '5.1.7', 'the address cannot be written as a reverse-path');
  }
  if (!isAscii(reversePath) && !extensions.smtpUtf8) {
    return unsupported('mail', '5.6.7', 'the server does not offer SMTPUTF8');
  }
  if (options.smtpUtf8 && !extensions.smtpUtf8) {
    const text = 'the header section is not ASCII and the server does not offer SMTPUTF8';
    return unsupported('mail', '5.6.9', text);
  }
  if (options.requireTls && !extensions.requireTls) {
    return unsupported('mail', '5.7.30', 'the server does not offer REQUIRETLS');
  }
  if (!extensions.eightBitMime && !isAsciiContent(content)) {
    return unsupported('mail', '5.6.3', 'the content is 8-bit and the server does not offer 8BITMIME');
  }
  const limit = extensions.size?.limit ?? 0;
  if (limit > 0 && declaredBytes(content) > limit) {
    const text = `the content has ${declaredBytes(content)} bytes and the server takes ${limit}`;
    return unsupported('mail', '5.3.4', text);
  }
  return null;
}

class Transaction {
  readonly #conversation: Conversation;
  readonly #wire: Wire;
  readonly #mail: OutgoingMail;
  readonly #findings: Findings;
  readonly #open: readonly number[];
  /** Commands whose replies were not heard yet; with PIPELINING they were all said at the beginning. */
  readonly #commands: string[];
  #said = false;

  constructor(conversation: Conversation, mail: OutgoingMail, findings: Findings) {
    this.#conversation = conversation;
    this.#wire = conversation.wire;
    this.#mail = mail;
    this.#findings = findings;
    this.#open = findings.open;
    this.#commands = this.#compose();
  }

  #compose(): string[] {
    const { extensions, needsReset } = this.#conversation;
    const { reversePath, forwardPaths, content, options = noMailOptions, forwardPathOptions } = this.#mail;
    const paths = this.#open.map((index) => forwardPaths[index] ?? '');
    const mail = mailCommand(
      {
        reversePath,
        sizeBytes: extensions.size === null ? null : declaredBytes(content),
        eightBitMime: extensions.eightBitMime && !isAsciiContent(content),
        smtpUtf8: options.smtpUtf8 || ![reversePath, ...paths].every(isAscii),
        options,
      },
      extensions,
    );
    const optionsAt = (index: number) => forwardPathOptions?.[index] ?? noForwardPathOptions;
    const rcpts = this.#open.map((index, at) => rcptCommand(paths[at] ?? '', optionsAt(index), extensions));
    return [...(needsReset ? ['RSET\r\n'] : []), mail, ...rcpts, 'DATA\r\n'];
  }

  async run(): Promise<void> {
    const { needsReset } = this.#conversation;
    // Until the content is taken, whatever happens leaves a transaction behind.
    this.#conversation.needsReset = true;
    if (needsReset && !(await this.#agreed('mail'))) return;
    if (!(await this.#agreed('mail'))) return;
    if (!(await this.#namePaths())) return;
    const go = await this.#next();
    if (isIntermediate(go)) this.#conclude(await this.#sendContent());
    else this.#end('data', go);
  }

  /** Says the next command, if it was not said yet, and hears its reply. */
  async #next(): Promise<Heard> {
    const { extensions, timeouts } = this.#conversation;
    const command = this.#commands.shift();
    assert(command !== undefined, 'a reply belongs to a command');
    if (this.#said) return this.#wire.hear(timeouts.commandMs);
    if (!extensions.pipelining) return this.#wire.ask(command, timeouts.commandMs);
    this.#said = true;
    return this.#wire.ask(command + this.#commands.join(''), timeouts.commandMs);
  }

  async #agreed(stage: Stage): Promise<boolean> {
    const heard = await this.#next();
    if (isPositive(heard)) return true;
    this.#end(stage, heard);
    await this.#hearOut();
    return false;
  }

  /** True: at least one forward-path was accepted, and the conversation goes on. */
  async #namePaths(): Promise<boolean> {
    for (const index of this.#open) {
      const heard = await this.#next();
      if (isPositive(heard)) continue;
      if (!isNegative(heard) || isClosing(heard)) {
        this.#end('rcpt', heard);
        return false;
      }
      this.#findings.settle(index, observe('rcpt', heard));
    }
    if (this.#findings.open.length > 0) return true;
    await this.#hearOut();
    return false;
  }

  /** The same for every forward-path that is still open. */
  #end(stage: Stage, heard: Heard): void {
    this.#findings.settleOpen(observeFailure(stage, heard, this.#wire));
    if (isClosing(heard)) this.#wire.close();
  }

  /**
   * The replies to commands that were said in vain. A server may still answer 354 to DATA: then it waits for
   * content, and gets none (RFC 2920 §3.1). If it also took a forward-path, an empty mail would be delivered:
   * then the connection ends instead.
   */
  async #hearOut(): Promise<void> {
    let agreed = false;
    while (this.#said && this.#commands.length > 0) {
      const heard = await this.#next();
      if (isLost(heard) || isClosing(heard)) return this.#wire.close();
      agreed ||= isPositive(heard);
      if (!isIntermediate(heard)) continue;
      if (agreed) return this.#wire.drop({ cause: 'protocol', text: 'content is wanted for a refused mail' });
      const answer = await this.#wire.ask('.\r\n', this.#conversation.timeouts.endOfDataMs);
      if (isLost(answer) || isClosing(answer)) this.#wire.close();
    }
  }

  async #sendContent(): Promise<Heard> {
    const { content } = this.#mail;
    const { dataBlockMs, endOfDataMs } = this.#conversation.timeouts;
    const blockBytes = limits.contentBlockBytes;
    let at = 0;
    for (; this.#wire.quiet && content.length - at > blockBytes; at += blockBytes) {
      await this.#wire.writeBlock(transparentPart(content, at, at + blockBytes), dataBlockMs);
    }
    if (!this.#wire.quiet) return this.#hearEarly(endOfDataMs);
    this.#wire.writeTogether([transparentPart(content, at, content.length), contentTerminator(content)]);
    return this.#wire.hear(endOfDataMs);
  }

  /** A server may refuse before it has seen everything; it cannot accept. We stop in mid-content. */
  async #hearEarly(timeoutMs: number): Promise<Heard> {
    const heard = await this.#wire.hear(timeoutMs);
    if (isLost(heard)) return heard;
    this.#wire.drop({ cause: 'protocol', text: 'answered before the content was sent' });
    return isNegative(heard) ? heard : { cause: 'protocol', text: 'answered before the content was sent' };
  }

  #conclude(heard: Heard): void {
    if (isPositive(heard)) {
      this.#findings.settleOpen(observe('end-of-data', heard));
      this.#conversation.needsReset = false;
    } else {
      this.#end('end-of-data', heard);
    }
  }
}
