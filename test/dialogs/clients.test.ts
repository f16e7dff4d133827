/** Programs that people send mail with, against the bare listener. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { createTransport } from 'nodemailer';
import { peerCommand, skipWithout } from '../support/environment.ts';
import { type Listener, type ListenerOptions, password, startListener, username } from './listener.ts';

const run = promisify(execFile);
const passwordsNeedTls: ListenerOptions = { trusted: 'no', authWithoutTls: 'never' };

async function started(context: TestContext, options: ListenerOptions = {}): Promise<Listener> {
  const listener = await startListener(options);
  context.after(() => listener.server.close());
  return listener;
}

const mail = {
  from: 'sender@a.example',
  to: ['one@b.example', 'two@b.example'],
  subject: 'Grüße',
  text: '.\n..leading dots\nand ümlauts\n',
};

for (const method of ['PLAIN', 'LOGIN']) {
  test(`nodemailer: STARTTLS and AUTH ${method}`, async (context) => {
    const listener = await started(context, passwordsNeedTls);
    const transport = createTransport({
      host: '127.0.0.1',
      port: listener.port,
      requireTLS: true,
      authMethod: method,
      auth: { user: username, pass: password },
      tls: { rejectUnauthorized: false },
    });
    const sent = await transport.sendMail({ ...mail, encoding: '8bit' as 'base64' });
    assert.match(sent.response, /^250 2\.0\.0 Ok: queued as 1$/);
    const [received] = listener.mails;
    assert.equal(received?.protocol, 'ESMTPSA');
    assert.match(received?.client.tls?.version ?? '', /^TLSv1\.3$/);
    assert.deepEqual(received?.forwardPaths, mail.to);
    assert.match(received?.content.toString('utf8') ?? '', /\r\n\r\n\.\r\n\.\.leading dots\r\n/);
    await assert.rejects(
      createTransport({
        host: '127.0.0.1',
        port: listener.port,
        authMethod: method,
        auth: { user: username, pass: 'wrong' },
        tls: { rejectUnauthorized: false },
      }).sendMail(mail),
      /535 5\.7\.8/,
    );
  });
}

test('nodemailer: TLS from the first byte, a pool of connections, many mails', async (context) => {
  const listener = await started(context, { ...passwordsNeedTls, implicitTls: true });
  const transport = createTransport({
    host: '127.0.0.1',
    port: listener.port,
    secure: true,
    pool: true,
    maxConnections: 3,
    auth: { user: username, pass: password },
    tls: { rejectUnauthorized: false },
  });
  const subjects = Array.from({ length: 30 }, (_, n) => `number ${n}`);
  await Promise.all(subjects.map((subject) => transport.sendMail({ ...mail, subject })));
  transport.close();
  assert.equal(listener.mails.length, 30);
  for (const subject of subjects) {
    assert.ok(listener.mails.some(({ content }) => content.includes(`Subject: ${subject}\r\n`)));
  }
});

test('nodemailer: a large attachment arrives byte for byte', async (context) => {
  const listener = await started(context);
  const attachment = Buffer.alloc(3_000_000, 'abc.\n');
  const transport = createTransport({ host: '127.0.0.1', port: listener.port, ignoreTLS: true });
  await transport.sendMail({ ...mail, attachments: [{ filename: 'a.bin', content: attachment }] });
  const content = listener.mails[0]?.content.toString('latin1') ?? '';
  const [, encoded = ''] = /name=a\.bin[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(content) ?? [];
  assert.ok(Buffer.from(encoded, 'base64').equals(attachment));
});

for (const method of ['PLAIN', 'LOGIN']) {
  test(`swaks: AUTH ${method} and pipelining`, { skip: skipWithout('swaks') }, async (context) => {
    const listener = await started(context, { trusted: 'no' });
    const { stdout } = await run(peerCommand('swaks'), [
      ...['--server', `127.0.0.1:${listener.port}`, '--pipeline', '--helo', 'client.example'],
      ...['--auth', method, '--auth-user', username, '--auth-password', password],
      ...['--from', 'a@b.example', '--to', 'c@d.example', '--body', '.dot\\n'],
    ]);
    assert.match(stdout, /250 2\.0\.0 Ok: queued as 1/);
    assert.equal(listener.mails[0]?.protocol, 'ESMTPA');
    assert.match(listener.mails[0]?.content.toString() ?? '', /\r\n\r\n\.dot\r\n/);
  });
}

for (const implicitTls of [false, true]) {
  const name = `curl: ${implicitTls ? 'TLS from the first byte' : 'STARTTLS'} and AUTH`;
  test(name, { skip: skipWithout('curl') }, async (context) => {
    const listener = await started(context, { ...passwordsNeedTls, implicitTls });
    const sending = run(peerCommand('curl'), [
      ...['--silent', '--show-error', '--insecure', '--ssl-reqd', '--upload-file', '-'],
      ...['--user', `${username}:${password}`, '--mail-from', 'a@b.example', '--mail-rcpt', 'c@d.example'],
      `${implicitTls ? 'smtps' : 'smtp'}://127.0.0.1:${listener.port}/client.example`,
    ]);
    sending.child.stdin?.end('Subject: a\r\n\r\n.dot\r\n');
    await sending;
    assert.equal(listener.mails[0]?.protocol, 'ESMTPSA');
    assert.equal(listener.mails[0]?.content.toString(), 'Subject: a\r\n\r\n.dot\r\n');
  });
}

test('smtp-source: many sessions at once', { skip: skipWithout('smtp-source') }, async (context) => {
  const listener = await started(context);
  const counts = ['-s', '20', '-m', '400', '-r', '3', '-l', '4096'];
  const envelope = ['-f', 'a@b.example', '-t', 'c@d.example'];
  await run(peerCommand('smtp-source'), ['-d', ...counts, ...envelope, `127.0.0.1:${listener.port}`]);
  assert.equal(listener.mails.length, 400);
  assert.ok(listener.mails.every(({ forwardPaths }) => forwardPaths.length === 3));
});
