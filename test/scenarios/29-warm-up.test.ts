/** New addresses send as many mails a day as their plan says; the rest leaves elsewhere, or is held and released. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createWarmUpRegister, createWarmUps, type FindTargets } from '../../src/relay/relay.ts';
import { openRelayWorld } from '../faults/relay-world.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const oneDay = 86_400_000;
const newAddress = '127.0.0.41';
const warmAddress = '127.0.0.42';

const plan = {
  name: 'test',
  stages: [
    { days: 1, mailsPerDay: 4 },
    { days: 1, mailsPerDay: 8 },
  ],
};

function mxAt(port: number): FindTargets {
  return {
    mx: async (domain) => ({ ok: true, targets: [{ name: `mx.${domain}`, address: '127.0.0.1', port }] }),
    host: () => Promise.reject(new Error('nothing is looked up')),
  };
}

async function world(t: test.TestContext, addresses: readonly string[]) {
  const sink = await startSink(t);
  const opened = openRelayWorld(t, {
    ...{ waitsMs: [60_000], findTargets: mxAt(sink.port) },
    more: ({ store, clock }) => ({
      ipPools: addresses.map((ipv4) => ({ pool: 'main', ipv4, ipv6: null, name: null })),
      warmUps: createWarmUps(store, clock),
    }),
  });
  const { clock, store, tenants, tenant } = opened;
  tenants.setIpPool(tenant.id, 'transactional', 'main');
  createWarmUpRegister(store).start(newAddress, plan, clock.now());
  const sentFrom = (address: string, to = '') =>
    sink.mails.filter(({ peer, forwardPaths: [path = ''] }) => peer === address && path.endsWith(to)).length;
  /** Lets time pass until that many have arrived, and so many are known to be held. */
  const arrived = async (count: number, held = 0) => {
    await until(`${count} have arrived, ${held} are held`, async () => {
      await clock.pass(300);
      return sink.mails.length >= count && opened.queue.waitingForWarmUp(clock.now()).count === held;
    });
    await opened.idle();
    assert.equal(sink.mails.length, count);
  };
  return { ...opened, sink, sentFrom, arrived };
}

test('what exceeds the day leaves from the warm address of the pool; each site has its own number', async (t) => {
  const { accepted, arrived, sentFrom } = await world(t, [newAddress, warmAddress]);
  for (let n = 0; n < 12; n += 1) await accepted(`n${n}@one.org`);
  for (let n = 0; n < 6; n += 1) await accepted(`n${n}@two.org`);
  await arrived(18);
  assert.equal(sentFrom(newAddress, '@one.org'), 4);
  assert.equal(sentFrom(warmAddress, '@one.org'), 8);
  assert.ok(sentFrom(newAddress, '@two.org') <= 4);
});

test('without another address the rest is held, over a restart, and released as days begin', async (t) => {
  const { accepted, arrived, sentFrom, clock, queue, restart, story } = await world(t, [newAddress]);
  const ids: number[] = [];
  for (let n = 0; n < 20; n += 1) ids.push(await accepted(`n${n}@one.org`));
  await arrived(4, 16);
  const midnight = Date.UTC(2026, 5, 2);
  assert.equal(queue.waitingForWarmUp(clock.now()).until, midnight);
  const last = ids.at(-1) ?? 0;
  assert.equal(queue.warmUpUntil(last, 1, clock.now()), midnight);
  await restart();
  await arrived(4, 16);

  clock.jump(oneDay);
  await arrived(4 + 8, 8);
  clock.jump(oneDay);
  await arrived(20);
  assert.equal(sentFrom(newAddress), 20);
  assert.deepEqual(story(last), ['accepted', 'held', 'released', 'attempted', 'delivered']);
  assert.ok(!story(ids[0] ?? 0).includes('held'));
});

test('a mail with more recipients than the day has room for goes in parts', async (t) => {
  const { sink, accepted, arrived, clock } = await world(t, [newAddress]);
  const paths = Array.from({ length: 6 }, (_, n) => `n${n}@one.org`);
  await accepted(...paths);
  await until('the first part has arrived', async () => {
    await clock.pass(300);
    return sink.mails.length > 0;
  });
  assert.deepEqual(sink.mails[0]?.forwardPaths, paths.slice(0, 4));
  clock.jump(oneDay);
  await arrived(2);
  assert.deepEqual(sink.mails[1]?.forwardPaths, paths.slice(4));
});

interface Shown {
  warmUps: { address: string; pools: string[]; plan: string; sites: { day: number; sentToday: number }[] }[];
  held: { count: number; until: number | null };
}

test('started, killed, paused and stopped while the server runs', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}?tls=none`,
      WAYBILL_DELIVERY_IP_POOLS: `main=${newAddress}`,
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const run = async (...words: string[]) => {
    const { code, stdout, stderr } = await waybill.cli(...words);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const show = async () => JSON.parse(await run('warmup', 'show', '--json')) as Shown;
  const file = join(waybill.dataDir, 'careful.toml');
  writeFileSync(file, '[[stage]]\ndays = 5\nmails_per_day = 3\n');
  await run('pool', 'set', 'acme', '--pool', 'main');
  await run('warmup', 'start', newAddress, '--plan', file);
  const replies: string[] = [];
  for (let n = 0; n < 8; n += 1) replies.push(await send(waybill, tenant, { to: `n${n}@example.org` }));
  await until('the rest is held', async () => (await show()).held.count === 5);
  assert.equal(sink.mails.length, 3);

  const held = relayIdIn(replies[7] ?? '');
  assert.match(
    await run('queue', 'show', held),
    /^ +warm-up +held for warm-up until \d{4}-\d\d-\d\d 00:00:00Z$/m,
  );
  assert.match(await run('queue', 'list'), new RegExp(`^${held}:1 +held `, 'm'));
  assert.match(await run('warmup', 'show'), /^5 deliveries are held for warm-up until .* 00:00:00Z$/m);

  await waybill.killAll();
  await waybill.restart();
  await run('warmup', 'pause', newAddress);
  await until('it is held again', async () => (await show()).held.count === 5);
  assert.equal(sink.mails.length, 3);
  assert.partialDeepStrictEqual((await show()).warmUps, [
    {
      address: newAddress,
      pools: ['main'],
      plan: 'careful',
      paused: true,
      sites: [{ day: 1, sentToday: 3 }],
    },
  ]);

  await run('warmup', 'stop', newAddress);
  await until('all are released', () => sink.mails.length === 8);
  assert.deepEqual([...new Set(sink.mails.map(({ peer }) => peer))], [newAddress]);
});
