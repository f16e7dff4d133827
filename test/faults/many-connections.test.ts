/**
 * More connections than there is room for, and clients that send a byte now and then: both are bounded, and whoever
 * comes properly is served. With small bounds; they are the same code as the large ones.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createSmtpServer, type SmtpServerOptions } from '../../src/smtp-server/smtp-server.ts';
import { until } from '../support/until.ts';

async function listener(t: test.TestContext, bounds: NonNullable<SmtpServerOptions['bounds']>) {
  const server = await createSmtpServer({
    hostname: 'relay.example.net',
    listen: [{ host: '127.0.0.1', port: 0 }],
    tls: null,
    bounds: { lingerMs: 100, drainMs: 100, ...bounds },
    handler: {
      authenticate: () => ({
        refused: { code: 535, enhancedStatus: '5.7.8', text: 'No' },
        privateReason: 'no',
      }),
      trusted: () => null,
      checkReversePath: () => null,
      checkForwardPath: () => null,
      submit: async () => ({ accepted: 'Ok' }),
    },
    log: silentLog,
    clock: systemClock,
  });
  const [address] = await server.listen();
  assert.ok(address);
  const sockets = new Set<Socket>();
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });
  const open = () => {
    const client = new Client(connect({ ...address, noDelay: true }));
    sockets.add(client.socket);
    return client;
  };
  return { server, open };
}

class Client {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.text += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }
}

const heard = (client: Client, start: string) =>
  until(`a reply ${start}`, () => client.text.startsWith(start) || null);

test('connections over the bound are told 421 and closed; those inside go on, and room is given again', async (t) => {
  const maxSessions = 50;
  const { server, open } = await listener(t, { maxSessions });
  const inside = Array.from({ length: maxSessions }, open);
  await Promise.all(inside.map((client) => heard(client, '220 ')));
  const outside = Array.from({ length: 300 }, open);
  await Promise.all(outside.map((client) => heard(client, '421 ')));
  await until('they are closed', () => outside.every(({ closed }) => closed));
  assert.equal(server.sessionCount(), maxSessions);

  inside[0]?.socket.write('NOOP\r\n');
  await until('those inside are served', () => inside[0]?.text.includes('\r\n250 '));
  inside[1]?.socket.destroy();
  await until('there is room again', () => server.sessionCount() < maxSessions);
  await heard(open(), '220 ');
});

test('a byte now and then does not keep a session for ever', async (t) => {
  const sessionMs = 1_500;
  const { server, open } = await listener(t, { maxSessions: 100, idleMs: 700, sessionMs });
  const slow = Array.from({ length: 60 }, open);
  await Promise.all(slow.map((client) => heard(client, '220 ')));
  const startedAt = Date.now();
  // Each byte comes before the bound of silence, and no line ever ends.
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write('x');
  }, 100);
  t.after(() => clearInterval(drip));
  const proper = open();
  await heard(proper, '220 ');
  proper.socket.write('QUIT\r\n');
  await once(proper.socket, 'close');
  await until('all slow ones are gone', () => server.sessionCount() === 0);
  assert.ok(Date.now() - startedAt < 20 * sessionMs);
  assert.ok(
    slow.every(({ text }) => /\r\n421 /.test(text)),
    'they are told why',
  );
});
