import assert from 'node:assert/strict';
import test from 'node:test';
import { OptionProblem, type RawValue } from '../../base/option.ts';
import { options, readSettings } from './options.ts';
import { standardWords } from './words.ts';

function option(name: string) {
  const found = options.find(({ key }) => key === `dialects.submail.${name}`);
  assert.ok(found, name);
  return found;
}

function settingsWith(values: Record<string, RawValue>) {
  return readSettings(
    new Map(Object.entries(values).map(([name, raw]) => [option(name).key, option(name).parse(raw)])),
  );
}

test('the defaults', () => {
  const standard = {
    queryIntervalMs: 60_000,
    cacheKey: 'app',
    errorCodeType: 'string',
    words: standardWords,
  };
  assert.deepEqual(readSettings(new Map()), standard);
  assert.deepEqual(readSettings(new Map(options.map((one) => [one.key, one.default]))), standard);
});

test('what an option prints, it reads again; and it reads its own example', () => {
  for (const one of options) {
    assert.deepEqual(one.parse(one.print(one.default)), one.default, one.key);
    assert.doesNotThrow(() => one.parse(one.example), one.key);
  }
});

test('tables take single entries, as text or as a list', () => {
  const { words } = settingsWith({
    status_numbers: 'queued=10, deferred = 40',
    bounce_numbers: ['dropped=2'],
    status_words: 'bounced=dropped',
  });
  assert.deepEqual(words.numbers, { ...standardWords.numbers, queued: 10, deferred: 40 });
  assert.deepEqual(words.bounces, { ...standardWords.bounces, dropped: 2 });
  assert.deepEqual(words.words, { ...standardWords.words, bounced: 'dropped' });
  assert.equal(standardWords.numbers.queued, 1);
});

test('values as TOML has them', () => {
  const settings = settingsWith({ query_interval: 0, cache_key: 'app-and-query', error_code_type: 'number' });
  assert.deepEqual(
    [settings.queryIntervalMs, settings.cacheKey, settings.errorCodeType],
    [0, 'app-and-query', 'number'],
  );
});

test('what is not understood is refused', () => {
  const table: [string, RawValue][] = [
    ['query_interval', -1],
    ['query_interval', 3601],
    ['query_interval', '1.5'],
    ['query_interval', ''],
    ['query_interval', true],
    ['cache_key', 'query'],
    ['error_code_type', 'int'],
    ['status_numbers', 'sent=1'],
    ['status_numbers', 'constructor=1'],
    ['status_numbers', 'queued'],
    ['status_numbers', 'queued=x'],
    ['status_numbers', 'queued=1=2'],
    ['status_numbers', ''],
    ['status_numbers', 5],
    ['bounce_numbers', 'bounced=-1'],
    ['status_words', 'bounced=bounced'],
    ['status_words', 'sending=sending'],
  ];
  for (const [name, raw] of table) {
    assert.throws(() => option(name).parse(raw), OptionProblem, `${name} ${JSON.stringify(raw)}`);
  }
});
