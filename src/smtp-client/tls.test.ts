import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'selfsigned';
import {
  close,
  expectContent,
  expectLine,
  hello,
  helloAgain,
  type Script,
  say,
  sayRaw,
  silence,
  startScriptServer,
  startTls,
} from '../../test/support/script-server.ts';
import { type ConnectOptions, connect, defaultTimeouts, type SmtpSession } from './smtp-client.ts';

async function makeIdentity(name: string, ip = '192.0.2.1'): Promise<{ key: string; cert: string }> {
  const pems = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip },
        ],
      },
    ],
  });
  return { key: pems.private, cert: pems.cert };
}

const identity = await makeIdentity('mx.test');
const otherIdentity = await makeIdentity('other.test');

interface Outcome {
  result: Awaited<ReturnType<typeof connect>>;
  /** What was heard on each connection. */
  heard: string[][];
}

async function attempt(
  scripts: Script[],
  more: Partial<ConnectOptions>,
  body: (session: SmtpSession) => Promise<void> = async () => {},
): Promise<Outcome> {
  const server = await startScriptServer(scripts);
  try {
    const result = await connect({
      greetingName: 'me.test',
      tls: 'opportunistic',
      timeouts: defaultTimeouts,
      ...more,
      target: { name: 'mx.test', address: '127.0.0.1', ...more.target, port: server.port },
    });
    if ('send' in result) {
      await body(result);
      await result.quit();
    }
    return { result, heard: server.connections.map((connection) => connection.heard) };
  } finally {
    await server.close();
  }
}

const goodbye = [expectLine('QUIT'), say('221 bye'), close];
const offer = [...hello('STARTTLS', 'PIPELINING'), expectLine('STARTTLS')];
const upgrade = (who = identity, ...keywords: string[]): Script => [
  ...offer,
  say('220 go'),
  startTls(who),
  ...helloAgain(...keywords),
];

test('opportunistic: any certificate, and what it is worth is told', async () => {
  const { result, heard } = await attempt([[...upgrade(), ...goodbye]], {});
  assert.ok('send' in result);
  assert.equal(result.tls?.version, 'TLSv1.3');
  assert.match(result.tls?.cipher ?? '', /^TLS_/);
  assert.equal(result.tls?.verified, false);
  assert.deepEqual(heard, [['EHLO me.test', 'STARTTLS', 'EHLO me.test', 'QUIT']]);
});

test('opportunistic: a valid certificate is told', async () => {
  const { result } = await attempt([[...upgrade(), ...goodbye]], { trustedCertificates: [identity.cert] });
  assert.ok('send' in result);
  assert.equal(result.tls?.verified, true);
});

test('what was offered before the handshake is forgotten', async () => {
  const mail = {
    reversePath: '',
    forwardPaths: ['b@y.example'],
    content: Buffer.from('a\r\n'.repeat(200_000)),
  };
  const script = [
    ...upgrade(),
    ...[expectLine(/^MAIL FROM:<>$/), say('250 ok'), expectLine(/^RCPT/), say('250 ok')],
    ...[expectLine('DATA'), say('354 go'), expectContent, say('250 ok')],
    ...goodbye,
  ];
  const { heard } = await attempt([script], {}, async (session) => {
    const [answer] = await session.send(mail);
    assert.equal(answer?.reply?.code, 250);
  });
  assert.equal(heard[0]?.at(-2), `${mail.content}.\r\n`);
});

test('opportunistic: plain text where STARTTLS is not offered', async () => {
  const { result } = await attempt([[...hello(), ...goodbye]], {});
  assert.ok('send' in result);
  assert.equal(result.tls, null);
});

test('opportunistic: plain text on the same connection where STARTTLS is refused', async () => {
  const { result, heard } = await attempt([[...offer, say('454 4.7.0 not now'), ...goodbye]], {});
  assert.ok('send' in result);
  assert.equal(result.tls, null);
  assert.equal(heard.length, 1);
});

/** Text that came together with the 220 would be refused for another reason: it waits for the handshake. */
const nonsense = [
  (peer: { readBytes(count: number): Promise<void> }) => peer.readBytes(1),
  sayRaw('no handshake\r\n'),
];

for (const [name, steps, commandMs] of [
  ['is answered with something else', [...nonsense, silence], 5_000],
  ['ends with the connection', [close], 5_000],
  ['is not answered', [silence], 200],
] as const) {
  const timeouts = { ...defaultTimeouts, commandMs };
  const failing: Script = [...offer, say('220 go'), ...steps];

  test(`opportunistic: plain text on a new connection when the handshake ${name}`, async () => {
    const { result, heard } = await attempt([failing, [...hello('STARTTLS'), ...goodbye]], { timeouts });
    assert.ok('send' in result);
    assert.equal(result.tls, null);
    assert.deepEqual(heard[1], ['EHLO me.test', 'QUIT']);
  });

  test(`required: no plain text when the handshake ${name}`, async () => {
    const { result, heard } = await attempt([failing, [...hello()]], { tls: 'required', timeouts });
    assert.ok('failed' in result);
    assert.equal(result.failed.stage, 'tls');
    assert.equal(result.failed.cause, 'tls');
    assert.notEqual(result.failed.text, '');
    assert.equal(heard.length, 1);
  });
}

test('plain text behind the answer to STARTTLS is refused, and not tried again', async () => {
  const injected = [...offer, sayRaw('220 go\r\n250 injected\r\n'), silence];
  for (const tls of ['opportunistic', 'required'] as const) {
    const { result, heard } = await attempt([injected, [...hello()]], { tls });
    assert.ok('failed' in result);
    assert.deepEqual(result.failed, {
      stage: 'tls',
      reply: null,
      enhancedStatus: null,
      cause: 'protocol',
      text: 'the peer went on in plain text after its answer to STARTTLS',
    });
    assert.equal(heard.length, 1);
  }
});

test('required: STARTTLS must be offered and taken', async () => {
  const missing = await attempt([[...hello(), silence]], { tls: 'required' });
  assert.ok('failed' in missing.result);
  assert.equal(missing.result.failed.stage, 'tls');
  assert.equal(missing.result.failed.cause, 'unsupported');
  const refused = await attempt([[...offer, say('454 4.7.0 not now'), silence]], { tls: 'required' });
  assert.ok('failed' in refused.result);
  assert.deepEqual(refused.result.failed.reply, { code: 454, text: 'not now' });
});

test('required: the certificate must be valid, and for the name', async () => {
  const invalid = await attempt([upgrade()], { tls: 'required' });
  assert.ok('failed' in invalid.result);
  assert.match(invalid.result.failed.text, /not valid: DEPTH_ZERO_SELF_SIGNED_CERT/);
  const wrongName = await attempt([upgrade(otherIdentity)], {
    tls: 'required',
    trustedCertificates: [otherIdentity.cert],
  });
  assert.ok('failed' in wrongName.result);
  assert.match(wrongName.result.failed.text, /not valid: ERR_TLS_CERT_ALTNAME_INVALID/);
  const valid = await attempt([[...upgrade(), ...goodbye]], {
    tls: 'required',
    trustedCertificates: [identity.cert],
  });
  assert.ok('send' in valid.result);
  assert.equal(valid.result.tls?.verified, true);
});

test('required: a server known by its address has a certificate for the address', async () => {
  const numbered = await makeIdentity('numbered.test', '127.0.0.1');
  for (const name of ['127.0.0.1', '[127.0.0.1]']) {
    const { result } = await attempt([[...upgrade(numbered), ...goodbye]], {
      target: { name, address: '127.0.0.1', port: 0 },
      tls: 'required',
      trustedCertificates: [numbered.cert],
    });
    assert.ok('send' in result, JSON.stringify(result));
    assert.equal(result.tls?.verified, true);
  }
});

test('implicit: TLS from the first byte, with a valid certificate', async () => {
  const script = [startTls(identity), ...hello('STARTTLS'), ...goodbye];
  const valid = await attempt([script], { tls: 'implicit', trustedCertificates: [identity.cert] });
  assert.ok('send' in valid.result);
  assert.equal(valid.result.tls?.verified, true);
  assert.deepEqual(valid.heard, [['EHLO me.test', 'QUIT']]);
  const invalid = await attempt([script], { tls: 'implicit' });
  assert.ok('failed' in invalid.result);
  assert.equal(invalid.result.failed.cause, 'tls');
});

const credentials = { username: 'user', password: 'secret' };

test('credentials go through TLS', async () => {
  const script = [...upgrade(identity, 'AUTH PLAIN'), expectLine(/^AUTH PLAIN /), say('235 ok'), ...goodbye];
  const { result } = await attempt([script], { credentials });
  assert.ok('send' in result);
});

test('credentials are not sent where TLS was wanted and is not there', async () => {
  const stripped = await attempt([[...hello('AUTH PLAIN'), silence]], { credentials });
  assert.ok('failed' in stripped.result);
  assert.equal(stripped.result.failed.stage, 'auth');
  assert.equal(stripped.result.failed.cause, 'tls');
  assert.ok(!stripped.heard.flat().some((line) => line.startsWith('AUTH')));
});

test('a peer that closes under TLS is a lost connection', async () => {
  await attempt([[...upgrade(), expectLine(/^MAIL/), close]], {}, async (session) => {
    const [answer] = await session.send({
      reversePath: '',
      forwardPaths: ['b@y.example'],
      content: Buffer.alloc(0),
    });
    assert.equal(answer?.cause, 'connection-lost');
    assert.equal(answer?.stage, 'mail');
    assert.ok(!session.usable);
  });
});
