import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeMailId, relayIdOf } from '../base/id.ts';
import type { Call } from './command.ts';
import { withoutSecrets } from './commands/config-show.ts';
import { idOf, momentOf } from './values.ts';

const now = Date.UTC(2026, 10, 22, 12);
const moment = (text: string) => momentOf({ text: () => text } as unknown as Call, 'since', now);

for (const [text, at] of [
  ['15m', now - 900_000],
  ['2d', now - 2 * 86_400_000],
  ['1h30m', now - 5_400_000],
  ['2026-11-22', Date.UTC(2026, 10, 22)],
  ['2026-11-22T10:00', Date.UTC(2026, 10, 22, 10)],
  ['2026-11-22 10:00:30', Date.UTC(2026, 10, 22, 10, 0, 30)],
  ['2026-11-22T10:00:30.250Z', Date.UTC(2026, 10, 22, 10, 0, 30, 250)],
  ['2026-11-22T10:00+01:00', Date.UTC(2026, 10, 22, 9)],
] as const) {
  test(`"${text}" is a time`, () => assert.equal(moment(text), at));
}

for (const text of [
  '',
  'yesterday',
  '15',
  '2026-13-01',
  '2026-02-29',
  '2026-11-22T25:00',
  '-5m',
  '99999d',
  '1e3',
]) {
  test(`"${text}" is no time`, () => assert.throws(() => moment(text), /--since: expected a time/));
}

test('ids are read back', () => {
  const mailId = composeMailId({ at: now, node: 3, sequence: 17 });
  assert.deepEqual(idOf(relayIdOf(mailId)), { mailId });
  assert.deepEqual(idOf(`${relayIdOf(mailId)}:12`), { mailId, n: 12 });
  for (const text of [
    '',
    ':1',
    relayIdOf(mailId).slice(1),
    `${relayIdOf(mailId)}:0`,
    `${relayIdOf(mailId)}:1:2`,
    'g'.repeat(18),
  ]) {
    assert.throws(() => idOf(text), /is no id/);
  }
});

test('a password in an address is masked, whatever is in it', () => {
  assert.equal(
    withoutSecrets('smtp://user:pa%20ss@mail.example.com:587?tls=none'),
    'smtp://user:[masked]@mail.example.com:587?tls=none',
  );
  assert.equal(
    withoutSecrets('http://h:8123/?database=d&password=p&x=1'),
    'http://h:8123/?database=d&password=[masked]&x=1',
  );
  assert.equal(withoutSecrets('http://h:8123'), 'http://h:8123');
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: fc.constantFrom(...'abcXYZ0123:@%$!&=') }), (password) => {
      const shown = withoutSecrets(`http://user:SECRET${password}@clickhouse.example.com/waybill`);
      assert.ok(!shown.includes('SECRET'), shown);
    }),
  );
});
