/**
 * The dialogs that the mail server chasquid tests itself with, played against ours. Replies are compared by
 * their code. Where we answer otherwise, it is listed here with the reason; a listed answer that no longer
 * differs is a failure too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialogClient } from './client.ts';
import { type Listener, type ListenerOptions, refuse, startListener } from './listener.ts';
import { skipWithoutTestdata, testdata } from './testdata.ts';

const folder = 'chasquid-dialogs/';

interface Case {
  file: string;
  options?: ListenerOptions;
  /** Content we should have handed over. */
  content?: string;
  /** By the line of the dialog: our code, and why. */
  otherwise?: Readonly<Record<string, readonly [code: string, reason: string]>>;
}

const wholeLine = 'a keyword that is wrong is an argument that is wrong: 501';
const brokenContent = ['554', 'the content is refused, and the session ends as well'] as const;

const cases: readonly Case[] = [
  { file: 't-05-null_address__sendmail.cmy' },
  {
    file: 't-12-minor_dialogs__auth_multi_dialog.cmy',
    options: { implicitTls: true },
    otherwise: { 'c <~ 534': ['504', 'RFC 4954 §4: 504 for a mechanism that is not known'] },
  },
  {
    file: 't-12-minor_dialogs__auth_not_tls.cmy',
    options: { authWithoutTls: 'never' },
    otherwise: { 'c <- 503 5.7.10 You feel vulnerable': ['538', 'RFC 4954 §6'] },
  },
  { file: 't-12-minor_dialogs__auth_too_many_failures.cmy', options: { implicitTls: true } },
  {
    file: 't-12-minor_dialogs__bad_data.cmy',
    otherwise: {
      'c <~ 554 5.6.0 Error parsing message': ['250', 'header fields are looked at by the relay'],
    },
  },
  {
    file: 't-12-minor_dialogs__bad_data_dot.cmy',
    otherwise: { 'c <- 521 5.5.2 Error reading DATA: invalid line ending': brokenContent },
  },
  {
    file: 't-12-minor_dialogs__bad_data_dot_2.cmy',
    otherwise: { 'c <- 521 5.5.2 Error reading DATA: invalid line ending': brokenContent },
  },
  {
    file: 't-12-minor_dialogs__bad_data_dot_on_message_too_big.cmy',
    options: { maxContentBytes: 1024 * 1024 },
    otherwise: { 'c <- 521 5.5.2 Error reading DATA: invalid line ending': brokenContent },
  },
  {
    file: 't-12-minor_dialogs__bad_mail_from.cmy',
    otherwise: { 'c <- 500 5.5.2 Unknown command': ['501', wholeLine], 'c <~ 500': ['501', wholeLine] },
  },
  {
    file: 't-12-minor_dialogs__bad_rcpt_to.cmy',
    otherwise: {
      'c <- 500 5.5.2 Unknown command': ['501', wholeLine],
      'c <~ 500': ['501', wholeLine],
      'c <- 550 5.1.3 Destination address is invalid': ['553', 'RFC 6531 §3.5, without SMTPUTF8'],
    },
  },
  {
    file: 't-12-minor_dialogs__data_dot_stuffing.cmy',
    content: 't-12-minor_dialogs__data_dot_stuffing.cmy.verify',
  },
  { file: 't-12-minor_dialogs__empty_helo.cmy' },
  { file: 't-12-minor_dialogs__helo.cmy' },
  {
    file: 't-12-minor_dialogs__line_too_long.cmy',
    otherwise: { 'c <~ 554': ['501', 'lines may have 4096 bytes here; the name is what is too long'] },
  },
  { file: 't-12-minor_dialogs__message_too_big.cmy', options: { maxContentBytes: 1024 * 1024 } },
  { file: 't-12-minor_dialogs__sendmail.cmy', content: 't-12-minor_dialogs__sendmail.cmy.verify' },
  { file: 't-12-minor_dialogs__unknown_command.cmy' },
  { file: 't-12-minor_dialogs__wrong_proto.cmy' },
];

for (const each of cases) {
  test(each.file.replace('.cmy', ''), { skip: skipWithoutTestdata }, () => play(each));
}

async function play({ file, options = {}, content, otherwise = {} }: Case): Promise<void> {
  const authenticate = chasquidLogin;
  const listener = await startListener({ ...options, handler: { authenticate } });
  const player = new Player(listener, otherwise);
  try {
    for (const line of testdata(`${folder}${file}`).split('\n')) await player.play(line);
    assert.deepEqual(player.unmetDifferences(), []);
    if (content !== undefined) {
      const given = listener.mails[0]?.content.toString('utf8').replaceAll('\r\n', '\n');
      assert.equal(given?.trimEnd(), testdata(`${folder}${content}`).trimEnd());
    }
  } finally {
    player.stop();
    await listener.server.close();
  }
}

function chasquidLogin(username: string, password: string) {
  return username === 'user@testserver' && password === 'secretpassword'
    ? { principal: { tenantId: 1, streamId: 10_001, name: username, trustedNetwork: false } }
    : refuse(535, '5.7.8', 'Incorrect user or password', 'test');
}

class Player {
  readonly #listener: Listener;
  readonly #otherwise: NonNullable<Case['otherwise']>;
  readonly #met = new Set<string>();
  #client: DialogClient | null = null;

  constructor(listener: Listener, otherwise: NonNullable<Case['otherwise']>) {
    this.#listener = listener;
    this.#otherwise = otherwise;
  }

  async play(line: string): Promise<void> {
    const [, operator = '', text = ''] = /^c (\S+) ?(.*)$/.exec(line) ?? [];
    if (operator === 'tcp_connect' || operator === 'tls_connect') await this.#connect(operator);
    else if (operator === 'close') this.stop();
    else if (operator === '->') this.#client?.send(Buffer.from(`${text}\r\n`).toString('latin1'));
    else if (operator === '~>') this.#client?.send(evaluate(text));
    else if (operator === '<...') while ((await this.#line()) !== text);
    else if (operator === '<-' || operator === '<~') await this.#expect(line, text);
    else assert.ok(line.trim() === '' || line.startsWith('#'), `unknown step: ${line}`);
  }

  async #connect(operator: string): Promise<void> {
    this.stop();
    this.#client = await DialogClient.connect(this.#listener.port, operator === 'tls_connect');
  }

  async #line(): Promise<string> {
    assert.ok(this.#client !== null);
    return this.#client.line();
  }

  async #expect(line: string, text: string): Promise<void> {
    const given = (await this.#line()).slice(0, 3);
    const [code = text.slice(0, 3)] = this.#otherwise[line] ?? [];
    assert.equal(given, code, line);
    this.#met.add(line);
  }

  unmetDifferences(): string[] {
    const same = Object.entries(this.#otherwise).filter(([line, [code]]) => line.slice(5, 8) === code);
    const unmet = Object.keys(this.#otherwise).filter((line) => !this.#met.has(line));
    return [...same.map(([line]) => line), ...unmet];
  }

  stop(): void {
    this.#client?.destroy();
    this.#client = null;
  }
}

/** Sums and products of quoted strings, as in `('a' * 899 + '\r\n') * 1165`. */
function evaluate(expression: string): string {
  const tokens = expression.match(/'(?:[^'\\]|\\.)*'|\d+|[()+*]/g) ?? [];
  const sum = (): string => {
    let value = product();
    while (tokens[0] === '+') {
      tokens.shift();
      value += product();
    }
    return value;
  };
  const product = (): string => {
    let value = factor();
    while (tokens[0] === '*') {
      tokens.shift();
      value = value.repeat(Number(tokens.shift()));
    }
    return value;
  };
  const factor = (): string => {
    const token = tokens.shift() ?? '';
    if (token !== '(') return token.slice(1, -1).replaceAll('\\r', '\r').replaceAll('\\n', '\n');
    const value = sum();
    tokens.shift();
    return value;
  };
  return sum();
}
