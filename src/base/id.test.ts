import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { manualClock } from './clock.ts';
import {
  composeMailId,
  createMailIds,
  deliveryOfSendId,
  firstMailIdAt,
  mailIdEpoch,
  mailIdOfRelayId,
  mailIdOfUuid,
  mailIdParts,
  relayIdOf,
  sendIdOf,
  uuidOf,
} from './id.ts';
import { installationKey } from './secret.ts';

const key = installationKey(Buffer.alloc(32, 7));
const otherKey = installationKey(Buffer.alloc(32, 8));
const mailIds = fc
  .record({
    at: fc.integer({ min: mailIdEpoch, max: mailIdEpoch + 2 ** 41 - 1 }),
    node: fc.nat(31),
    sequence: fc.nat(127),
  })
  .map(composeMailId);

test('a mail id is exact in JSON and gives its parts back', () => {
  fc.assert(
    fc.property(mailIds, (mailId) => {
      assert.ok(Number.isSafeInteger(mailId));
      assert.equal(composeMailId(mailIdParts(mailId)), mailId);
    }),
  );
});

test('every id derived from a mail id leads back to it, and only under the key that made it', () => {
  fc.assert(
    fc.property(mailIds, fc.integer({ min: 1, max: 65_535 }), (mailId, n) => {
      assert.match(relayIdOf(mailId), /^[0-9a-f]{18}$/);
      assert.equal(mailIdOfRelayId(relayIdOf(mailId)), mailId);
      const uuid = uuidOf(key, mailId);
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(mailIdOfUuid(key, uuid), mailId);
      assert.equal(mailIdOfUuid(otherKey, uuid), null);
      const sendId = sendIdOf(key, { mailId, n });
      assert.match(sendId, /^[0-9a-f]{32}$/);
      assert.deepEqual(deliveryOfSendId(key, sendId), { mailId, n });
      assert.equal(deliveryOfSendId(otherKey, sendId), null);
    }),
  );
});

test('the relay id shows milliseconds, sequence and node', () => {
  const mailId = composeMailId({ at: 1_789_000_000_000, node: 3, sequence: 5 });
  assert.equal(relayIdOf(mailId), `${(1_789_000_000_000).toString(16)}0050003`);
});

test('text that is no id of ours is refused', () => {
  for (const text of ['', 'x', '0'.repeat(18), 'f'.repeat(18), '185997065c6000884', '<script>'.repeat(4)]) {
    assert.equal(mailIdOfRelayId(text), null);
    assert.equal(mailIdOfUuid(key, text), null);
    assert.equal(deliveryOfSendId(key, text), null);
  }
});

test('mail ids rise strictly within a millisecond, when the clock goes back, and after a restart', () => {
  const clock = manualClock(mailIdEpoch + 1_000_000);
  const next = createMailIds(clock, 1, 0);
  let last = 0;
  for (let i = 0; i < 500; i += 1) {
    if (i === 300) clock.set(mailIdEpoch + 5);
    const id = next();
    assert.ok(id > last);
    last = id;
  }
  assert.ok(createMailIds(manualClock(mailIdEpoch + 7), 1, last)() > last);
});

test('a range of time is a range of ids', () => {
  const at = mailIdEpoch + 123_456;
  const id = composeMailId({ at, node: 31, sequence: 127 });
  assert.ok(firstMailIdAt(at) <= id && id < firstMailIdAt(at + 1));
});
