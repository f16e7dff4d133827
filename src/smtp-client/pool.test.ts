/** Sessions that are kept, against a real receiving server. */
import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import test from 'node:test';
import { startSink } from '../../test/support/sink.ts';
import { systemClock } from '../base/clock.ts';
import {
  type ConnectOptions,
  connect,
  createSessionPool,
  defaultTimeouts,
  type OutgoingMail,
} from './smtp-client.ts';

const mail: OutgoingMail = {
  reversePath: 'a@example.test',
  forwardPaths: ['b@example.org'],
  content: Buffer.from('Subject: x\r\n\r\nbody\r\n'),
};

function optionsFor(port: number): ConnectOptions {
  const target = { name: 'localhost', address: '127.0.0.1', port };
  return { target, greetingName: 'relay.example.net', tls: 'none', timeouts: defaultTimeouts };
}

/** Counts connections to a sink and can cut those that are open. */
async function startGate(t: test.TestContext, sinkPort: number) {
  const { connect: connectTo } = await import('node:net');
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    open.add(client);
    const upstream = connectTo(sinkPort, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    client.on('error', () => {});
    upstream.on('error', () => {});
    client.on('close', () => {
      open.delete(client);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => server.close());
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, connections: () => connections, cut };
}

async function setUp(t: test.TestContext) {
  const pool = createSessionPool(connect, systemClock);
  // First to be closed: the sink waits for its sessions.
  t.after(() => pool.close());
  const sink = await startSink(t);
  return { pool, sink, gate: await startGate(t, sink.port) };
}

test('mails one after the other share a session, mails at the same time do not', async (t) => {
  const { sink, gate, pool } = await setUp(t);
  for (let i = 0; i < 3; i += 1) await pool.send(optionsFor(gate.port), mail);
  assert.equal(gate.connections(), 1);
  await Promise.all([1, 2, 3].map(() => pool.send(optionsFor(gate.port), mail)));
  assert.equal(gate.connections(), 3);
  assert.equal(pool.idle(), 3);
  assert.equal(sink.mails.length, 6);
});

test('a session that the server closed while idle costs no attempt', async (t) => {
  const { sink, gate, pool } = await setUp(t);
  await pool.send(optionsFor(gate.port), mail);
  gate.cut();
  const { observations } = await pool.send(optionsFor(gate.port), mail);
  assert.equal(observations[0]?.reply?.code, 250);
  assert.equal(gate.connections(), 2);
  assert.equal(sink.mails.length, 2);
});

test('a session is not shared by mails that want another way to connect', async (t) => {
  const { gate, pool } = await setUp(t);
  await pool.send(optionsFor(gate.port), mail);
  await pool.send({ ...optionsFor(gate.port), tls: 'opportunistic' }, mail);
  assert.equal(gate.connections(), 2);
});

test('a server that cannot be reached is an observation for each forward-path', async () => {
  const pool = createSessionPool(connect, systemClock);
  const forwardPaths = ['b@example.org', 'c@example.org'];
  const { observations } = await pool.send(optionsFor(1), { ...mail, forwardPaths });
  assert.deepEqual(
    observations.map(({ stage, cause }) => [stage, cause]),
    [
      ['connect', 'refused'],
      ['connect', 'refused'],
    ],
  );
  assert.equal(pool.idle(), 0);
});
