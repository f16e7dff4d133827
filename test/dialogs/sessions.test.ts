/** What a text file cannot say: time, several sessions at once, stopping, memory. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { manualClock } from '../../src/base/clock.ts';
import type { SessionSubmission, SmtpHandler } from '../../src/smtp-server/handler.ts';
import { createSmtpServer } from '../../src/smtp-server/smtp-server.ts';
import { DialogClient } from './client.ts';
import { type Listener, type ListenerOptions, refuse, startListener } from './listener.ts';

const envelope = 'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n';

/** The buffers of the system for a loopback connection hold up to 10 MB; the server itself next to nothing. */
const mostHeldBytes = 16_000_000;
const heldTries = 400;

type Started = Listener & { clients: DialogClient[] };

async function started(context: TestContext, options: ListenerOptions = {}): Promise<Started> {
  const listener = await startListener(options);
  const clients: DialogClient[] = [];
  context.after(() => {
    for (const client of clients) client.destroy();
    return listener.server.close();
  });
  return { ...listener, clients };
}

async function connected(listener: Started): Promise<DialogClient> {
  const client = await DialogClient.connect(listener.port);
  listener.clients.push(client);
  assert.match(await client.line(), /^220 /);
  return client;
}

async function linesUntil(client: DialogClient, pattern: RegExp): Promise<string> {
  for (;;) {
    const line = await client.line();
    if (pattern.test(line)) return line;
  }
}

/** A handler whose submissions wait until they are let go. */
function heldSubmissions() {
  const waiting: { submission: SessionSubmission; letGo: (accepted: string) => void }[] = [];
  const arrivals: (() => void)[] = [];
  return {
    waiting,
    submit: (submission: SessionSubmission) =>
      new Promise<{ accepted: string }>((resolve) => {
        waiting.push({ submission, letGo: (accepted) => resolve({ accepted }) });
        arrivals.shift()?.();
      }),
    next: () =>
      waiting.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => arrivals.push(resolve)),
  };
}

test('250 waits for the handler, and so does everything pipelined behind the mail', async (context) => {
  const held = heldSubmissions();
  const listener = await started(context, { handler: { submit: held.submit } });
  const client = await connected(listener);
  const other = await connected(listener);
  client.send(`${envelope}text\r\n.\r\nNOOP\r\nQUIT\r\n`);
  await linesUntil(client, /^354/);
  await held.next();
  // Only this session waits.
  other.send('NOOP\r\n');
  assert.equal(await other.line(), '250 2.0.0 Ok');
  assert.equal(client.unread, '""');
  held.waiting[0]?.letGo('Ok: queued as x');
  assert.equal(await client.line(), '250 2.0.0 Ok: queued as x');
  assert.equal(await client.line(), '250 2.0.0 Ok');
  assert.equal(await client.line(), '221 2.0.0 Bye');
});

test('a client that ends its side while its mail is submitted gets the answer', async (context) => {
  const held = heldSubmissions();
  const listener = await started(context, { handler: { submit: held.submit } });
  const client = await connected(listener);
  client.send(`${envelope}text\r\n.\r\n`);
  await held.next();
  client.end();
  // The end has reached the server when a later connection has been served.
  await connected(listener);
  await new Promise(setImmediate);
  held.waiting[0]?.letGo('Ok: queued');
  await linesUntil(client, /^250 2\.0\.0 Ok: queued$/);
  await client.closedByServer();
});

test('a client that sends without end while its mail is submitted is not read without end', async (context) => {
  const held = heldSubmissions();
  const listener = await started(context, { handler: { submit: held.submit } });
  const client = await connected(listener);
  client.send(`${envelope}text\r\n.\r\n`);
  await held.next();
  const sent = await client.sendUntilHeld(`NOOP ${'x'.repeat(4000)}\r\n`.repeat(16), heldTries);
  assert.ok(sent < mostHeldBytes, `the system and the server took ${sent} bytes`);
  held.waiting[0]?.letGo('Ok');
  await linesUntil(client, /^250 2\.0\.0 Ok$/);
  for (let read = 0; read < sent; read += 4007) assert.equal(await client.line(), '250 2.0.0 Ok');
});

test('a client that does not read its replies is not read either', async (context) => {
  const listener = await started(context);
  const client = await connected(listener);
  client.pause();
  const sent = await client.sendUntilHeld(`EHLO ${'x'.repeat(250)}\r\n`.repeat(250), 1000);
  // Replies of half the size fill the buffers of the other direction meanwhile.
  assert.ok(sent < 3 * mostHeldBytes, `the system and the server took ${sent} bytes`);
  client.resume();
  await linesUntil(client, /^250 HELP$/);
});

test('closing says 421 to idle sessions and takes no new ones', async () => {
  const listener = await startListener();
  const client = await DialogClient.connect(listener.port);
  await client.line();
  client.send('EHLO c\r\n');
  await linesUntil(client, /^250 HELP$/);
  const closed = listener.server.close();
  assert.equal(await client.line(), '421 4.3.2 Service is stopping, try again later');
  await client.closedByServer();
  client.destroy();
  await closed;
  await assert.rejects(DialogClient.connect(listener.port), /ECONNREFUSED/);
});

test('closing lets a mail under way finish, whether in content or in the handler', async () => {
  const held = heldSubmissions();
  const listener = await startListener({ handler: { submit: held.submit } });
  const inContent = await DialogClient.connect(listener.port);
  inContent.send(`${envelope}first half\r\n`);
  await linesUntil(inContent, /^354/);
  const inHandler = await DialogClient.connect(listener.port);
  inHandler.send(`${envelope}text\r\n.\r\n`);
  await held.next();
  const closed = listener.server.close();
  inContent.send('second half\r\n.\r\n');
  while (held.waiting.length < 2) await new Promise(setImmediate);
  for (const { letGo } of held.waiting) letGo('Ok: queued');
  for (const client of [inContent, inHandler]) {
    await linesUntil(client, /^250 2\.0\.0 Ok: queued$/);
    assert.match(await client.line(), /^421 4\.3\.2 /);
    client.destroy();
  }
  await closed;
  assert.equal(held.waiting[1]?.submission.content.toString(), 'first half\r\nsecond half\r\n');
});

test('closing waits no longer than its bound for a client that does not finish', async () => {
  const listener = await startListener({ bounds: { drainMs: 20 } });
  const client = await DialogClient.connect(listener.port);
  client.send(`${envelope}never ends\r\n`);
  await linesUntil(client, /^354/);
  const closed = listener.server.close();
  assert.match(await client.line(), /^421 4\.3\.2 /);
  client.destroy();
  await closed;
  assert.equal(listener.mails.length, 0);
});

test('sessions beyond the bound get 421, and room is made when one ends', async (context) => {
  const listener = await started(context, { bounds: { maxSessions: 1 } });
  const first = await connected(listener);
  const second = await DialogClient.connect(listener.port);
  assert.equal(await second.line(), '421 4.3.2 Too many sessions, try again later');
  await second.closedByServer();
  second.destroy();
  first.send('QUIT\r\n');
  await linesUntil(first, /^221/);
  first.destroy();
  while (listener.server.sessionCount() > 0) await new Promise(setImmediate);
  await connected(listener);
});

test('a client that does not close after QUIT is not waited for without end', async (context) => {
  const listener = await started(context, { bounds: { lingerMs: 20 } });
  const client = await connected(listener);
  client.send('QUIT\r\n');
  assert.equal(await client.line(), '221 2.0.0 Bye');
  const late = AbortSignal.timeout(60_000);
  while (listener.server.sessionCount() > 0 && !late.aborted) await new Promise(setImmediate);
  assert.equal(listener.server.sessionCount(), 0);
});

test('a session that lasts too long ends at its next line, however busy it is', async (context) => {
  const clock = manualClock(0);
  const listener = await started(context, { clock, bounds: { sessionMs: 1000 } });
  const client = await connected(listener);
  clock.set(999);
  client.send('NOOP\r\n');
  assert.equal(await client.line(), '250 2.0.0 Ok');
  clock.set(1000);
  client.send('NOOP\r\n');
  assert.equal(await client.line(), '421 4.4.2 Session lasted too long, closing connection');
});

test('a mail for which there is no memory is put off, and memory is given back', async (context) => {
  const held = heldSubmissions();
  const bounds = { maxContentMemoryBytes: 250_000 };
  const listener = await started(context, { bounds, handler: { submit: held.submit } });
  const large = `${'x'.repeat(998)}\r\n`.repeat(100);
  const clients = [await connected(listener), await connected(listener), await connected(listener)];
  for (const [n, client] of clients.entries()) {
    client.send(envelope);
    await linesUntil(client, /^354/);
    client.send(`${large}.\r\n`);
    if (n < 2) while (held.waiting.length <= n) await new Promise(setImmediate);
    else await linesUntil(client, /^452 4\.3\.1 /);
  }
  held.waiting[0]?.letGo('Ok: the first');
  await linesUntil(clients[0] ?? (await connected(listener)), /^250 2\.0\.0 Ok: the first$/);
  clients[2]?.send(`${envelope}${large}.\r\n`);
  while (held.waiting.length < 3) await new Promise(setImmediate);
  for (const { letGo } of held.waiting) letGo('Ok');
});

test('memory is given back by sessions that end in content', async (context) => {
  const bounds = { maxContentMemoryBytes: 150_000 };
  const listener = await started(context, { bounds });
  const large = `${'x'.repeat(998)}\r\n`.repeat(100);
  for (const ending of ['', 'bare\nlf', '.\r\n']) {
    const client = await connected(listener);
    client.send(`${envelope}${large}`);
    await linesUntil(client, /^354/);
    client.send(ending);
    if (ending !== '') assert.match(await client.line(), ending === '.\r\n' ? /^250/ : /^554/);
    client.destroy();
    while (listener.server.sessionCount() > 0) await new Promise(setImmediate);
  }
  assert.equal(listener.mails.length, 1);
});

test('a fault in a question to the handler is temporary for the client', async (context) => {
  const fault = () => {
    throw new Error('the store is gone');
  };
  const handler = { authenticate: fault, checkReversePath: fault };
  const listener = await started(context, { handler });
  const client = await connected(listener);
  client.send('EHLO c\r\nMAIL FROM:<a@b.example>\r\n');
  await linesUntil(client, /^451 4\.3\.0 Local error in processing$/);
  client.send('AUTH PLAIN AGEAYg==\r\nNOOP\r\n');
  assert.equal(await client.line(), '451 4.3.0 Local error in processing');
  assert.equal(await client.line(), '250 2.0.0 Ok');
  assert.ok(listener.logged.some((line) => line.includes('command failed')));
});

const strictHandler: SmtpHandler = {
  authenticate: () => refuse(535, '5.7.8', 'No', 'test'),
  trusted: () => null,
  checkReversePath: () => null,
  checkForwardPath: () => null,
  submit: async () => refuse(554, '5.7.1', 'No', 'test'),
};

test('an address that is taken is a fault at the start, and nothing stays open', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const taken = other.address();
  assert.ok(typeof taken === 'object' && taken !== null);
  const server = await createSmtpServer({
    hostname: 'relay.test',
    listen: [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: taken.port },
    ],
    tls: null,
    handler: strictHandler,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: manualClock(0),
  });
  await assert.rejects(server.listen(), /EADDRINUSE/);
  other.close();
});
