import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lastValue, queryOf } from './query.ts';

test('names keep all their values in order', () => {
  const fields = queryOf('http://127.0.0.1/x?event=a&limit=1&event=b&event=');
  assert.deepEqual({ ...fields }, { event: ['a', 'b', ''], limit: ['1'] });
  assert.equal(lastValue(fields, 'event'), '');
  assert.equal(lastValue(fields, 'limit'), '1');
  assert.equal(lastValue(fields, 'other'), undefined);
});

test('a URL without a query has no parameters; a fragment is none', () => {
  assert.deepEqual({ ...queryOf('http://127.0.0.1/x') }, {});
  assert.deepEqual({ ...queryOf('http://127.0.0.1/x?') }, {});
  assert.deepEqual({ ...queryOf('/x?a=1#b?c=2') }, { a: ['1'] });
});

test('names of the language are parameters like any other', () => {
  const fields = queryOf('/x?__proto__=1&constructor=2&toString=3&__proto__=4');
  assert.deepEqual(Object.keys(fields).sort(), ['__proto__', 'constructor', 'toString']);
  assert.deepEqual(Object.values(fields).sort(), [['1', '4'], ['2'], ['3']]);
  assert.equal(lastValue(queryOf('/x'), 'toString'), undefined);
  assert.equal(({} as Record<string, unknown>)['1'], undefined);
});

test('percent and plus signs are decoded, broken escapes are kept as text', () => {
  const fields = queryOf('/x?to=a%2Bb%40example.com&subject=Your+order&bad=%zz%&cut=%e2%82');
  assert.equal(lastValue(fields, 'to'), 'a+b@example.com');
  assert.equal(lastValue(fields, 'subject'), 'Your order');
  assert.equal(lastValue(fields, 'bad'), '%zz%');
  assert.equal(lastValue(fields, 'cut'), '�');
});

test('what a client encodes is what we read', () => {
  const pair = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1 }), (pairs) => {
      const fields = queryOf(`/x?${new URLSearchParams(pairs)}`);
      for (const name of new Set(pairs.map(([name]) => name))) {
        assert.deepEqual(
          fields[name],
          pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]),
        );
      }
    }),
  );
});
