import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sendIdOf } from '../../base/id.ts';
import { installationKey } from '../../base/secret.ts';
import { fieldsOf } from '../../http/query.ts';
import { parseLog } from './parse.ts';
import { standardWords } from './words.ts';

const key = installationKey(Buffer.alloc(32, 7));
const nowSeconds = 1_640_190_000;

function parse(parameters: Record<string, string>) {
  return parseLog(fieldsOf(Object.entries(parameters)), nowSeconds * 1000 + 999, key, standardWords);
}

test('without parameters: the last day of every app, 50 rows', () => {
  assert.deepEqual(parse({ appid: '1', signature: 'x' }), {
    startDate: nowSeconds - 86_400,
    endDate: nowSeconds,
    rows: 50,
    offset: 0,
    app: '',
    filter: { from: (nowSeconds - 86_400) * 1000, to: (nowSeconds + 1) * 1000 },
  });
});

test('both ends of the range are included, to the last millisecond of the second', () => {
  const { filter } = parse({ start_date: '1640100000', end_date: '1640100000' });
  assert.deepEqual(filter, { from: 1_640_100_000_000, to: 1_640_100_001_000 });
});

test('numbers are read leniently', () => {
  const table: [Record<string, string>, Partial<ReturnType<typeof parse>>][] = [
    [{ rows: '1' }, { rows: 1 }],
    [{ rows: '1000' }, { rows: 1000 }],
    [{ rows: '1001' }, { rows: 1000 }],
    [{ rows: '9'.repeat(400) }, { rows: 1000 }],
    [{ rows: '0' }, { rows: 50 }],
    [{ rows: '-5' }, { rows: 50 }],
    [{ rows: '1.5' }, { rows: 50 }],
    [{ rows: '1e2' }, { rows: 50 }],
    [{ rows: '' }, { rows: 50 }],
    [{ rows: ' 20 ' }, { rows: 20 }],
    [{ offset: '100' }, { offset: 100 }],
    [{ offset: '-1' }, { offset: 0 }],
    [{ offset: 'x' }, { offset: 0 }],
    [{ offset: '9'.repeat(30) }, { offset: 10_000_000 }],
    [{ start_date: '0' }, { startDate: 0 }],
    [{ start_date: 'yesterday' }, { startDate: nowSeconds - 86_400 }],
    [{ end_date: '2021-12-22' }, { endDate: nowSeconds }],
    [{ end_date: '9'.repeat(30) }, { endDate: 4_102_444_799 }],
  ];
  for (const [parameters, expected] of table) {
    const found = parse(parameters);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(found[name as keyof typeof found], value, JSON.stringify(parameters));
    }
  }
});

test('filters', () => {
  const range = parse({}).filter;
  const delivery = { mailId: 123_456_789, n: 3 };
  const sendId = sendIdOf(key, delivery);
  assert.deepEqual(parse({ to: ' Ann@shop.example ' }).filter, { ...range, forwardPath: 'Ann@shop.example' });
  assert.deepEqual(parse({ send_id: sendId }).filter, { ...range, ...delivery });
  assert.deepEqual(parse({ send_id: sendId.toUpperCase() }).filter, { ...range, ...delivery });
  assert.deepEqual(parse({ status: 'warmup' }).filter, { ...range, status: [{ states: ['held'] }] });
  assert.deepEqual(parse({ to: '', send_id: '', status: '', app: ' ' }).filter, range);
});

test('a filter that no row can meet finds nothing', () => {
  for (const parameters of [
    { status: 'sent' },
    { send_id: 'f52cf56f666a4d9b588d20cc6f0ca644' },
    { send_id: 'x' },
  ]) {
    assert.equal(parse(parameters).filter, null);
  }
});

test('of a parameter sent twice, the last counts', () => {
  const twice = fieldsOf([
    ['rows', '1'],
    ['rows', '2'],
  ]);
  assert.equal(parseLog(twice, 0, key, standardWords).rows, 2);
});

test('any text makes a question within bounds', () => {
  const name = fc.constantFrom(
    'app',
    'start_date',
    'end_date',
    'to',
    'send_id',
    'status',
    'rows',
    'offset',
    '__proto__',
  );
  const pairs = fc.array(fc.tuple(name, fc.oneof(fc.string(), fc.integer().map(String))));
  fc.assert(
    fc.property(pairs, (sent) => {
      const { rows, offset, startDate, endDate } = parseLog(
        fieldsOf(sent),
        nowSeconds * 1000,
        key,
        standardWords,
      );
      assert.ok(rows >= 1 && rows <= 1000 && offset >= 0 && offset <= 10_000_000);
      assert.ok(Number.isSafeInteger(startDate * 1000) && Number.isSafeInteger((endDate + 1) * 1000));
    }),
  );
});
