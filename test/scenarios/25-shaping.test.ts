/** In which order mail goes, and that a site that asks for a rest has it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { expectContent, expectLine, hello, say, startScriptServer } from '../support/script-server.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test("one tenant's backlog at a slow server does not delay another tenant's mail", async (t) => {
  const sink = await startSink(t, { thinkMs: 150 });
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
      WAYBILL_DELIVERY_MAX_SESSIONS: '2',
    },
  });
  const large = await waybill.createTenant('large', 'large.test');
  const small = await waybill.createTenant('small', 'small.test');
  const backlog = 40;
  const to = Array.from({ length: backlog }, (_, n) => `n${n}@example.org`);
  await Promise.all(to.map((path) => send(waybill, large, { to: path })));
  await send(waybill, small, { to: 'reset@example.org' });
  const before = sink.mails.length;
  assert.ok(before < backlog - 10, `the backlog waits: ${before} have arrived`);
  const place = await until('the reset has arrived', () => {
    const index = sink.mails.findIndex(({ forwardPaths }) => forwardPaths[0] === 'reset@example.org');
    return index === -1 ? null : index + 1;
  });
  assert.ok(place - before <= 8, `${place - before - 1} went before it`);
  await until('and nobody is forgotten', () => sink.mails.length === backlog + 1);
});

test('a server that says 421 is left alone: what waits meanwhile is not attempted, and not deferred', async (t) => {
  const oneMail = [
    ...hello(),
    ...[expectLine(/^MAIL FROM:/), say('250 ok'), expectLine(/^RCPT TO:/), say('250 ok')],
    ...[expectLine('DATA'), say('354 go on'), expectContent, say('250 ok')],
  ];
  const server = await startScriptServer([[say('421 4.3.2 come back later')], oneMail]);
  t.after(() => server.close());
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${server.port}?tls=none` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'first@example.org' });
  const entries = async () => {
    const { stdout } = await waybill.cli('queue', 'list', '--json');
    const { deliveries } = JSON.parse(stdout) as {
      deliveries: { delivery: { state: string; forwardPath: string; attempts: number } }[];
    };
    return deliveries.map(({ delivery }) => delivery);
  };
  await until('the first is deferred', async () => (await entries())[0]?.state === 'deferred');
  await send(waybill, tenant, { to: 'second@example.org' });
  await until('the second has gone at its first attempt', async () => {
    const waiting = await entries();
    return waiting.length === 1 && waiting[0]?.forwardPath === 'first@example.org';
  });
  assert.equal((await entries())[0]?.attempts, 1);
  assert.equal(server.connections.length, 2);
  assert.ok(server.connections[1]?.heard.includes('RCPT TO:<second@example.org>'));
  const { code, stdout } = await waybill.cli('shaping', 'show', '--json');
  assert.equal(code, 0);
  const shown = JSON.parse(stdout) as { rules: { name: string }[]; live: object[] | null };
  assert.ok(shown.rules.some(({ name }) => name === 'google'));
  assert.ok(Array.isArray(shown.live));
});
