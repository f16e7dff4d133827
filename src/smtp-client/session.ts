/** An open connection between its transactions. */
import { assert } from '../base/assert.ts';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import type { Extensions, ServerLimits } from '../protocol/smtp/extensions.ts';
import { type Conversation, converse } from './conversation.ts';
import type { Observation, OutgoingMail, SmtpSession, SmtpTimeouts } from './smtp-client.ts';
import type { Wire } from './wire.ts';

type Security = Pick<SmtpSession, 'tls' | 'tlsShortfall'>;

export class Session implements SmtpSession {
  readonly sendingIp: string;
  readonly tls: TlsFacts | null;
  readonly tlsShortfall: string;
  readonly limits: ServerLimits;
  readonly offersDsn: boolean;
  readonly #wire: Wire;
  readonly #conversation: Conversation;
  #busy = false;
  #mails = 0;
  /** The time limits of the stages add up: a thousand slow replies are as good as none. */
  readonly #deadline = new Deadline(() => {
    this.#wire.drop({ cause: 'timeout', text: 'the transaction took too long' });
  });

  constructor(wire: Wire, extensions: Extensions, security: Security, timeouts: SmtpTimeouts) {
    this.#wire = wire;
    this.#conversation = { wire, extensions, timeouts, needsReset: false };
    this.sendingIp = wire.sendingIp;
    this.tls = security.tls;
    this.tlsShortfall = security.tlsShortfall;
    this.limits = extensions.limits;
    this.offersDsn = extensions.dsn;
  }

  get usable(): boolean {
    return this.#wire.quiet && this.#mails < (this.limits.mailMax ?? Number.POSITIVE_INFINITY);
  }

  async send(mail: OutgoingMail): Promise<Observation[]> {
    assert(!this.#busy, 'one mail at a time');
    assert(mail.forwardPaths.length <= limits.forwardPathsPerMail, 'a mail has a bounded number of paths');
    this.#busy = true;
    this.#mails += 1;
    this.#deadline.set(limits.smtpTransactionMs);
    try {
      return await converse(this.#conversation, mail);
    } finally {
      this.#deadline.clear();
      this.#busy = false;
    }
  }

  async quit(): Promise<void> {
    const { commandMs } = this.#conversation.timeouts;
    if (this.#wire.quiet) await this.#wire.ask('QUIT\r\n', Math.min(commandMs, limits.smtpQuitMs));
    this.#wire.close();
  }
}
