import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const launcherFile = join(import.meta.dirname, '..', 'bin', 'waybill');

/** A checkout whose pinned Node is the Node of this test and whose program is `main`. */
function makeCheckout(context: TestContext, main: string, pinned = true): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'waybill launcher-')));
  context.after(() => rmSync(root, { recursive: true }));
  cpSync(launcherFile, join(root, 'bin', 'waybill'), { recursive: true });
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src', 'main.ts'), main);
  if (pinned) placeNode(root);
  return root;
}

function placeNode(root: string): void {
  const link = join(root, 'node_modules', '.bin', 'node');
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(process.execPath, link);
}

test('the words, the folder and the exit code are those of the program', (context) => {
  const root = makeCheckout(
    context,
    'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)])); process.exit(7);',
  );
  const answer = spawnSync(join(root, 'bin', 'waybill'), ['serve', 'two words', ''], {
    cwd: '/',
    encoding: 'utf8',
  });
  assert.deepEqual(JSON.parse(answer.stdout), ['/', 'serve', 'two words', '']);
  assert.equal(answer.status, 7);
});

test('a link to the launcher finds the checkout, also over two links', (context) => {
  const root = makeCheckout(context, 'console.log(import.meta.dirname);');
  mkdirSync(join(root, 'elsewhere'));
  symlinkSync('../bin/waybill', join(root, 'elsewhere', 'relative'));
  symlinkSync(join(root, 'elsewhere', 'relative'), join(root, 'elsewhere', 'absolute'));
  const answer = spawnSync(join(root, 'elsewhere', 'absolute'), { cwd: '/', encoding: 'utf8' });
  assert.equal(answer.stdout, `${join(root, 'src')}\n`);
});

const startedFrom = (root: string, environment: NodeJS.ProcessEnv) =>
  spawnSync(join(root, 'bin', 'waybill'), {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
  });

test('compiled code is kept beside the sources, or where the environment says, or nowhere', (context) => {
  const root = makeCheckout(context, "console.log('started');");
  const beside = join(root, 'node_modules', '.cache', 'compiled');
  const elsewhere = join(root, 'elsewhere');
  assert.equal(startedFrom(root, { NODE_COMPILE_CACHE: '' }).stdout, 'started\n');
  assert.equal(startedFrom(root, { NODE_COMPILE_CACHE: elsewhere }).stdout, 'started\n');
  assert.deepEqual([existsSync(beside), readdirSync(elsewhere).length], [false, 1]);
  assert.equal(startedFrom(root, {}).stdout, 'started\n');
  assert.equal(readdirSync(beside).length, 1);
});

test('a folder that cannot be had for compiled code keeps nothing from starting', (context) => {
  const root = makeCheckout(context, "console.log('started');");
  writeFileSync(join(root, 'node_modules', '.cache'), 'a file');
  const { status, stdout, stderr } = startedFrom(root, {});
  assert.deepEqual([status, stdout, stderr], [0, 'started\n', '']);
});

test('a signal reaches the program itself', async (context) => {
  const program =
    "process.on('SIGTERM', () => process.exit(3)); console.log(process.pid); setInterval(() => {}, 1000);";
  const child = spawn(join(makeCheckout(context, program), 'bin', 'waybill'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(child.stdout, 'data');
  assert.equal(Number(pid), child.pid);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [3, null]);
});

test('without the pinned Node the set-up runs first, and speaks on standard error', (context) => {
  const root = makeCheckout(context, "console.log('started');", false);
  mkdirSync(join(root, 'scripts'));
  const setup = `import { mkdirSync, symlinkSync } from 'node:fs'; console.log('setting up');
    mkdirSync(${JSON.stringify(join(root, 'node_modules', '.bin'))}, { recursive: true });
    symlinkSync(process.execPath, ${JSON.stringify(join(root, 'node_modules', '.bin', 'node'))});`;
  writeFileSync(join(root, 'scripts', 'setup.mjs'), setup);
  const answer = spawnSync(join(root, 'bin', 'waybill'), { encoding: 'utf8' });
  assert.deepEqual([answer.stdout, answer.stderr], ['started\n', 'setting up\n']);
});

test('a set-up that fails ends the launch with its exit code', (context) => {
  const root = makeCheckout(context, "console.log('started');", false);
  mkdirSync(join(root, 'scripts'));
  writeFileSync(join(root, 'scripts', 'setup.mjs'), 'process.exit(5);');
  const answer = spawnSync(join(root, 'bin', 'waybill'), { encoding: 'utf8' });
  assert.deepEqual([answer.status, answer.stdout], [5, '']);
});

test('a system without Node is told so', (context) => {
  const root = makeCheckout(context, '', false);
  const tools = join(root, 'tools');
  mkdirSync(tools);
  for (const tool of ['readlink', 'dirname']) {
    writeFileSync(join(tools, tool), `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`);
    chmodSync(join(tools, tool), 0o755);
  }
  const answer = spawnSync('/bin/sh', [join(root, 'bin', 'waybill')], {
    env: { PATH: tools },
    encoding: 'utf8',
  });
  assert.match(answer.stderr, /Node 20 or later is needed/);
  assert.equal(answer.status, 1);
});
