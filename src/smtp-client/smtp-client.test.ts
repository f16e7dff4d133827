import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  close,
  expectBytes,
  expectContent,
  expectLine,
  hello,
  reset,
  type Script,
  say,
  sayForever,
  sayRaw,
  silence,
  startScriptServer,
  turnDeaf,
} from '../../test/support/script-server.ts';
import { limits } from '../base/limits.ts';
import {
  type ConnectOptions,
  connect,
  defaultTimeouts,
  type Observation,
  type OutgoingMail,
  type SmtpSession,
} from './smtp-client.ts';

const content = Buffer.from('Subject: a\r\n\r\nHello\r\n');
const mail: OutgoingMail = { reversePath: 'a@x.example', forwardPaths: ['b@y.example'], content };

function optionsFor(port: number, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    target: { name: 'mx.test', address: '127.0.0.1', port },
    greetingName: 'me.test',
    tls: 'none',
    timeouts: defaultTimeouts,
    ...more,
  };
}

type Run = { server: Awaited<ReturnType<typeof startScriptServer>>; session: SmtpSession };

async function inSession(
  script: Script,
  body: (run: Run) => Promise<void>,
  more: Partial<ConnectOptions> = {},
): Promise<void> {
  const server = await startScriptServer([script]);
  try {
    const session = await connect(optionsFor(server.port, more));
    assert.ok('send' in session, `no session: ${JSON.stringify(session)}`);
    await body({ server, session });
    await session.quit();
    await server.finished();
  } finally {
    await server.close();
  }
}

async function failedConnect(script: Script, more: Partial<ConnectOptions> = {}): Promise<Observation> {
  const server = await startScriptServer([script]);
  try {
    const result = await connect(optionsFor(server.port, more));
    assert.ok('failed' in result);
    assert.equal(result.sendingIp, '127.0.0.1');
    return result.failed;
  } finally {
    await server.close();
  }
}

function heard(
  stage: Observation['stage'],
  code: number,
  text: string,
  status: string | null = null,
): Observation {
  return { stage, reply: { code, text }, enhancedStatus: status, cause: null, text: '' };
}

function lost(stage: Observation['stage'], cause: Observation['cause'], text: string): Observation {
  return { stage, reply: null, enhancedStatus: null, cause, text };
}

const goodbye = [expectLine('QUIT'), say('221 bye'), close];
const envelope = [
  expectLine('MAIL FROM:<a@x.example>'),
  say('250 2.1.0 ok'),
  expectLine('RCPT TO:<b@y.example>'),
  say('250 2.1.5 ok'),
];
const delivery = [
  ...envelope,
  expectLine('DATA'),
  say('354 go'),
  expectContent,
  say('250 2.0.0 queued as 1'),
];

test('a mail command by command', () =>
  inSession([...hello(), ...delivery, ...goodbye], async ({ server, session }) => {
    assert.equal(session.sendingIp, '127.0.0.1');
    assert.equal(session.tls, null);
    assert.deepEqual(await session.send(mail), [heard('end-of-data', 250, 'queued as 1', '2.0.0')]);
    assert.ok(session.usable);
    assert.equal(server.connections[0]?.heard.at(-1), `${content}.\r\n`);
  }));

test('with PIPELINING the commands leave in one write, the content and its end in another', () =>
  inSession(
    [
      ...hello('PIPELINING', 'SIZE 1000'),
      expectLine('MAIL FROM:<a@x.example> SIZE=21'),
      expectLine('RCPT TO:<b@y.example>'),
      expectLine('RCPT TO:<c@y.example>'),
      expectLine('DATA'),
      say('250 ok', '250 ok', '250 ok', '354 go'),
      expectContent,
      say('250 ok'),
      ...goodbye,
    ],
    async ({ server, session }) => {
      const answers = await session.send({ ...mail, forwardPaths: ['b@y.example', 'c@y.example'] });
      assert.deepEqual(answers, [heard('end-of-data', 250, 'ok'), heard('end-of-data', 250, 'ok')]);
      const commands =
        'MAIL FROM:<a@x.example> SIZE=21RCPT TO:<b@y.example>RCPT TO:<c@y.example>DATA'.length + 8;
      assert.deepEqual(server.connections[0]?.chunks.slice(1, 3), [commands, content.length + 3]);
    },
  ));

test('a session serves mail after mail, without RSET after success', () =>
  inSession([...hello(), ...delivery, ...delivery, ...goodbye], async ({ session }) => {
    assert.equal((await session.send(mail))[0]?.reply?.code, 250);
    assert.equal((await session.send(mail))[0]?.reply?.code, 250);
  }));

test('RSET comes first after a transaction that failed', () =>
  inSession(
    [
      ...hello(),
      expectLine(/^MAIL/),
      say('550 5.7.1 not you'),
      expectLine('RSET'),
      say('250 ok'),
      ...delivery,
      ...goodbye,
    ],
    async ({ session }) => {
      assert.deepEqual(await session.send(mail), [heard('mail', 550, 'not you', '5.7.1')]);
      assert.deepEqual(await session.send(mail), [heard('end-of-data', 250, 'queued as 1', '2.0.0')]);
    },
  ));

test('RSET and the next mail are pipelined', () =>
  inSession(
    [
      ...hello('PIPELINING'),
      ...[expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('250 ok', '250 ok', '354 go'),
      expectContent,
      say('554 5.6.0 not this content'),
      ...[expectLine('RSET'), expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('250 reset', '250 ok', '250 ok', '354 go'),
      expectContent,
      say('250 ok'),
      ...goodbye,
    ],
    async ({ session }) => {
      assert.deepEqual(await session.send(mail), [heard('end-of-data', 554, 'not this content', '5.6.0')]);
      assert.deepEqual(await session.send(mail), [heard('end-of-data', 250, 'ok')]);
    },
  ));

const three = { ...mail, forwardPaths: ['b@y.example', 'c@y.example', 'd@y.example'] };

for (const pipelining of [true, false]) {
  const offers = pipelining ? ['PIPELINING'] : [];
  /** Commands and replies in the order in which the client uses them. */
  const turns = (...pairs: [RegExp, string][]): Script =>
    pipelining
      ? [...pairs.map(([line]) => expectLine(line)), say(...pairs.map(([, reply]) => reply))]
      : pairs.flatMap(([line, reply]) => [expectLine(line), say(reply)]);
  const name = pipelining ? 'with' : 'without';

  test(`each forward-path keeps its own reply, ${name} PIPELINING`, () =>
    inSession(
      [
        ...hello(...offers),
        ...turns(
          [/^MAIL/, '250 ok'],
          [/b@y/, '550 5.1.1 no such user'],
          [/c@y/, '250 ok'],
          [/d@y/, '452 4.2.2 full'],
          [/^DATA/, '354 go'],
        ),
        expectContent,
        say('250 2.0.0 taken'),
        ...goodbye,
      ],
      async ({ session }) => {
        assert.deepEqual(await session.send(three), [
          heard('rcpt', 550, 'no such user', '5.1.1'),
          heard('end-of-data', 250, 'taken', '2.0.0'),
          heard('rcpt', 452, 'full', '4.2.2'),
        ]);
      },
    ));

  test(`a refused DATA is heard by the accepted forward-paths, ${name} PIPELINING`, () =>
    inSession(
      [
        ...hello(...offers),
        ...turns(
          [/^MAIL/, '250 ok'],
          [/b@y/, '550 no'],
          [/c@y/, '250 ok'],
          [/d@y/, '250 ok'],
          [/^DATA/, '451 later'],
        ),
        ...goodbye,
      ],
      async ({ session }) => {
        assert.deepEqual(await session.send(three), [
          heard('rcpt', 550, 'no'),
          heard('data', 451, 'later'),
          heard('data', 451, 'later'),
        ]);
      },
    ));

  test(`a positive answer to DATA is none, ${name} PIPELINING`, () =>
    inSession(
      [...hello(...offers), ...turns([/^MAIL/, '250 ok'], [/b@y/, '250 ok'], [/^DATA/, '250 fine']), silence],
      async ({ session }) => {
        const [answer] = await session.send(mail);
        assert.deepEqual(answer, lost('data', 'protocol', 'unexpected answer: 250 fine'));
        assert.ok(!session.usable);
      },
    ));

  test(`421 for one forward-path ends it for all that are open, ${name} PIPELINING`, () =>
    inSession(
      [
        ...hello(...offers),
        ...(pipelining
          ? [expectLine(/^MAIL/), ...[1, 2, 3].map(() => expectLine(/^RCPT/)), expectLine('DATA')]
          : [expectLine(/^MAIL/), say('250 ok'), expectLine(/b@y/), say('550 no'), expectLine(/c@y/)]),
        pipelining ? say('250 ok', '550 no', '421 4.3.2 closing') : say('421 4.3.2 closing'),
        close,
      ],
      async ({ session }) => {
        assert.deepEqual(await session.send(three), [
          heard('rcpt', 550, 'no'),
          heard('rcpt', 421, 'closing', '4.3.2'),
          heard('rcpt', 421, 'closing', '4.3.2'),
        ]);
        assert.ok(!session.usable);
      },
    ));
}

test('all forward-paths refused, and yet 354: a lone period ends it (RFC 2920 §3.1)', () =>
  inSession(
    [
      ...hello('PIPELINING'),
      ...[expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('250 ok', '550 5.1.1 no such user', '354 go'),
      expectContent,
      say('554 no valid recipients'),
      ...[expectLine('RSET'), expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('250 ok', '250 ok', '250 ok', '354 go'),
      expectContent,
      say('250 ok'),
      ...goodbye,
    ],
    async ({ server, session }) => {
      assert.deepEqual(await session.send(mail), [heard('rcpt', 550, 'no such user', '5.1.1')]);
      assert.ok(session.usable);
      assert.equal(server.connections[0]?.heard.at(-1), '.\r\n');
      assert.deepEqual(await session.send(mail), [heard('end-of-data', 250, 'ok')]);
    },
  ));

test('a refused MAIL is heard by all; the rest of the pipeline is heard out', () =>
  inSession(
    [
      ...hello('PIPELINING'),
      ...[expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('451 4.7.1 greylisted', '503 no MAIL', '503 no RCPT'),
      ...goodbye,
    ],
    async ({ session }) => {
      assert.deepEqual(await session.send(mail), [heard('mail', 451, 'greylisted', '4.7.1')]);
      assert.ok(session.usable);
    },
  ));

test('a server that goes on after it refused MAIL gets no empty mail', () =>
  inSession(
    [
      ...hello('PIPELINING'),
      ...[expectLine(/^MAIL/), expectLine(/^RCPT/), expectLine('DATA')],
      say('451 4.3.0 later', '250 ok', '354 go'),
      silence,
    ],
    async ({ server, session }) => {
      assert.deepEqual(await session.send(mail), [heard('mail', 451, 'later', '4.3.0')]);
      assert.ok(!session.usable);
      await server.finished();
      assert.equal(server.connections[0]?.heard.at(-1), 'DATA');
      assert.equal(server.connections[0]?.chunks.length, 2);
    },
  ));

test('a lost connection at the end of data leaves it open for every accepted forward-path', () =>
  inSession(
    [
      ...hello('PIPELINING'),
      ...[
        expectLine(/^MAIL/),
        expectLine(/^RCPT/),
        expectLine(/^RCPT/),
        expectLine(/^RCPT/),
        expectLine('DATA'),
      ],
      say('250 ok', '550 no', '250 ok', '250 ok', '354 go'),
      expectContent,
      close,
    ],
    async ({ session }) => {
      const [first, second, third] = await session.send(three);
      assert.deepEqual(first, heard('rcpt', 550, 'no'));
      assert.deepEqual(second, lost('end-of-data', 'connection-lost', 'connection closed by the peer'));
      assert.deepEqual(third, second);
      assert.ok(!session.usable);
    },
  ));

test('a reset connection is a lost one', () =>
  inSession([...hello(), expectLine(/^MAIL/), reset], async ({ session }) => {
    assert.deepEqual(await session.send(mail), [
      lost('mail', 'connection-lost', 'connection lost: ECONNRESET'),
    ]);
  }));

test('a reply that is cut off shows what was said', () =>
  inSession([...hello(), expectLine(/^MAIL/), sayRaw('550-5.7.1 go\r\n550'), close], async ({ session }) => {
    const text = 'connection closed within a reply: 550 5.7.1 go';
    assert.deepEqual(await session.send(mail), [lost('mail', 'connection-lost', text)]);
  }));

test('421 between mails ends the session', () =>
  inSession([...hello(), ...delivery, say('421 4.4.2 idle too long'), close], async ({ session }) => {
    await session.send(mail);
    while (session.usable) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await session.send(mail), [heard('mail', 421, 'idle too long', '4.4.2')]);
  }));

test('a reply to nothing is not taken for the reply to the next command', () =>
  inSession([...hello(), expectLine(/^MAIL/), say('250 ok', '250 ok'), silence], async ({ session }) => {
    assert.deepEqual(await session.send(mail), [lost('rcpt', 'protocol', 'an answer to nothing: 250 ok')]);
    assert.ok(!session.usable);
  }));

test('an early 250 behind the 354 is not taken for the end of data', () =>
  inSession(
    [...hello(), ...envelope, expectLine('DATA'), say('354 go', '250 taken'), silence],
    async ({ session }) => {
      const text = 'answered before the content was sent';
      assert.deepEqual(await session.send(mail), [lost('end-of-data', 'protocol', text)]);
    },
  ));

test('a refusal in mid-content is heard, and the rest is not sent', () => {
  const large = { ...mail, content: Buffer.alloc(20_000_000, `${'x'.repeat(70)}\r\n`) };
  return inSession(
    [
      ...hello(),
      ...envelope,
      expectLine('DATA'),
      say('354 go'),
      expectBytes(200_000),
      say('552 5.3.4 too much'),
      silence,
    ],
    async ({ server, session }) => {
      assert.deepEqual(await session.send(large), [heard('end-of-data', 552, 'too much', '5.3.4')]);
      assert.ok(!session.usable);
      const received = server.connections[0]?.chunks.reduce((sum, chunk) => sum + chunk, 0) ?? 0;
      assert.ok(received < large.content.length);
    },
  );
});

test('a large content arrives whole', () => {
  const line = `.${'x'.repeat(70)}\r\n`;
  const large = { ...mail, content: Buffer.from(line.repeat(30_000)) };
  return inSession([...hello(), ...delivery, ...goodbye], async ({ server, session }) => {
    assert.equal((await session.send(large))[0]?.reply?.code, 250);
    assert.equal(server.connections[0]?.heard.at(-1), `${`.${line}`.repeat(30_000)}.\r\n`);
  });
});

test('a peer that takes no content is left', () => {
  const large = { ...mail, content: Buffer.alloc(40_000_000, 'x') };
  const timeouts = { ...defaultTimeouts, dataBlockMs: 100 };
  return inSession(
    [...hello(), ...envelope, expectLine('DATA'), say('354 go'), turnDeaf],
    async ({ session }) => {
      const text = 'no answer within 0.1 seconds';
      assert.deepEqual(await session.send(large), [lost('end-of-data', 'timeout', text)]);
    },
    { timeouts },
  );
});

for (const [stage, before] of [
  ['mail', []],
  ['rcpt', [expectLine(/^MAIL/), say('250 ok')]],
  ['data', envelope],
] as const) {
  test(`a peer that falls silent at ${stage}`, () =>
    inSession(
      [...hello(), ...before, expectLine(/./), silence],
      async ({ session }) => {
        assert.deepEqual(await session.send(mail), [lost(stage, 'timeout', 'no answer within 1 seconds')]);
      },
      { timeouts: { ...defaultTimeouts, commandMs: 1_000 } },
    ));
}

test('a peer that falls silent at the end of data', () =>
  inSession(
    [...hello(), ...envelope, expectLine('DATA'), say('354 go'), expectContent, silence],
    async ({ session }) => {
      const expected = lost('end-of-data', 'timeout', 'no answer within 0.05 seconds');
      assert.deepEqual(await session.send(mail), [expected]);
    },
    { timeouts: { ...defaultTimeouts, endOfDataMs: 50 } },
  ));

test('a reply that drips gains no time', () =>
  inSession(
    [...hello(), expectLine(/^MAIL/), sayForever('2')],
    async ({ session }) => {
      const [answer] = await session.send(mail);
      assert.ok(answer?.cause === 'timeout' || answer?.cause === 'protocol');
    },
    { timeouts: { ...defaultTimeouts, commandMs: 100 } },
  ));

for (const [name, bytes, text] of [
  ['endless lines', '250-x\r\n', 'a reply without end'],
  ['an endless line', 'x'.repeat(10_000), 'a reply without end'],
  ['another protocol', 'HTTP/1.1 200 OK\r\n', 'no SMTP reply: "HTTP/1.1 200 OK"'],
  ['garbage', '\x00\xff\x80\r\n', 'no SMTP reply: "???"'],
] as const) {
  test(`hostile peer: ${name}`, () =>
    inSession([...hello(), expectLine(/^MAIL/), sayForever(bytes)], async ({ session }) => {
      const [answer] = await session.send(mail);
      assert.equal(answer?.cause, 'protocol');
      assert.equal(answer?.stage, 'mail');
      if (name !== 'garbage') assert.equal(answer?.text, text);
      assert.ok(!session.usable);
    }));
}

test('a peer that floods an idle session is left', () =>
  inSession([...hello(), sayForever('250 ok\r\n'.repeat(1000))], async ({ session }) => {
    while (session.usable) await new Promise((resolve) => setImmediate(resolve));
    const [answer] = await session.send(mail);
    assert.equal(answer?.cause, 'protocol');
  }));

test('paths that could begin a command of their own are never said', () =>
  inSession([...hello(), ...delivery, ...goodbye], async ({ server, session }) => {
    const injected = 'c@y.example>\r\nRCPT TO:<d@y.example';
    const [bad, good, empty] = await session.send({ ...mail, forwardPaths: [injected, 'b@y.example', ''] });
    assert.equal(bad?.cause, 'unsupported');
    assert.equal(bad?.enhancedStatus, '5.1.3');
    assert.equal(bad?.stage, 'rcpt');
    assert.equal(good?.reply?.code, 250);
    assert.equal(empty?.cause, 'unsupported');
    assert.ok(!JSON.stringify(server.connections).includes('d@y.example'));
  }));

test('a mail that cannot be said at all is not begun', () =>
  inSession([...hello('SIZE 20'), ...goodbye], async ({ session }) => {
    const statusOf = async (more: Partial<OutgoingMail>) => {
      const [answer] = await session.send({ ...mail, content: Buffer.from('a\r\n'), ...more });
      assert.equal(answer?.cause, 'unsupported');
      return `${answer?.stage} ${answer?.enhancedStatus}`;
    };
    assert.equal(await statusOf({ reversePath: 'a b@x.example' }), 'mail 5.1.7');
    assert.equal(await statusOf({ reversePath: 'ü@x.example' }), 'mail 5.6.7');
    assert.equal(await statusOf({ forwardPaths: ['ü@y.example'] }), 'rcpt 5.6.7');
    assert.equal(await statusOf({ content: Buffer.from('ü\r\n') }), 'mail 5.6.3');
    assert.equal(await statusOf({ content }), 'mail 5.3.4');
    assert.ok(session.usable);
  }));

test('8-bit content and international addresses are announced', () =>
  inSession(
    [
      ...hello('8BITMIME', 'SMTPUTF8', 'SIZE'),
      expectLine('MAIL FROM:<> SIZE=4 BODY=8BITMIME SMTPUTF8'),
      say('250 ok'),
      expectLine(`RCPT TO:<${Buffer.from('ü@y.example').toString('latin1')}>`),
      say('250 ok'),
      expectLine('DATA'),
      say('354 go'),
      expectContent,
      say('250 ok'),
      ...goodbye,
    ],
    async ({ session }) => {
      const international = { reversePath: '', forwardPaths: ['ü@y.example'], content: Buffer.from('ü') };
      assert.deepEqual(await session.send(international), [heard('end-of-data', 250, 'ok')]);
    },
  ));

test('HELO for a server that refuses EHLO', () =>
  inSession(
    [
      say('220 old'),
      expectLine('EHLO me.test'),
      say('502 what?'),
      expectLine('HELO me.test'),
      say('250 old'),
      ...delivery,
      ...goodbye,
    ],
    async ({ session }) => {
      assert.equal((await session.send(mail))[0]?.reply?.code, 250);
    },
  ));

const openings: [name: string, script: Script, expected: Observation][] = [
  [
    'refused greeting',
    [say('554-no', '554 5.7.1 listed'), silence],
    heard('greeting', 554, 'no\n5.7.1 listed'),
  ],
  ['busy greeting', [say('421 4.3.2 busy'), silence], heard('greeting', 421, 'busy', '4.3.2')],
  [
    'greeting of 221',
    [say('221 not ready'), silence],
    lost('greeting', 'protocol', 'unexpected answer: 221 not ready'),
  ],
  [
    'no SMTP',
    [say('SSH-2.0-OpenSSH_9.2'), silence],
    lost('greeting', 'protocol', 'no SMTP reply: "SSH-2.0-OpenSSH_9.2"'),
  ],
  ['closed at once', [close], lost('greeting', 'connection-lost', 'connection closed by the peer')],
  [
    'EHLO put off',
    [say('220 x'), expectLine(/^EHLO/), say('450 later'), silence],
    heard('ehlo', 450, 'later'),
  ],
  [
    'EHLO and HELO refused',
    [
      say('220 x'),
      expectLine(/^EHLO/),
      say('550 no'),
      expectLine(/^HELO/),
      say('550 5.7.1 bad name'),
      silence,
    ],
    heard('ehlo', 550, 'bad name', '5.7.1'),
  ],
  [
    'a second greeting',
    [say('220 x', '220 y'), silence],
    lost('ehlo', 'protocol', 'an answer to nothing: 220 y'),
  ],
];
for (const [name, script, expected] of openings) {
  test(`opening: ${name}`, async () => assert.deepEqual(await failedConnect(script), expected));
}

test('opening: no greeting', async () => {
  const timeouts = { ...defaultTimeouts, greetingMs: 50 };
  const expected = lost('greeting', 'timeout', 'no answer within 0.05 seconds');
  assert.deepEqual(await failedConnect([silence], { timeouts }), expected);
});

test('no one listens', async () => {
  const server = await startScriptServer([]);
  await server.close();
  const result = await connect(optionsFor(server.port));
  assert.deepEqual(result, {
    failed: lost('connect', 'refused', 'no connection: ECONNREFUSED'),
    sendingIp: '',
    tls: null,
  });
});

test('a local address that is not ours', async () => {
  const result = await connect(optionsFor(9, { localAddress: '192.0.2.1' }));
  assert.deepEqual(result, {
    failed: lost('connect', 'own-address', 'the source address 192.0.2.1 cannot be bound (EADDRNOTAVAIL)'),
    sendingIp: '192.0.2.1',
    tls: null,
  });
});

test('the local address that was asked for is used', () =>
  inSession([...hello(), ...goodbye], async ({ session }) => assert.equal(session.sendingIp, '127.0.0.7'), {
    localAddress: '127.0.0.7',
  }));

test('QUIT waits for its answer, but not for ever', () =>
  inSession(
    [...hello(), expectLine('QUIT'), silence],
    async ({ session }) => {
      await session.quit();
      assert.ok(!session.usable);
      await session.quit();
    },
    { timeouts: { ...defaultTimeouts, commandMs: 50 } },
  ));

test('AUTH PLAIN, where the operator allows plain text', () =>
  inSession(
    [
      ...hello('AUTH LOGIN PLAIN'),
      expectLine('AUTH PLAIN AHVzZXIAc2VjcmV0'),
      say('235 2.7.0 ok'),
      ...goodbye,
    ],
    async () => {},
    { credentials: { username: 'user', password: 'secret' } },
  ));

test('AUTH PLAIN for a server that overlooks the initial response', () =>
  inSession(
    [
      ...hello('AUTH PLAIN'),
      expectLine('AUTH PLAIN AHVzZXIAc2VjcmV0'),
      say('334 '),
      expectLine('AHVzZXIAc2VjcmV0'),
      say('235 ok'),
      ...goodbye,
    ],
    async () => {},
    { credentials: { username: 'user', password: 'secret' } },
  ));

test('AUTH LOGIN where nothing else is offered', () =>
  inSession(
    [
      ...hello('AUTH=LOGIN'),
      expectLine('AUTH LOGIN'),
      say('334 VXNlcm5hbWU6'),
      expectLine('dXNlcg=='),
      say('334 UGFzc3dvcmQ6'),
      expectLine('c2VjcmV0'),
      say('235 ok'),
      ...goodbye,
    ],
    async () => {},
    { credentials: { username: 'user', password: 'secret' } },
  ));

test('AUTH refused, or not offered', async () => {
  const credentials = { username: 'user', password: 'secret' };
  const refused = await failedConnect(
    [...hello('AUTH PLAIN'), expectLine(/^AUTH/), say('535 5.7.8 wrong'), silence],
    { credentials },
  );
  assert.deepEqual(refused, heard('auth', 535, 'wrong', '5.7.8'));
  const missing = await failedConnect([...hello('AUTH GSSAPI'), silence], { credentials });
  assert.equal(missing.cause, 'unsupported');
  assert.equal(missing.stage, 'auth');
});

test('a transaction of many forward-paths', () => {
  const forwardPaths = Array.from(
    { length: limits.forwardPathsPerMail },
    (_, index) => `u${index}@y.example`,
  );
  return inSession(
    [
      ...hello('PIPELINING'),
      expectLine(/^MAIL/),
      say('250 ok'),
      ...forwardPaths.flatMap((path, index) => [
        expectLine(`RCPT TO:<${path}>`),
        say(index % 2 === 0 ? '250 ok' : `550 5.1.1 ${path}`),
      ]),
      expectLine('DATA'),
      say('354 go'),
      expectContent,
      say('250 ok'),
      ...goodbye,
    ],
    async ({ session }) => {
      const answers = await session.send({ ...mail, forwardPaths });
      assert.equal(
        answers.filter((answer) => answer.stage === 'end-of-data').length,
        forwardPaths.length / 2,
      );
      assert.deepEqual(answers[999], heard('rcpt', 550, 'u999@y.example', '5.1.1'));
    },
  );
});
