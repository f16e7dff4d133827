import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { limits } from '../base/limits.ts';
import { environmentName, type Option } from '../base/option.ts';
import { dialects } from '../dialects/dialects.ts';
import { type Config, type ConfigSource, describeProblem, type LoadRequest, loadConfig } from './config.ts';
import { wholeNumber } from './kinds.ts';
import { coreOptions, isOption, schema } from './schema.ts';

/** No file of the working directory takes part. */
function fileWith(context: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-config-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'waybill.toml');
  writeFileSync(file, text);
  return file;
}

function load(request: LoadRequest): { config: Config; sources: ReadonlyMap<string, ConfigSource> } {
  const loaded = loadConfig({ environment: {}, ...request });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded;
}

function problems(request: LoadRequest): string[] {
  const loaded = loadConfig({ environment: {}, ...request });
  assert.equal(loaded.ok, false);
  return loaded.ok ? [] : loaded.problems.map(describeProblem);
}

const dialectOption: Option<number> = {
  key: 'dialects.one.interval',
  default: 60,
  meaning: 'Seconds.',
  example: '5',
  ...wholeNumber(0, 3600),
};

test('without a file and variables everything has its default', () => {
  const { config, sources } = load({});
  assert.deepEqual(config.smtp.listen, [{ host: '127.0.0.1', port: 2525 }]);
  assert.deepEqual(config.http.listen, { host: '127.0.0.1', port: 8025 });
  assert.equal(config.smtp.maxContentBytes, limits.contentBytes);
  assert.equal(config.dataDir, resolve('data'));
  assert.equal(config.nextHop, null);
  assert.match(config.hostname, /^[a-z0-9.-]+$/);
  assert.ok([...sources.values()].every((source) => source === 'default'));
});

test('the standard retry schedule gives up just before five days', () => {
  const hours = load({}).config.retrySchedule.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
  assert.ok(hours > 4 * 24 && hours <= 5 * 24, `${hours} h`);
});

test('a variable wins over the file, the file over the default', (context) => {
  const file = fileWith(context, 'node_number = 3\n[smtp]\nlisten = "127.0.0.1:1"\nmax_forward_paths = 7\n');
  const { config, sources } = load({ file, environment: { WAYBILL_SMTP_LISTEN: '127.0.0.1:2,[::1]:3' } });
  assert.deepEqual(
    config.smtp.listen.map(({ port }) => port),
    [2, 3],
  );
  assert.equal(config.smtp.maxForwardPaths, 7);
  assert.equal(config.nodeNumber, 3);
  assert.equal(sources.get('smtp.listen'), 'environment');
  assert.equal(sources.get('smtp.max_forward_paths'), 'file');
  assert.equal(sources.get('http.listen'), 'default');
});

test('an empty variable counts as absent', (context) => {
  const file = fileWith(context, 'hostname = "mail.example.com"');
  const { config } = load({ file, environment: { WAYBILL_HOSTNAME: '', WAYBILL_LEDGER_URL: ' ' } });
  assert.equal(config.hostname, 'mail.example.com');
  assert.equal(config.ledger.url, null);
});

test('a list may be a list of the file', (context) => {
  const file = fileWith(context, 'retry_schedule = ["5m", "1h"]\n[smtp]\nlisten = []\n');
  const { config } = load({ file });
  assert.deepEqual(config.retrySchedule, [300_000, 3_600_000]);
  assert.deepEqual(config.smtp.listen, []);
});

test('WAYBILL_CONFIG names the file', (context) => {
  const file = fileWith(context, 'node_number = 9');
  assert.equal(load({ environment: { WAYBILL_CONFIG: file } }).config.nodeNumber, 9);
});

test('all problems are reported at once, each with its place', (context) => {
  const file = fileWith(
    context,
    'node_number = 99\nretry_schedule = "soon"\n[smpt]\nlisten = "127.0.0.1:1"\n',
  );
  assert.deepEqual(
    problems({
      file,
      environment: { WAYBILL_HTTP_LISEN: '127.0.0.1:1', WAYBILL_LOG_LEVEL: 'loud', HOME: '/' },
    }),
    [
      'file smpt.listen: no option has this name; did you mean smtp.listen?',
      'environment WAYBILL_HTTP_LISEN: no option has this name; did you mean WAYBILL_HTTP_LISTEN?',
      'file node_number: expected a whole number from 0 to 30',
      'file retry_schedule: expected a duration such as 30s, 5m, 1h30m or 2d, from 1ms to 30d',
      'environment WAYBILL_LOG_LEVEL: expected one of debug, info, warn, error',
    ],
  );
});

test('a certificate needs its key', () => {
  assert.deepEqual(problems({ environment: { WAYBILL_SMTP_TLS_CERT: '/a.pem' } }), [
    'environment WAYBILL_SMTP_TLS_CERT: needs smtp.tls_key as well',
  ]);
  const both = { WAYBILL_SMTP_TLS_CERT: '/a.pem', WAYBILL_SMTP_TLS_KEY: 'b.pem' };
  assert.equal(load({ environment: both }).config.smtp.tlsKey, resolve('b.pem'));
});

test('a bound in bytes is not kept on a cluster', () => {
  const cluster = { WAYBILL_LEDGER_URL: 'http://127.0.0.1:8123', WAYBILL_LEDGER_CLUSTER: 'here' };
  assert.deepEqual(problems({ environment: { ...cluster, WAYBILL_LEDGER_KEEP_EVENTS_BYTES: '1GiB' } }), [
    'environment WAYBILL_LEDGER_KEEP_EVENTS_BYTES: cannot be kept with ledger.cluster; a time can',
  ]);
});

test('options of dialects stand in one map under their keys', (context) => {
  const file = fileWith(context, '[dialects.one]\ninterval = 5\n');
  const request = { dialectOptions: [dialectOption] };
  assert.equal(load(request).config.dialects.get('dialects.one.interval'), 60);
  assert.equal(load({ ...request, file }).config.dialects.get('dialects.one.interval'), 5);
  const environment = { WAYBILL_DIALECTS_ONE_INTERVAL: '7' };
  assert.equal(load({ ...request, file, environment }).config.dialects.get('dialects.one.interval'), 7);
});

const badFiles: [name: string, text: string, problem: RegExp][] = [
  ['broken TOML', 'node_number = = 1\nsecret = 1', /^file .*waybill\.toml: line 1, column \d+: [^\n]+$/],
  ['a date', 'hostname = 2026-11-22', /^file hostname: expected text, a number, true, false or a list/],
  ['a list of tables', '[[smtp]]\nlisten = "127.0.0.1:1"', /^file smtp: expected text/],
  ['a value where a table stands', 'smtp = "127.0.0.1:1"', /^file smtp: no option has this name/],
  ['a table where a value stands', '[node_number]\nx = 1', /^file node_number\.x: no option has this name/],
  ['a name that means something to JavaScript', '[__proto__]\nx = 1', /^file /],
  ['a file that is too large', `#${' '.repeat(limits.configFileBytes)}`, /is larger than 1048576 bytes$/],
];

for (const [name, text, problem] of badFiles) {
  test(`${name} is reported`, (context) => {
    const [first, ...more] = problems({ file: fileWith(context, text) });
    assert.match(first ?? '', problem);
    assert.deepEqual(more, []);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });
}

test('a file that is asked for must exist', () => {
  assert.deepEqual(problems({ file: '/nowhere/waybill.toml' }), [
    'file /nowhere/waybill.toml: there is no such file',
  ]);
  assert.deepEqual(problems({ file: '/' }), ['file /: is not a file']);
});

test('no problem repeats a value', (context) => {
  const file = fileWith(
    context,
    'next_hop = "smtp://user:hunter2@host/path"\n[ledger]\nurl = "hunter2"\nx = "hunter2',
  );
  assert.doesNotMatch(problems({ file }).join('\n'), /hunter2/);
});

test('every property path is the key of its option in camel case', () => {
  const paths = (branch: object, above: string): [string, string][] =>
    Object.entries(branch).flatMap(([name, node]: [string, object]) =>
      isOption(node) ? [[`${above}${name}`, node.key]] : paths(node, `${above}${name}.`),
    );
  for (const [path, key] of paths(schema, '')) {
    assert.equal(
      path,
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
  }
});

test('every option can be set by its own example and its own default', () => {
  for (const option of [...coreOptions, ...dialects.flatMap(({ options }) => options)]) {
    assert.doesNotThrow(() => option.parse(option.example), option.key);
    assert.deepEqual(option.parse(option.print(option.default)), option.default, option.key);
  }
});

test('no two options share a name in the environment', () => {
  const names = coreOptions.map(({ key }) => environmentName(key));
  assert.equal(new Set(names).size, names.length);
});
