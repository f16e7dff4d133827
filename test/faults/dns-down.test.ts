/** Name servers that know nothing for an hour: mail waits, nothing is given up, and goes out when they are back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFindTargets, createResolver } from '../../src/dns/dns.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { startSink } from '../support/sink.ts';
import { createSteppedClock } from '../support/stepped-clock.ts';
import { openRelayWorld } from './relay-world.ts';

const minute = 60_000;

test('DNS down for an hour', async (t) => {
  const clock = createSteppedClock(Date.UTC(2026, 5, 1, 12));
  const sink = await startSink(t);
  const servfail = { rcode: 2 };
  const dns = await startDnsServer({ 'shop.net': servfail, 'mx.shop.net': servfail });
  t.after(() => dns.close());
  const resolver = createResolver({ clock, servers: [dns.address], tries: 1 });
  const findTargets = createFindTargets({ clock, resolver, port: sink.port, loopback: true });
  const waitsMs = [5, 5, 10, 20, 30, 60, 120].map((minutes) => minutes * minute);
  const world = openRelayWorld(t, { clock, waitsMs, findTargets });

  const mails = [await world.accepted('ann@shop.net'), await world.accepted('bob@shop.net')];
  for (let minutes = 0; minutes < 60; minutes += 5) {
    await world.idle();
    await clock.pass(5 * minute);
  }
  await world.idle();
  for (const mailId of mails) {
    const facts = world.queue.delivery(mailId, 1)?.facts;
    assert.equal(facts?.state, 'deferred');
    assert.ok(facts.attempts >= 4, `${facts.attempts} attempts`);
    assert.ok(!world.story(mailId).includes('failed'));
  }
  assert.equal(sink.mails.length, 0);

  dns.names.set('shop.net', { mx: [[10, 'mx.shop.net']] });
  dns.names.set('mx.shop.net', { addresses: ['127.0.0.1'] });
  await clock.pass(61 * minute);
  await world.idle();
  for (const mailId of mails) assert.equal(world.story(mailId).at(-1), 'delivered');
  assert.deepEqual(sink.mails.map(({ forwardPaths }) => forwardPaths.join()).sort(), [
    'ann@shop.net',
    'bob@shop.net',
  ]);
});
