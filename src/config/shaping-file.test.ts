/** The table that Waybill comes with is sound, and an operator's file changes it or is refused whole. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfig } from './load.ts';
import { readShaping } from './shaping-file.ts';

function file(t: test.TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-shaping-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'shaping.toml');
  writeFileSync(path, text);
  return path;
}

test('the table Waybill comes with', () => {
  const { table, problems } = readShaping(null);
  assert.deepEqual(problems, []);
  assert.deepEqual(table.default, {
    ...{ connections: null, mailsPerConnection: 100, recipientsPerMail: 100, rates: [] },
  });
  const names = table.rules.map(({ name }) => name);
  assert.ok(names.includes('google') && names.includes('yahoo'));
  assert.equal(new Set(names).size, names.length);
  for (const { name, mx, limits } of table.rules) {
    assert.ok(mx.length > 0, name);
    assert.ok((limits.connections ?? 99) <= 20, `${name} is cautious`);
  }
});

test('a file of the operator changes members, adds rules before the others, and tells where it is from', (t) => {
  const path = file(
    t,
    `[default]\nrecipients_per_mail = 7\n[site.yahoo]\nconnections = 1\n[site.own]\nmx = ["MX.Own.example"]\nrates = ["10/s", "500/h"]\n`,
  );
  const { table, problems } = readShaping(path);
  assert.deepEqual(problems, []);
  assert.equal(table.default.recipientsPerMail, 7);
  assert.equal(table.default.mailsPerConnection, 100);
  const [own] = table.rules;
  assert.deepEqual(own, {
    ...{ name: 'own', mx: ['mx.own.example'], domains: [], separate: false, origin: path },
    limits: {
      rates: [
        { count: 10, perMs: 1000 },
        { count: 500, perMs: 3_600_000 },
      ],
    },
  });
  const yahoo = table.rules.find(({ name }) => name === 'yahoo');
  assert.deepEqual([yahoo?.limits.connections, yahoo?.limits.mailsPerConnection], [1, 20]);
  assert.ok(yahoo?.mx.includes('yahoodns.net'));
});

test('every problem of a file is told at once, and stops the start', (t) => {
  const path = file(
    t,
    `x = 1\n[default]\nconnections = 0\n[site.Bad_Name]\nmx = "a"\n[site.a]\nratse = 1\nrates = ["0/s"]\nseparate = 1\n[site.rehearsal]\nmx=["a.example"]\n`,
  );
  const loaded = loadConfig({ environment: { WAYBILL_DELIVERY_SHAPING_FILE: path } });
  assert.ok(!loaded.ok);
  assert.deepEqual(
    loaded.problems.map(({ name }) => name.replace(`${path}: `, '')),
    [
      'x',
      'default.connections',
      'site.Bad_Name',
      'site.Bad_Name.mx',
      'site.a.separate',
      'site.a.ratse',
      'site.a.rates',
      'site.rehearsal',
    ],
  );
});

test('a file that is missing or no TOML', (t) => {
  const missing = join(tmpdir(), 'waybill-no-such-file.toml');
  assert.match(readShaping(missing).problems[0]?.text ?? '', /no such file/);
  assert.match(readShaping(file(t, '[default')).problems[0]?.text ?? '', /line 1/);
});
