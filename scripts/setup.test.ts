import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const setupFile = join(import.meta.dirname, 'setup.mjs');

type Packages = Record<string, { version: string; optional?: boolean }>;

interface Checkout {
  locked: Packages;
  /** Null: nothing was ever installed. */
  installed: Packages | null;
  /** Seconds by which the lock file is newer than the installation. */
  newerSeconds?: number;
  /** What `node_modules/.bin/node --version` says. */
  node?: string;
  /** A shell script that stands for npm. */
  npm?: string;
}

const emptyInstall = 'mkdir -p node_modules && echo \'{"packages":{}}\' > node_modules/.package-lock.json';

function writeExecutable(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

function makeCheckout(context: TestContext, checkout: Checkout): string {
  const root = mkdtempSync(join(tmpdir(), 'waybill-checkout-'));
  context.after(() => rmSync(root, { recursive: true }));
  cpSync(setupFile, join(root, 'scripts', 'setup.mjs'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"devDependencies":{"node":"26.0.0"}}');
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, ...checkout.locked } }),
  );
  if (checkout.installed !== null) placeInstallation(root, checkout.installed, checkout.newerSeconds ?? 0);
  if (checkout.node !== undefined) {
    writeExecutable(join(root, 'node_modules', '.bin', 'node'), `echo ${checkout.node}`);
  }
  writeExecutable(join(root, 'fake', 'npm'), `echo "npm $*"\n${checkout.npm ?? ''}`);
  return root;
}

function placeInstallation(root: string, installed: Packages, newerSeconds: number): void {
  const file = join(root, 'node_modules', '.package-lock.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ packages: installed }));
  const at = statSync(join(root, 'package-lock.json')).mtimeMs / 1000 - newerSeconds;
  utimesSync(file, at, at);
}

/** What setup said, and its exit code; npm is the one of the checkout. */
function runSetup(root: string): { status: number | null; said: string } {
  const answer = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')], {
    env: { ...process.env, PATH: `${join(root, 'fake')}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  return { status: answer.status, said: answer.stderr };
}

const one: Packages = { 'node_modules/a': { version: '1.0.0' } };

test('a checkout that is ready is left alone, silently', (context) => {
  const root = makeCheckout(context, { locked: one, installed: one, node: 'v26.0.0' });
  assert.deepEqual(runSetup(root), { status: 0, said: '' });
});

test('a lock file that is newer but says the same installs nothing', (context) => {
  const locked: Packages = { ...one, 'node_modules/other-system': { version: '1.0.0', optional: true } };
  const root = makeCheckout(context, { locked, installed: one, newerSeconds: 60, node: 'v26.0.0' });
  assert.deepEqual(runSetup(root), { status: 0, said: '' });
});

const outdated: [name: string, installed: Packages | null, state: string][] = [
  ['nothing is installed', null, 'missing'],
  ['a version differs', { 'node_modules/a': { version: '0.9.0' } }, 'outdated'],
  ['a package is missing', {}, 'outdated'],
  ['a package is too many', { ...one, 'node_modules/b': { version: '1.0.0' } }, 'outdated'],
];

for (const [name, installed, state] of outdated) {
  test(`dependencies are installed when ${name}`, (context) => {
    const root = makeCheckout(context, { locked: one, installed, newerSeconds: 60, node: 'v26.0.0' });
    const { status, said } = runSetup(root);
    assert.match(said, new RegExp(`dependencies are ${state}; running npm ci[\\s\\S]*npm ci `));
    assert.equal(status, 0);
  });
}

/** Does for the platform's package what npm would: it leaves a binary that says its version. */
const npmWithBinary = `
if [ "$1" = install ]; then
  for word in "$@"; do last=$word; done
  name=\${last%@*}
  mkdir -p "$3/node_modules/$name/bin"
  printf '#!/bin/sh\\necho v26.0.0\\n' > "$3/node_modules/$name/bin/node"
fi`;

for (const node of [undefined, 'v25.0.0']) {
  test(`the pinned Node is fetched when it is ${node ?? 'missing'}`, (context) => {
    const root = makeCheckout(context, {
      locked: one,
      installed: one,
      npm: npmWithBinary,
      ...(node === undefined ? {} : { node }),
    });
    const { status, said } = runSetup(root);
    assert.match(said, /npm install --prefix .* --ignore-scripts node[\w-]*@26\.0\.0/);
    assert.match(said, /setup: Node 26\.0\.0 is in place/);
    assert.equal(status, 0);
    assert.deepEqual(runSetup(root), { status: 0, said: '' });
  });
}

test('a registry out of reach is told as such', (context) => {
  const npm = 'echo "npm error code ENOTFOUND" >&2; exit 1';
  const { status, said } = runSetup(makeCheckout(context, { locked: one, installed: null, npm }));
  assert.match(said, /could not reach the package registry\. Check the network/);
  assert.equal(status, 1);
});

test('another failure of npm is told with its exit code', (context) => {
  const npm = 'echo "npm error code EUSAGE" >&2; exit 7';
  const { status, said } = runSetup(makeCheckout(context, { locked: one, installed: null, npm }));
  assert.match(said, /npm error code EUSAGE[\s\S]*`npm ci` failed with exit code 7/);
  assert.equal(status, 1);
});

test('a Node that does not come is a failure', (context) => {
  const root = makeCheckout(context, { locked: {}, installed: null, npm: `${emptyInstall}; exit 0` });
  const { status, said } = runSetup(root);
  assert.equal(status, 1);
  assert.match(said, /^setup: the package .* brought no Node$/m);
});
