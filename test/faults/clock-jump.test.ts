/**
 * Somebody sets the clock a day back or forth. Ids stay unique and rise, new mail is tried at once, and what waits for
 * its next attempt gets it.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { openRelayWorld } from './relay-world.ts';

const day = 86_400_000;
const minute = 60_000;

for (const [name, jump] of [
  ['back', -day],
  ['forth', day],
] as const) {
  test(`ids rise when the clock jumps a day ${name}, also over a restart`, async (t) => {
    const world = openRelayWorld(t, { waitsMs: [minute] });
    const ids: number[] = [];
    const some = async () => {
      for (let count = 0; count < 5; count += 1) ids.push(await world.accepted('ok@example.test'));
    };
    await some();
    world.clock.jump(jump);
    await some();
    await world.restart();
    await some();
    world.clock.jump(-jump);
    await some();
    await world.restart();
    await some();
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    );
  });
}

test('after a jump back new mail that has to wait for a place is tried as soon as there is one', async (t) => {
  const world = openRelayWorld(t, { waitsMs: [minute], attempts: 1 });
  await world.accepted('ok@example.test');
  await world.idle();
  world.clock.jump(-day);
  await world.accepted('slow@example.test');
  const waiting = await world.accepted('ok@example.test');
  await world.clock.pass(2_000);
  await world.idle();
  await world.clock.pass(1_000);
  await world.idle();
  assert.deepEqual(world.story(waiting), ['accepted', 'attempted', 'delivered']);
});

test('what waits is tried at once after a jump forth, and does not expire by it', async (t) => {
  const world = openRelayWorld(t, { waitsMs: [minute, minute] });
  const mailId = await world.accepted('greylist@example.test');
  await world.idle();
  assert.deepEqual(world.story(mailId), ['accepted', 'deferred']);
  world.clock.jump(day);
  await world.clock.pass(1_000);
  await world.idle();
  assert.deepEqual(world.story(mailId), ['accepted', 'deferred', 'attempted', 'delivered']);
});

test('what waits is not lost by a jump back: it is tried at the time that was written down', async (t) => {
  const world = openRelayWorld(t, { waitsMs: [minute] });
  const mailId = await world.accepted('greylist@example.test');
  await world.idle();
  world.clock.jump(-day);
  await world.clock.pass(2 * minute);
  assert.deepEqual(world.story(mailId), ['accepted', 'deferred']);
  world.clock.jump(day - minute);
  await world.clock.pass(1_000);
  await world.idle();
  assert.deepEqual(world.story(mailId), ['accepted', 'deferred', 'attempted', 'delivered']);
});
