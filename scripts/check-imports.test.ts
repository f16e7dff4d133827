import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkImports, moduleOf } from './check-imports.ts';

/** Violations of a checkout that holds just these files under `src/`. */
function check(context: TestContext, files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'check-imports-'));
  context.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'package.json'), '{"dependencies":{"hono":"1","@scope/part":"1"}}');
  for (const [path, source] of Object.entries(files)) {
    const file = join(root, 'src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
  return checkImports(root);
}

const modules: [path: string, module: string][] = [
  ['main.ts', 'main'],
  ['app-relay.ts', 'main'],
  ['relay/submit.ts', 'relay'],
  ['ledger/queries/top.ts', 'ledger'],
  ['protocol/smtp/reply.ts', 'protocol/smtp'],
  ['dialects/one/routes/send.ts', 'dialects/one'],
  ['dialects/dialect.ts', 'dialects'],
];

for (const [path, module] of modules) {
  test(`${path} belongs to ${module}`, () => assert.equal(moduleOf(path), module));
}

const allowed: [name: string, path: string, source: string][] = [
  ['a door', 'relay/submit.ts', "import { a } from '../queue/queue.ts';"],
  ['any file of a library', 'relay/submit.ts', "import { a } from '../base/clock.ts';"],
  ['any file of the same module', 'ledger/queries/top.ts', "import { a } from '../client.ts';"],
  ['another protocol', 'protocol/dsn/parse.ts', "import { a } from '../smtp/reply.ts';"],
  ['the contract of all dialects', 'dialects/one/one.ts', "import type { A } from '../dialect.ts';"],
  ['a dialect from the list of all', 'dialects/dialects.ts', "import { a } from './one/one.ts';"],
  [
    'a dependency and its inner path',
    'http/http.ts',
    "import a from 'hono/x'; import b from '@scope/part/y';",
  ],
  [
    'every door from the composition root',
    'app-relay.ts',
    "import { a } from './smtp-server/smtp-server.ts';",
  ],
  ['a side door', 'app-relay.ts', "import { a } from './smtp-server/handler.ts';"],
  ['anything from a test', 'store/store.test.ts', "import { a } from '../relay/settle.ts'; Date.now();"],
  ['the clock in base', 'base/clock.ts', 'Date.now(); setTimeout(() => {}, 1); Math.random();'],
  ['the environment in config', 'config/load.ts', 'const a = process.env;'],
  ['a method of that name', 'smtp-server/session.ts', 'socket.setTimeout(1);'],
  ['forbidden words in comments and strings', 'relay/a.ts', "// new Date()\nconst a = 'Date.now()';"],
];

for (const [name, path, source] of allowed) {
  test(`allowed: ${name}`, (context) => assert.deepEqual(check(context, { [path]: source }), []));
}

const refused: [name: string, path: string, source: string, violation: string][] = [
  [
    'a module off the table',
    'store/store.ts',
    "import { a } from '../relay/relay.ts';",
    'src/store/store.ts:1: store may not import relay',
  ],
  [
    'a type, which couples as well',
    'ledger/ledger.ts',
    "\nimport type { A } from '../tenants/tenants.ts';",
    'src/ledger/ledger.ts:2: ledger may not import tenants',
  ],
  [
    'a file behind a door',
    'relay/submit.ts',
    "import { a } from '../queue/outbox.ts';",
    'src/relay/submit.ts:1: queue is entered through src/queue/queue.ts only',
  ],
  [
    'a file behind a door, from the composition root',
    'app-relay.ts',
    "import { a } from './queue/outbox.ts';",
    'src/app-relay.ts:1: queue is entered through src/queue/queue.ts only',
  ],
  [
    'another dialect',
    'dialects/one/one.ts',
    "import { a } from '../two/two.ts';",
    'src/dialects/one/one.ts:1: dialects/one may not import dialects/two',
  ],
  [
    'the list of all dialects from elsewhere than the roots',
    'http/http.ts',
    "import { a } from '../dialects/dialects.ts';",
    'src/http/http.ts:1: http may not import dialects',
  ],
  [
    'the composition root',
    'relay/relay.ts',
    "import { a } from '../app-relay.ts';",
    'src/relay/relay.ts:1: relay may not import main',
  ],
  [
    'a dynamic import',
    'base/a.ts',
    "await import('../relay/relay.ts');",
    'src/base/a.ts:1: base may not import relay',
  ],
  [
    'a file outside src',
    'base/a.ts',
    "import { a } from '../../test/support/a.ts';",
    'src/base/a.ts:1: test/support/a.ts lies outside src',
  ],
  [
    'a package that is no dependency',
    'base/a.ts',
    "import { a } from 'left-pad';",
    'src/base/a.ts:1: left-pad is not among the dependencies of package.json',
  ],
  ['a built-in without its prefix', 'base/a.ts', "import { a } from 'fs';", 'src/base/a.ts:1: write node:fs'],
  [
    'input and output in protocol',
    'protocol/smtp/a.ts',
    "import { a } from 'node:net';",
    'src/protocol/smtp/a.ts:1: protocol is pure and may not import node:net',
  ],
  [
    'timers by import',
    'relay/a.ts',
    "import { setTimeout } from 'node:timers/promises';",
    'src/relay/a.ts:1: node:timers/promises may be imported in base only; take a Clock',
  ],
  [
    'an unknown module',
    'utils/a.ts',
    '',
    'src/utils/a.ts:1: module utils has no row in scripts/import-rules.ts',
  ],
];

for (const [name, path, source, violation] of refused) {
  test(`refused: ${name}`, (context) => assert.deepEqual(check(context, { [path]: source }), [violation]));
}

const words = [
  'process.env',
  'Date.now()',
  'new Date(0)',
  'setTimeout(f, 1)',
  'setInterval(f, 1)',
  'Math.random()',
];

for (const word of words) {
  test(`refused outside its place: ${word}`, (context) => {
    const [violation, ...more] = check(context, { 'relay/a.ts': `\nconst a = ${word};` });
    assert.match(violation ?? '', /^src\/relay\/a\.ts:2: .* is not used outside src\/(base|config); /);
    assert.deepEqual(more, []);
  });
}
