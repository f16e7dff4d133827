import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { environmentName } from '../base/option.ts';
import { coreOptions, renderHelp, renderReference, renderSampleFile } from './config.ts';

test('help and reference page hold every option with its name in the environment', () => {
  for (const text of [renderHelp([]), renderReference([])]) {
    for (const { key } of coreOptions) {
      assert.ok(text.includes(key) && text.includes(environmentName(key)), key);
    }
  }
});

test('the sample file says nothing until a line is uncommented, and is then sound', () => {
  const sample = renderSampleFile([]);
  assert.deepEqual(Object.values(parse(sample)).flatMap(Object.values), []);
  const uncommented = parse(sample.replace(/^# (\w+ = )/gm, '$1'));
  assert.equal(uncommented.data_dir, './data');
  assert.deepEqual(Object.keys(uncommented.smtp ?? {}).slice(0, 2), ['listen', 'implicit_tls_listen']);
});

test('a table of the sample file stands once', () => {
  const tables = renderSampleFile([]).match(/^\[.*\]$/gm) ?? [];
  assert.equal(new Set(tables).size, tables.length);
});
