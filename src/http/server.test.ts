import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Hono } from 'hono';
import { pino } from 'pino';
import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { recordFault } from './fault.ts';
import type { Reference } from './openapi.ts';
import { readBody } from './read-body.ts';
import { createHttpServer, defaultHttpLimits, type HttpLimits } from './server.ts';

const reference: Reference = {
  name: 'example',
  title: 'Example',
  about: 'An example.',
  endpoints: [
    { method: 'get', path: '/things/{name}', summary: 'One thing', security: [], replies: {} },
    { method: 'delete', path: '/things/{name}', summary: 'No thing', security: [], replies: {} },
    {
      method: 'post',
      path: '/things',
      summary: 'New thing',
      security: [],
      body: { contentTypes: ['application/json'], schema: z.object({}) },
      replies: {},
    },
  ],
};

function things(): Hono {
  const app = new Hono();
  app.get('/things/:name', (c) => c.json({ name: c.req.param('name') }));
  app.post('/things', async (c) => {
    const body = await readBody(c.req.raw);
    return c.json({ body }, body.ok ? 200 : body.status);
  });
  app.get('/fault', () => {
    throw new Error('the private reason');
  });
  app.get('/odd-fault', () => Promise.reject('not even an error'));
  return app;
}

function wordy(): Hono {
  const app = new Hono();
  app.get('/own-words/fault', () => {
    throw new Error('the private reason');
  });
  app.onError((fault, c) => c.json({ code: 500, message: `Fault ${recordFault(c, fault)}` }, 500));
  return app;
}

interface Running {
  url: string;
  port: number;
  lines: Record<string, unknown>[];
  health: { ready: boolean };
  close(): Promise<void>;
}

async function run(t: TestContext, limits: Partial<HttpLimits> = {}, apps: Hono[] = []): Promise<Running> {
  const lines: Record<string, unknown>[] = [];
  const health = { ready: true };
  const server = createHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    apps: [things(), wordy(), ...apps],
    docs: [reference],
    version: '1.0.0',
    health: () => health.ready,
    log: pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }),
    clock: systemClock,
    limits: { ...defaultHttpLimits, ...limits },
  });
  const { host, port } = await server.listen();
  t.after(() => server.close());
  return { url: `http://${host}:${port}`, port, lines, health, close: server.close };
}

/** Sends bytes as they are and returns what comes back until the server ends the connection. */
async function converse(port: number, text: string, end = false): Promise<string> {
  const socket = await open(port);
  socket.write(text, 'latin1');
  if (end) socket.end();
  return await readAll(socket);
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('end', () => socket.end());
  await whenClosed(socket);
  return text;
}

/** A reset is one way to be closed. */
function whenClosed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

test('health tells whether the answers are ready', async (t) => {
  const { url, health } = await run(t);
  const ready = await fetch(`${url}/healthz`);
  assert.equal(ready.status, 200);
  assert.equal(await ready.text(), '{"status":"ok"}');
  health.ready = false;
  const starting = await fetch(`${url}/healthz`);
  assert.equal(starting.status, 503);
  assert.equal(await starting.text(), '{"status":"starting"}');
});

test('an unknown path is told where the reference is', async (t) => {
  const { url } = await run(t);
  const response = await fetch(`${url}/no/such/path?x=1`);
  assert.equal(response.status, 404);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(await response.text());
  assert.equal(problem.status, 404);
  assert.equal(problem.documentation, '/docs');
  assert.equal((await fetch(`${url}/`)).url, `${url}/docs`);
});

test('a wrong method on a known path is told the right ones', async (t) => {
  const { url } = await run(t);
  const wrong = await fetch(`${url}/things/a`, { method: 'PUT' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'DELETE, GET, HEAD, OPTIONS');
  const options = await fetch(`${url}/things`, { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get('allow'), 'POST, OPTIONS');
  assert.equal((await fetch(`${url}/things/a/b`, { method: 'PUT' })).status, 404);
});

test('HEAD is answered like GET, without the body', async (t) => {
  const { url } = await run(t);
  const response = await fetch(`${url}/things/a`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
});

test('every reply carries the security headers', async (t) => {
  const { url } = await run(t);
  for (const path of ['/healthz', '/docs', '/docs/example', '/things/a', '/nothing', '/fault']) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
    assert.equal(headers.get('cache-control'), 'no-store', path);
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none';/, path);
  }
});

test('a fault ends as a reply with an id under which the log tells more', async (t) => {
  const { url, lines } = await run(t);
  for (const path of ['/fault', '/own-words/fault', '/odd-fault']) {
    lines.length = 0;
    const response = await fetch(url + path);
    assert.equal(response.status, 500, path);
    const text = await response.text();
    assert.equal(text.includes('private reason'), false);
    const faultId = String(lines.find((line) => line.msg === 'fault')?.faultId);
    assert.match(faultId, /^[0-9a-f]{16}$/);
    assert.ok(text.includes(faultId), text);
    if (path !== '/odd-fault') assert.ok(JSON.stringify(lines).includes('the private reason'));
  }
  const own = JSON.parse(await (await fetch(`${url}/own-words/fault`)).text());
  assert.equal(own.code, 500);
});

test('the log has one line per request, without query, headers or body', async (t) => {
  const { url, lines } = await run(t);
  await fetch(`${url}/things/a%20b?signature=secret-in-query`, {
    headers: { 'x-api-key': 'secret-in-header' },
  });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/things`, { method: 'POST', headers, body: '{"signature":"secret-in-body"}' });
  await fetch(`${url}/${'p'.repeat(1000)}`);
  assert.equal(JSON.stringify(lines).includes('secret'), false);
  const told = lines.map(({ method, path, status, client }) => ({ method, path, status, client }));
  assert.deepEqual(told, [
    { method: 'GET', path: '/things/a%20b', status: 200, client: '127.0.0.1' },
    { method: 'POST', path: '/things', status: 200, client: '127.0.0.1' },
    { method: 'GET', path: `/${'p'.repeat(255)}…`, status: 404, client: '127.0.0.1' },
  ]);
});

test('too long URLs and header sections are refused', async (t) => {
  const { url } = await run(t);
  const long = await fetch(`${url}/things/a?x=${'y'.repeat(16 * 1024)}`);
  assert.equal(long.status, 414);
  assert.equal((await fetch(`${url}/things/a?x=${'y'.repeat(15 * 1024)}`)).status, 200);
  const tooLong = await fetch(`${url}/things/a?x=${'y'.repeat(64 * 1024)}`);
  assert.equal(tooLong.status, 431);
  const headers = { 'x-long': 'y'.repeat(64 * 1024) };
  assert.equal((await fetch(`${url}/things/a`, { headers })).status, 431);
});

test('a body over the bound is refused, declared or not, and the server goes on', async (t) => {
  const { url } = await run(t);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = `a=${'b'.repeat(1024 * 1024)}`;
  const declared = await fetch(`${url}/things`, { method: 'POST', headers, body });
  assert.equal(declared.status, 413);
  const stream = new Blob([body]).stream();
  const init = { method: 'POST', headers, body: stream, duplex: 'half' } as const;
  assert.equal((await fetch(`${url}/things`, init)).status, 413);
  assert.equal((await fetch(`${url}/things/a`)).status, 200);
});

test('requests that are none are refused', async (t) => {
  const { port } = await run(t);
  assert.match(await converse(port, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await converse(port, 'GET /\n/things HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await converse(port, 'GET /things/a HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const hosts = ['a b', 'a/b', 'a@b', '[', 'a:b:c', ''];
  for (const host of hosts) {
    const reply = await converse(
      port,
      `GET /things/a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(reply, /^HTTP\/1\.1 400 /, host);
  }
  const smuggled =
    'POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  assert.match(await converse(port, smuggled), /^HTTP\/1\.1 400 /);
});

test('a half-closed client still gets its answer', async (t) => {
  const { port } = await run(t);
  const reply = await converse(port, 'GET /things/a HTTP/1.1\r\nHost: a\r\n\r\n', true);
  assert.match(reply, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\{"name":"a"\}/);
});

test('silent, slow and idle clients end at a bound', async (t) => {
  const { port } = await run(t, { headerMs: 100, requestMs: 150, keepAliveMs: 50 });
  const silent = converse(port, '');
  const slowHeader = converse(port, 'GET /things/a HTTP/1.1\r\nHost: a\r\n');
  const head =
    'POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
  const slowBody = converse(port, head);
  const idle = converse(port, 'GET /things/a HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await silent, /^(HTTP\/1\.1 408 |$)/);
  assert.match(await slowHeader, /^HTTP\/1\.1 408 /);
  assert.match(await slowBody, /^HTTP\/1\.1 408 /);
  assert.match(await idle, /^HTTP\/1\.1 200 /);
});

test('a client that does not read is cut off', async (t) => {
  const app = new Hono();
  app.get('/large', (c) => c.text('x'.repeat(64 * 1024 * 1024)));
  const { port } = await run(t, { idleMs: 100 }, [app]);
  const socket = await open(port);
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  const closed = whenClosed(socket);
  // Written into a connection that the server has given up, this meets a reset.
  const prod = setInterval(() => socket.write('x'), 50);
  t.after(() => clearInterval(prod));
  await closed;
});

test('closing lets a request under way finish and takes no new one', async (t) => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const app = new Hono();
  app.get('/slow', async (c) => {
    reach();
    await released;
    return c.text('done');
  });
  const { url, port, close } = await run(t, {}, [app]);
  const silent = readAll(await open(port));
  const answer = fetch(`${url}/slow`);
  await reached;
  const closed = close();
  await assert.rejects(fetch(`${url}/healthz`));
  release();
  assert.equal(await (await answer).text(), 'done');
  await closed;
  assert.equal(await silent, '');
});

test('closing does not wait for ever', async (t) => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const app = new Hono();
  app.get('/stuck', async () => {
    reach();
    return await new Promise<Response>(() => {});
  });
  const { url, close } = await run(t, { drainMs: 50 }, [app]);
  const answer = assert.rejects(fetch(`${url}/stuck`));
  await reached;
  await close();
  await answer;
});

test('a port in use is an error that the caller sees', async (t) => {
  const { port } = await run(t);
  const listen = { host: '127.0.0.1', port };
  const log = pino({ enabled: false });
  const options = { apps: [], docs: [], version: '1', health: () => true, log, clock: systemClock };
  await assert.rejects(createHttpServer({ ...options, listen }).listen(), { code: 'EADDRINUSE' });
});
