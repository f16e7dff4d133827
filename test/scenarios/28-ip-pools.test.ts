/** Mail leaves from the addresses of its tenant's pool; a pool that cannot be used makes it wait. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { submit } from '../support/submit.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

interface Entry {
  delivery: { state: string; attempts: number; forwardPath: string; diagnostic: string };
}

test('a pool of two addresses, one for bulk, one that this machine does not have', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}?tls=none`,
      WAYBILL_DELIVERY_IP_POOLS:
        'main=127.0.0.21=out1.example.com, main=127.0.0.22, bulk=127.0.0.31, away=192.0.2.77',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const setPool = async (...words: string[]) => (await waybill.cli('pool', 'set', 'acme', ...words)).code;
  const arrived = (to: string) =>
    until(
      `${to} has arrived`,
      () => sink.mails.find(({ forwardPaths }) => forwardPaths.includes(to)) ?? null,
    );

  await send(waybill, tenant, { to: 'plain@example.org' });
  assert.equal((await arrived('plain@example.org')).peer, '127.0.0.1');

  assert.notEqual(await setPool('--pool', 'nowhere'), 0);
  assert.equal(await setPool('--pool', 'main'), 0);
  assert.equal(await setPool('--class', 'bulk', '--pool', 'bulk'), 0);
  const replies: string[] = [];
  for (const n of [1, 2, 3, 4]) {
    replies.push(await send(waybill, tenant, { to: `n${n}@example.org` }));
    await arrived(`n${n}@example.org`);
  }
  const peers = sink.mails.slice(1).map(({ peer, ehlo }) => `${peer} ${ehlo}`);
  const ownName = sink.mails[0]?.ehlo;
  assert.deepEqual([...new Set(peers)].sort(), ['127.0.0.21 out1.example.com', `127.0.0.22 ${ownName}`]);
  const id = relayIdIn(replies[0] ?? '');
  const told = await until('the ledger tells of it', async () => {
    const { stdout } = await waybill.cli('log', id, '--json');
    const { events } = JSON.parse(stdout) as { events: { type: string; status: { sendingIp: string } }[] };
    return events.find(({ type }) => type === 'delivered')?.status ?? null;
  });
  assert.equal(told.sendingIp, sink.mails[1]?.peer);

  assert.equal(await setPool('--pool', 'away'), 0);
  await send(waybill, tenant, { to: 'waits@example.org' });
  const waiting = await until('the mail is deferred', async () => {
    const list = await waybill.cli('queue', 'list', '--json');
    const { deliveries } = JSON.parse(list.stdout) as { deliveries: Entry[] };
    return deliveries.find(({ delivery }) => delivery.state === 'deferred')?.delivery ?? null;
  });
  assert.equal(waiting.forwardPath, 'waits@example.org');
  assert.match(waiting.diagnostic, /^the source address 192\.0\.2\.77 cannot be bound/);
  assert.equal(await setPool('--pool', 'none'), 0);
  await waybill.cli('queue', 'retry', '--tenant', 'acme', '--yes');
  assert.equal((await arrived('waits@example.org')).peer, '127.0.0.1');
});

test('bulk mail leaves from the pool of its own, and transactional mail does not', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}?tls=none`,
      WAYBILL_DELIVERY_IP_POOLS: 'main=127.0.0.21, bulk=127.0.0.31',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await waybill.cli('pool', 'set', 'acme', '--pool', 'main');
  await waybill.cli('pool', 'set', 'acme', '--class', 'bulk', '--pool', 'bulk');
  await submit(waybill, tenant, { mail: ' MT-PRIORITY=-1', rcpt: ['<news@example.org>'] });
  await submit(waybill, tenant, { mail: ' MT-PRIORITY=0', rcpt: ['<code@example.org>'] });
  await submit(waybill, tenant, { rcpt: ['<plain@example.org>'] });
  await until('all have arrived', () => sink.mails.length === 3);
  assert.deepEqual(
    Object.fromEntries(sink.mails.map(({ forwardPaths: [path = ''], peer }) => [path, peer])),
    { 'news@example.org': '127.0.0.31', 'code@example.org': '127.0.0.21', 'plain@example.org': '127.0.0.21' },
  );
});
