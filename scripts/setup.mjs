/**
 * Makes a checkout ready to run: dependencies as locked, and the pinned Node in `node_modules/.bin`.
 * Runs before `npm start`, `npm test` and `npm run check`, and from `bin/waybill`; when all is in place
 * it only looks, and says nothing.
 *
 * Plain JavaScript on purpose: this is the one file that any Node from 20 on must understand.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = 20;
const checkoutFolder = dirname(dirname(fileURLToPath(import.meta.url)));

class SetupProblem extends Error {}

/** @param {string} line */
function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} file @returns {number | null} */
function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/**
 * What npm wrote down after its last complete install must agree with the lock file. Times alone would
 * reinstall after every `git checkout`, which touches the lock file without changing it.
 *
 * @param {string} root
 * @returns {'ready' | 'missing' | 'outdated'}
 */
export function dependencyState(root) {
  const lockFile = join(root, 'package-lock.json');
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  const lockedAt = modifiedAt(lockFile);
  const installedAt = modifiedAt(installedFile);
  if (lockedAt === null) throw new SetupProblem(`${lockFile} is missing; the checkout is not complete`);
  if (installedAt === null) return 'missing';
  if (installedAt >= lockedAt) return 'ready';
  const same = sameVersions(readJson(lockFile)?.packages ?? {}, readJson(installedFile)?.packages ?? {});
  if (!same) return 'outdated';
  utimesSync(installedFile, lockedAt / 1000, lockedAt / 1000 + 1);
  return 'ready';
}

/** Packages of other platforms are locked, but rightly not installed. */
function sameVersions(locked, installed) {
  const wanted = Object.entries(locked).filter(([path]) => path !== '');
  const differs = wanted.some(([path, entry]) => {
    const found = installed[path];
    return found ? found.version !== entry.version : !entry.optional;
  });
  return !differs && Object.keys(installed).every((path) => path in locked);
}

/**
 * npm must run under the Node of the system: the pinned one lies in the folder that `npm ci` removes.
 *
 * @param {string} root
 */
function environmentForNpm(root) {
  const own = join(root, 'node_modules', '.bin');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== own);
  return { ...process.env, PATH: path.join(delimiter) };
}

/**
 * @param {string} root
 * @param {string[]} words
 * @returns {Promise<void>}
 */
function npm(root, words) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', words, {
      cwd: root,
      env: environmentForNpm(root),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const pass = (chunk) => {
      said = (said + chunk).slice(-20_000);
      process.stderr.write(chunk);
    };
    child.stdout.on('data', pass);
    child.stderr.on('data', pass);
    child.on('error', () => reject(new SetupProblem('npm was not found; it comes with Node')));
    child.on('close', (code) => (code === 0 ? resolve() : reject(npmProblem(words, code, said))));
  });
}

const networkWords = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i;

/** @param {string[]} words @param {number | null} code @param {string} said */
function npmProblem(words, code, said) {
  const command = `npm ${words[0]}`;
  if (networkWords.test(said)) {
    return new SetupProblem(
      `\`${command}\` could not reach the package registry. Check the network, the proxy ` +
        '(HTTPS_PROXY) and `npm config get registry`, then run the same command again.',
    );
  }
  return new SetupProblem(`\`${command}\` failed with exit code ${code}; its own words stand above.`);
}

/** @param {string} root @returns {string | null} for example `26.10.0` */
export function pinnedNodeVersion(root) {
  const answer = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['--version'], { encoding: 'utf8' });
  return answer.status === 0 ? answer.stdout.trim().replace(/^v/, '') : null;
}

/** The names that the npm package `node` itself chooses from. */
function platformPackage() {
  const appleSilicon = process.platform === 'darwin' && process.arch === 'arm64';
  return `${appleSilicon ? 'node-bin' : 'node'}-${process.platform}-${process.arch}`;
}

/**
 * The npm package `node` fetches its binary in an install script, which npm withholds where scripts are
 * turned off. Then the platform's package, which needs no script, is fetched here.
 *
 * @param {string} root
 * @param {string} version
 */
async function fetchPinnedNode(root, version) {
  const name = platformPackage();
  say(`Node ${version} is not there yet (install scripts are off?); fetching ${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'waybill-setup-'));
  try {
    await npm(root, [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      `${name}@${version}`,
    ]);
    const binary = join(folder, 'node_modules', name, 'bin', 'node');
    if (modifiedAt(binary) === null) throw new SetupProblem(`the package ${name} brought no Node`);
    placeNode(root, binary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Renaming the finished copy into place leaves no half-written binary behind, whenever it stops. */
function placeNode(root, binary) {
  const target = join(root, 'node_modules', 'node', 'bin', 'node');
  const link = join(root, 'node_modules', '.bin', 'node');
  mkdirSync(dirname(target), { recursive: true });
  mkdirSync(dirname(link), { recursive: true });
  copyFileSync(binary, `${target}.new`);
  chmodSync(`${target}.new`, 0o755);
  renameSync(`${target}.new`, target);
  rmSync(link, { force: true });
  symlinkSync('../node/bin/node', link);
}

/** @param {string} root */
async function ensureDependencies(root) {
  const state = dependencyState(root);
  if (state === 'ready') return;
  say(`dependencies are ${state}; running npm ci (a minute or two, once)`);
  await npm(root, ['ci', '--no-audit', '--no-fund']);
}

/** @param {string} root */
async function ensurePinnedNode(root) {
  const wanted = readJson(join(root, 'package.json'))?.devDependencies?.node;
  if (typeof wanted !== 'string') throw new SetupProblem('package.json names no version of Node');
  if (pinnedNodeVersion(root) === wanted) return;
  await fetchPinnedNode(root, wanted);
  const found = pinnedNodeVersion(root);
  if (found === wanted) return say(`Node ${wanted} is in place`);
  throw new SetupProblem(
    `node_modules/.bin/node should be Node ${wanted} but ${found === null ? 'does not run' : `is ${found}`}. ` +
      'Remove node_modules and run the same command again.',
  );
}

/** @param {string} root */
export async function setup(root) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) {
    throw new SetupProblem(
      `Node ${oldestNode} or later is needed to install the rest, and this is ${process.versions.node}. ` +
        'Waybill then brings its own Node along.',
    );
  }
  await ensureDependencies(root);
  await ensurePinnedNode(root);
}

const startedFile = process.argv[1];
if (startedFile && realpathSync(startedFile) === fileURLToPath(import.meta.url)) {
  setup(checkoutFolder).catch((fault) => {
    if (!(fault instanceof SetupProblem)) throw fault;
    say(fault.message);
    process.exitCode = 1;
  });
}
