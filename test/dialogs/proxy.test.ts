/** Behind a balancer: TLS from the first byte, headers that do not come, stopping. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseNetwork } from '../../src/base/network.ts';
import { DialogClient } from './client.ts';
import { type Listener, type ListenerOptions, startListener } from './listener.ts';

async function behindBalancer(t: TestContext, more: ListenerOptions = {}): Promise<Listener> {
  const network = parseNetwork('127.0.0.0/8');
  assert.ok(network !== null);
  const listener = await startListener({ proxyNetworks: [network], ...more });
  t.after(() => listener.server.close());
  return listener;
}

test('TLS from the first byte after the header', async (t) => {
  const { port, mails } = await behindBalancer(t, { implicitTls: true });
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  // Corked, the header and the client's first handshake record come in one piece.
  socket.cork();
  socket.write('PROXY TCP6 2001:db8::7 2001:db8::1 4711 465\r\n');
  const secure = connectTls({ socket, rejectUnauthorized: false });
  setImmediate(() => socket.uncork());
  await once(secure, 'secureConnect');
  secure.write('EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 0 LAST\r\nQUIT\r\n');
  let said = '';
  secure.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await once(secure, 'end');
  assert.match(said, /queued as 1/);
  assert.equal(mails[0]?.client.remoteAddress, '2001:db8::7');
  assert.equal(mails[0]?.client.secure, true);
  secure.destroy();
});

test('a balancer that says nothing holds a place, and lets stopping go on', async (t) => {
  const { server, port } = await behindBalancer(t, { bounds: { maxSessions: 1 } });
  const silent = await DialogClient.connect(port);
  const second = await DialogClient.connect(port);
  assert.match(await second.line(), /^421 4\.3\.2 Too many sessions/);
  await server.close();
  await silent.closedByServer();
  silent.destroy();
  second.destroy();
});
