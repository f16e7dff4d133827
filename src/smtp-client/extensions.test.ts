/** What a mail asks for beyond its paths, and what a server that offers it gets to hear. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { generate } from 'selfsigned';
import {
  close,
  expectContent,
  expectLine,
  hello,
  helloAgain,
  type Script,
  say,
  silence,
  startScriptServer,
  startTls,
} from '../../test/support/script-server.ts';
import { systemClock } from '../base/clock.ts';
import { type ForwardPathOptions, noMailOptions } from '../protocol/smtp/envelope-options.ts';
import {
  type ConnectOptions,
  connect,
  createSessionPool,
  defaultTimeouts,
  type OutgoingMail,
  type Sent,
} from './smtp-client.ts';

const content = Buffer.from('Subject: a\r\n\r\nHello\r\n');
const mail: OutgoingMail = { reversePath: 'a@x.example', forwardPaths: ['b@y.example'], content };

/** Sends over a pool to a server that plays one script for each connection, and fails if it heard anything else. */
async function sent(
  t: TestContext,
  scripts: Script[],
  outgoing: Partial<OutgoingMail>,
  more: Partial<ConnectOptions> = {},
): Promise<Sent> {
  const server = await startScriptServer(scripts);
  const pool = createSessionPool(connect, systemClock);
  t.after(async () => {
    await pool.close();
    await server.close();
  });
  const target = { name: 'mx.test', address: '127.0.0.1', port: server.port };
  const options = {
    target,
    greetingName: 'me.test',
    tls: 'none',
    timeouts: defaultTimeouts,
    ...more,
  } as const;
  const result = await pool.send(options, { ...mail, ...outgoing });
  await pool.close();
  await server.finished();
  return result;
}

const goodbye = [expectLine('QUIT'), say('221 bye'), close];
const transaction = (from: string, ...to: string[]): Script => [
  ...[expectLine(from), say('250 ok')],
  ...to.flatMap((line) => [expectLine(line), say('250 ok')]),
  ...[expectLine('DATA'), say('354 go'), expectContent, say('250 ok')],
];
const codesOf = ({ observations }: Sent) => observations.map(({ reply }) => reply?.code ?? null);
const causesOf = ({ observations }: Sent) =>
  observations.map(({ stage, cause, enhancedStatus }) => [stage, cause, enhancedStatus]);

const asked = { ...noMailOptions, ret: 'HDRS', envid: 'QQ+2B1', priority: 4 } as const;
const wanted: ForwardPathOptions = { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;c@z.example' };

test('DSN and MT-PRIORITY are passed on to a server that offers them', async (t) => {
  const script = [
    ...hello('DSN', 'MT-PRIORITY'),
    ...transaction(
      'MAIL FROM:<a@x.example> RET=HDRS ENVID=QQ+2B1 MT-PRIORITY=4',
      'RCPT TO:<b@y.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@z.example',
      'RCPT TO:<d@y.example>',
    ),
    ...goodbye,
  ];
  const result = await sent(t, [script], {
    forwardPaths: ['b@y.example', 'd@y.example'],
    options: asked,
    forwardPathOptions: [wanted, { notify: [], orcpt: '' }],
  });
  assert.deepEqual(codesOf(result), [250, 250]);
});

test('they are not said to a server that does not', async (t) => {
  const script = [...hello(), ...transaction('MAIL FROM:<a@x.example>', 'RCPT TO:<b@y.example>'), ...goodbye];
  assert.deepEqual(codesOf(await sent(t, [script], { options: asked, forwardPathOptions: [wanted] })), [250]);
});

test('a header section that is not ASCII needs SMTPUTF8', async (t) => {
  const options = { ...noMailOptions, smtpUtf8: true };
  const without = await sent(t, [[...hello('8BITMIME'), ...goodbye]], { options });
  assert.deepEqual(causesOf(without), [['mail', 'unsupported', '5.6.9']]);
  const script = [
    ...hello('8BITMIME', 'SMTPUTF8'),
    ...transaction('MAIL FROM:<a@x.example> SMTPUTF8', 'RCPT TO:<b@y.example>'),
    ...goodbye,
  ];
  assert.deepEqual(codesOf(await sent(t, [script], { options })), [250]);
});

test('a domain is said with A-labels where SMTPUTF8 is missing; a local part cannot be', async (t) => {
  const script = [
    ...hello(),
    ...transaction('MAIL FROM:<a@xn--bcher-kva.example>', 'RCPT TO:<b@xn--bcher-kva.example>'),
    ...goodbye,
  ];
  const result = await sent(t, [script], {
    reversePath: 'a@bücher.example',
    forwardPaths: ['b@bücher.example', 'jörg@y.example'],
  });
  assert.deepEqual(codesOf(result), [250, null]);
  assert.deepEqual(causesOf(result)[1], ['rcpt', 'unsupported', '5.6.7']);
});

test('no more forward-paths and domains in a transaction than the server takes', async (t) => {
  const script = [
    ...hello('LIMITS RCPTMAX=2 RCPTDOMAINMAX=1'),
    ...transaction('MAIL FROM:<a@x.example>', 'RCPT TO:<1@y.example>', 'RCPT TO:<2@y.example>'),
    ...transaction('MAIL FROM:<a@x.example>', 'RCPT TO:<3@y.example>'),
    ...transaction('MAIL FROM:<a@x.example>', 'RCPT TO:<4@z.example>'),
    ...goodbye,
  ];
  const forwardPaths = ['1@y.example', '2@y.example', '3@y.example', '4@z.example'];
  assert.deepEqual(codesOf(await sent(t, [script], { forwardPaths })), [250, 250, 250, 250]);
});

test('no more mails in a session than the server takes', async (t) => {
  const one = (path: string): Script => [
    ...hello('LIMITS MAILMAX=1 RCPTMAX=1'),
    ...transaction('MAIL FROM:<a@x.example>', `RCPT TO:<${path}>`),
    ...goodbye,
  ];
  const forwardPaths = ['1@y.example', '2@y.example'];
  assert.deepEqual(codesOf(await sent(t, forwardPaths.map(one), { forwardPaths })), [250, 250]);
});

test('a server that is lost is not asked again for each part of the mail', async (t) => {
  const script = [...hello('LIMITS RCPTMAX=1'), expectLine(/^MAIL/), close];
  const result = await sent(t, [script], { forwardPaths: ['1@y.example', '2@y.example', '3@y.example'] });
  assert.deepEqual(causesOf(result), new Array(3).fill(['mail', 'connection-lost', null]));
});

const pems = await generate([{ name: 'commonName', value: 'mx.test' }], {
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'mx.test' }] }],
});
const identity = { key: pems.private, cert: pems.cert };
const requiring = { options: { ...noMailOptions, requireTls: true } };
const secured: Partial<ConnectOptions> = {
  tls: 'required',
  requireTls: true,
  trustedCertificates: [identity.cert],
};
const upgrade = (...keywords: string[]): Script => [
  ...hello('STARTTLS', 'REQUIRETLS'),
  ...[expectLine('STARTTLS'), say('220 go'), startTls(identity)],
  ...helloAgain(...keywords),
];
const leaving = [expectLine('QUIT')];

test('REQUIRETLS: said to a server with a valid certificate that offers it under TLS', async (t) => {
  const script = [
    ...upgrade('REQUIRETLS'),
    ...transaction('MAIL FROM:<a@x.example> REQUIRETLS', 'RCPT TO:<b@y.example>'),
    ...goodbye,
  ];
  const result = await sent(t, [script], requiring, secured);
  assert.deepEqual(codesOf(result), [250]);
  assert.equal(result.tls?.verified, true);
});

const lacking: readonly [string, Script, Partial<ConnectOptions>][] = [
  ['offers it in plain text only', [...upgrade(), ...leaving], secured],
  ['offers no STARTTLS', [...hello('REQUIRETLS'), ...leaving], secured],
  [
    'has a certificate that is not valid',
    [...hello('STARTTLS'), expectLine('STARTTLS'), say('220 go'), startTls(identity), silence],
    { ...secured, trustedCertificates: [] },
  ],
];
for (const [what, script, options] of lacking) {
  test(`REQUIRETLS: nothing is said to a server that ${what}`, async (t) => {
    assert.deepEqual(causesOf(await sent(t, [script], requiring, options)), [
      ['ehlo', 'unsupported', '5.7.30'],
    ]);
  });
}

test('REQUIRETLS: a handshake that fails is no verdict on the server', async (t) => {
  const script = [...hello('STARTTLS'), expectLine('STARTTLS'), say('220 go'), close];
  assert.deepEqual(causesOf(await sent(t, [script], requiring, secured)), [['tls', 'tls', null]]);
});
