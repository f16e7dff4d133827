/**
 * SMTP conversations as text files, played against the real listener. One step a line:
 *
 *   # …                   a comment
 *   O: name value         an option of the listener, see `optionsOf`; before the first other step
 *   C: text               the client sends a line (CRLF is added)
 *   X: bytes              the client sends bytes; \r \n \0 \t \\ and \xNN are escapes; `1166 * bytes` repeats
 *   S: text               the server's next line, exactly
 *   S~ pattern            the server's next line, as a pattern for all of it
 *   S* pattern            lines are read until one matches
 *   T: starttls           the TLS handshake
 *   T: connect            a new connection; the old one is closed
 *   T: end | reset | close   the client sends FIN and listens on, sends RST, or is gone
 *   E:                    the server closes, and has said nothing more
 *   A: mails 1            so many mails were handed over
 *   A: reverse-path 1 a@b · forward-paths 1 a@b c@d · greeting-name · protocol · transport 1 smtp
 *   A: client 1 192.0.2.1 · options 1 {…} · forward-path-options 1 {…} · hold 1 time   as JSON; `no` if not held
 *   A: content 1 bytes    what the first mail's content is
 *   A: reports 1          so many reports were handed over
 *   A: log pattern        a line of the log matches; `A: log-not` none does
 */
import assert from 'node:assert/strict';
import { type Network, parseNetwork } from '../../src/base/network.ts';
import { DialogClient } from './client.ts';
import { type Listener, type ListenerOptions, startListener } from './listener.ts';

interface Step {
  kind: string;
  text: string;
  line: number;
}

export async function playDialog(source: string): Promise<void> {
  const steps = parseDialog(source);
  const options = optionsOf(steps.filter(({ kind }) => kind === 'O:'));
  const player = new Player(await startListener(options), options.implicitTls ?? false);
  try {
    for (const step of steps) await player.playStep(step);
    await player.finish();
  } finally {
    await player.stop();
  }
}

function parseDialog(source: string): Step[] {
  return source.split('\n').flatMap((text, index) => {
    if (text.trim() === '' || text.startsWith('#')) return [];
    const [, kind, rest] = /^([OCXSTEA][:~*])(?: (.*))?$/.exec(text) ?? [];
    if (kind === undefined) throw new Error(`line ${index + 1} is no step: ${text}`);
    return [{ kind, text: rest ?? '', line: index + 1 }];
  });
}

function optionsOf(steps: readonly Step[]): ListenerOptions {
  const options: ListenerOptions = {};
  const bounds = {};
  for (const { text } of steps) {
    const [name = '', value = ''] = text.split(' ');
    if (name === 'trusted') options.trusted = value as 'yes' | 'no' | 'no-tenant';
    else if (name === 'auth-without-tls') options.authWithoutTls = value as 'loopback' | 'always' | 'never';
    else if (name === 'implicit-tls') options.implicitTls = value === 'yes';
    else if (name === 'tls') options.tls = null;
    else if (name === 'proxy-network') options.proxyNetworks = [networkNamed(value)];
    else if (name === 'login-failures-of-address') options.loginThrottle = { maxFailures: Number(value) };
    else if (name === 'report-content-bytes') options.reports = { contentBytes: Number(value), mailboxes: 2 };
    else if (name === 'max-hold-seconds') options.maxHoldMs = Number(value) * 1000;
    else if (name === 'max-content-bytes') options.maxContentBytes = Number(value);
    else if (name === 'max-forward-paths') options.maxForwardPaths = Number(value);
    else if (/^(max|idle|session)-/.test(name)) Object.assign(bounds, { [camelCase(name)]: Number(value) });
    else throw new Error(`unknown option ${name}`);
  }
  return { ...options, bounds };
}

function networkNamed(text: string): Network {
  const network = parseNetwork(text);
  assert.ok(network !== null, text);
  return network;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

class Player {
  readonly #listener: Listener;
  readonly #implicitTls: boolean;
  #client: DialogClient | null = null;

  constructor(listener: Listener, implicitTls: boolean) {
    this.#listener = listener;
    this.#implicitTls = implicitTls;
  }

  async playStep(step: Step): Promise<void> {
    try {
      await this.#play(step);
    } catch (problem) {
      throw new Error(`line ${step.line} (${step.kind} ${step.text}): ${(problem as Error).message}`, {
        cause: problem,
      });
    }
  }

  async #play({ kind, text }: Step): Promise<void> {
    if (kind === 'O:') return;
    if (kind === 'A:') {
      this.#check(text);
      return;
    }
    if (this.#client === null || (kind === 'T:' && text === 'connect')) await this.#connect();
    if (kind === 'T:' && text === 'connect') return;
    const client = this.#client;
    assert.ok(client !== null);
    if (kind === 'C:') client.send(Buffer.from(`${text}\r\n`).toString('latin1'));
    else if (kind === 'X:') client.send(unescapeBytes(text));
    else if (kind === 'S:') assert.equal(await client.line(), text);
    else if (kind === 'S~') assert.match(await client.line(), whole(text));
    else if (kind === 'S*') while (!whole(text).test(await client.line()));
    else if (kind === 'E:') await this.#closed(client);
    else if (kind === 'T:') await this.#turn(client, text);
    else throw new Error(`unknown step ${kind}`);
  }

  async #connect(): Promise<void> {
    this.#client?.destroy();
    this.#client = await DialogClient.connect(this.#listener.port, this.#implicitTls);
  }

  async #closed(client: DialogClient): Promise<void> {
    await client.closedByServer();
    assert.equal(client.unread, '""');
  }

  async #turn(client: DialogClient, how: string): Promise<void> {
    if (how === 'starttls') await client.startTls();
    else if (how === 'end') client.end();
    else if (how === 'reset') client.reset();
    else if (how === 'close') client.destroy();
    else throw new Error(`unknown turn ${how}`);
    if (how === 'reset' || how === 'close') await this.#sessionsGone();
  }

  /** What a client that is gone can no longer be told is known when its session has ended. */
  async #sessionsGone(): Promise<void> {
    const late = AbortSignal.timeout(60_000);
    while (this.#listener.server.sessionCount() > 0 && !late.aborted) await new Promise(setImmediate);
    assert.equal(this.#listener.server.sessionCount(), 0, 'the session outlives its client');
  }

  #check(text: string): void {
    const [what = '', first = '', ...rest] = text.split(' ');
    if (what === 'mails') assert.equal(this.#listener.mails.length, Number(first));
    else if (what === 'reports') assert.equal(this.#listener.reports.length, Number(first));
    else if (what === 'log' || what === 'log-not')
      this.#checkLog(text.slice(what.length + 1), what === 'log');
    else this.#checkMail(what, Number(first), rest.join(' '));
  }

  #checkLog(pattern: string, wanted: boolean): void {
    const { logged } = this.#listener;
    const found = logged.some((line) => new RegExp(pattern).test(line));
    assert.equal(found, wanted, logged.join('\n'));
  }

  #checkMail(what: string, number: number, wanted: string): void {
    const mail = this.#listener.mails[number - 1];
    assert.ok(mail !== undefined, `there is no mail ${number}`);
    const facts: Readonly<Record<string, string>> = {
      'reverse-path': mail.reversePath,
      'forward-paths': mail.forwardPaths.join(' '),
      'greeting-name': mail.client.greetingName,
      client: mail.client.remoteAddress,
      options: JSON.stringify(mail.options),
      'forward-path-options': JSON.stringify(Object.fromEntries(mail.forwardPathOptions)),
      hold: mail.holdUntil === null ? 'no' : new Date(mail.holdUntil).toISOString(),
      protocol: mail.protocol,
      transport: mail.transport,
      content: mail.content.toString('latin1'),
    };
    assert.ok(Object.hasOwn(facts, what), `unknown fact ${what}`);
    assert.equal(facts[what], what === 'content' ? unescapeBytes(wanted) : wanted);
  }

  /** A dialog must have named everything the server said. */
  async finish(): Promise<void> {
    assert.equal(this.#client?.unread ?? '""', '""', 'the server said more');
  }

  async stop(): Promise<void> {
    this.#client?.destroy();
    await this.#listener.server.close();
  }
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' };

function unescapeBytes(text: string): string {
  const [, count = '1', bytes = ''] = /^(?:(\d+) \* )?([\s\S]*)$/.exec(text) ?? [];
  const piece = bytes.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (all, hex: string | undefined, letter: string) =>
    hex === undefined ? (escapes[letter] ?? all) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return piece.repeat(Number(count));
}
