import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { randomSource } from '../../test/support/histories.ts';
import type { BoundValue, Engine } from './engine.ts';
import { openEngine } from './ledger.ts';
import { literal, withLiterals } from './literals.ts';

suite('bound values of the embedded engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-literals-'));
  let engine: Engine;
  before(async () => {
    engine = await openEngine({ url: null, path: folder });
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const given = async (type: string, value: BoundValue) =>
    (await engine.ask(`SELECT {value:${type}}, toTypeName({value:${type}})`, { value }))[0];

  const values: [type: string, value: BoundValue][] = [
    ['UInt64', 0],
    ['UInt64', 2 ** 53 - 1],
    ['UInt32', 4_294_967_295],
    ['Int64', -1],
    ['Int64', -(2 ** 53 - 1)],
    ['Float64', 1e-7],
    ['Bool', true],
    ['Nullable(String)', null],
    ['String', ''],
    ['Array(String)', []],
    ['Array(UInt64)', []],
    ['Array(UInt64)', Array.from({ length: 20_000 }, (_, n) => 2 ** 52 + n)],
    ['Array(String)', ["it's", 'a\\', ' x', '{value:String}']],
  ];
  for (const [type, value] of values) {
    test(`${type}: ${JSON.stringify(value).slice(0, 40)}`, async () => {
      assert.deepEqual(await given(type, value), [value, type]);
    });
  }

  test('texts that would end the literal, or begin something else, are values', async () => {
    const texts = [
      "'",
      "\\'",
      "''",
      '\\',
      "') OR 1 --",
      '/*',
      '`',
      '"',
      '{other:String}',
      '$1',
      '$&',
      '\0',
      '\n',
    ];
    const random = randomSource(5);
    const alphabet = [...texts, 'é', '😀', '\u2028', '\x7f', '%', '_', 'x', ' ', '\t', '\r'];
    for (let turn = 0; turn < 200; turn += 1) {
      const length = 1 + Math.floor(random() * 12);
      texts.push(Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join(''));
    }
    assert.deepEqual((await given('Array(String)', texts))?.[0], texts);
    for (const text of texts.slice(0, 40)) assert.equal((await given('String', text))?.[0], text);
  });

  test('a literal is printable ASCII', () => {
    const all = Array.from({ length: 0x500 }, (_, code) => String.fromCharCode(code)).join('');
    assert.match(literal(all), /^'[ -~]*'$/);
    assert.doesNotMatch(literal(all).slice(1, -1), /'/);
  });

  test('a value that is missing, or no number, is refused', () => {
    assert.throws(() => withLiterals('SELECT {a:String}', { b: '' }), /a value is bound to \{a:String\}/);
    assert.throws(() => withLiterals('SELECT {a:UInt64}', { a: Number.NaN }), /a bound number is finite/);
  });

  test('a question does not wait for one that takes long', async () => {
    let over = false;
    const long = engine
      .ask('SELECT count() FROM numbers({n:UInt64}) WHERE sipHash64(number) = 1', { n: 1e8 })
      .finally(() => {
        over = true;
      });
    assert.deepEqual(await engine.ask('SELECT {n:UInt64}', { n: 1 }), [[1]]);
    assert.ok(!over, 'the long one goes on');
    await long;
  });
});
