/** Deliveries that an operator sends another way: by id, by mail, by filter; kept over a restart, and taken back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

interface Listed {
  deliveries: { id: string; destination: string; delivery: { state: string; forwardPath: string } }[];
}

async function json<T>(waybill: Waybill, ...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await waybill.cli(...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

const destinationsOf = async (waybill: Waybill, id: string) =>
  (await json<Listed>(waybill, 'queue', 'show', id)).deliveries.map(({ destination }) => destination);

test('moved by id, by mail and by filter; over a restart; taken back', async (t) => {
  const refusing = await startSink(t, { rcpt: () => ({ code: 450, text: '4.2.0 later' }) });
  const other = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${refusing.port}`, WAYBILL_RETRY_SCHEDULE: '1h,1h' },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const mail = (...to: string[]) => send(waybill, tenant, { to }).then(relayIdIn);
  const first = await mail('a@one.example', 'b@one.example');
  const second = await mail('c@two.example');
  await until('all are deferred', async () => {
    const { deliveries } = await json<Listed>(waybill, 'queue', 'list');
    return deliveries.every(({ delivery }) => delivery.state === 'deferred');
  });

  const there = `smtp://127.0.0.1:${other.port}?tls=opportunistic`;
  const asked = await waybill.cli('queue', 'move', '--via', there, '--all');
  assert.deepEqual(
    [asked.code, asked.stderr],
    [2, 'waybill: this would move 3 deliveries; say --yes to do it\n'],
  );

  const moveOne = ['queue', 'move', '--via', `smtp://127.0.0.1:${other.port}`];
  assert.deepEqual(await json(waybill, ...moveOne, `${first}:1`), {
    results: [{ id: `${first}:1`, result: 'moved' }],
  });
  assert.deepEqual(await destinationsOf(waybill, first), [there, 'one.example']);
  assert.match((await waybill.cli('queue', 'list')).stdout, /VIA .*\n.*smtp:\/\/127\.0\.0\.1:/);
  await waybill.restart();
  assert.deepEqual(await destinationsOf(waybill, first), [there, 'one.example']);
  assert.equal(other.mails.length, 0, 'not before it is due');
  assert.deepEqual(await json(waybill, 'queue', 'retry', '--destination', there, '--yes'), {
    matched: 1,
    results: { due: 1 },
  });
  await until('it arrives there', () => other.mails.length === 1);
  assert.deepEqual(other.mails[0]?.forwardPaths, ['a@one.example']);

  assert.deepEqual(await json(waybill, ...moveOne, '--destination', 'two.example', '--yes'), {
    matched: 1,
    results: { moved: 1 },
  });
  assert.deepEqual(
    await json(waybill, 'queue', 'move', '--via', 'configured', '--destination', 'two.example', '--yes'),
    { matched: 1, results: { moved: 1 } },
    'its domain finds it wherever it is moved to',
  );
  assert.deepEqual(await destinationsOf(waybill, second), ['two.example']);

  // Reserved names go to the rehearsal destination when no server is named.
  await json(waybill, 'queue', 'move', '--via', 'mx', first, second);
  assert.deepEqual(await destinationsOf(waybill, second), ['mx:two.example']);
  await json(waybill, 'queue', 'retry', '--all', '--yes');
  await until('both are delivered', async () => {
    const { deliveries } = await json<Listed>(waybill, 'queue', 'list');
    return deliveries.length === 0;
  });
  assert.equal(other.mails.length, 1);
  const ended = await waybill.cli('queue', 'move', '--via', 'mx', second);
  assert.equal(ended.code, 1);
  assert.match(ended.stdout, /ended already|not in the queue/);
});
