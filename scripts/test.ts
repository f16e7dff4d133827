/**
 * `npm test`: every test of the project, one summary at the end.
 *
 *   npm test                      all
 *   npm test -- dialects queue    files whose path contains one of the words
 *   npm test -- --name="bare LF"  tests whose name matches
 */
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { findPeer, inCi, type PeerName, peerNames, peers } from '../test/support/environment.ts';

const root = dirname(import.meta.dirname);

/** In the order they run: what fails fast comes first. */
const groups: readonly { name: string; pattern: string }[] = [
  { name: 'unit', pattern: 'src/**/*.test.ts' },
  { name: 'scripts', pattern: 'scripts/**/*.test.ts' },
  { name: 'system', pattern: 'test/**/*.test.ts' },
];

/** The whole suite. Single files have their own bound, see `test-guard.ts`. */
const suiteMs = 40 * 60_000;

const guard = new URL('./test-guard.ts', import.meta.url).href;

interface TestFile {
  group: string;
  path: string;
}

interface Counts {
  tests: number;
  suites: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

function testFiles(words: readonly string[]): TestFile[] {
  const all = groups.flatMap(({ name, pattern }) =>
    globSync(pattern, { cwd: root })
      .sort()
      .map((path) => ({ group: name, path })),
  );
  return words.length === 0 ? all : all.filter(({ path }) => words.some((word) => path.includes(word)));
}

function describeGroups(files: readonly TestFile[]): string {
  return groups.map(({ name }) => `${name} ${files.filter((file) => file.group === name).length}`).join(', ');
}

/** Peers that a test file asks for by `skipWithout('…')`. */
function peersOf(path: string): PeerName[] {
  const calls = [...readFileSync(join(root, path), 'utf8').matchAll(/skipWithout\(([^)]*)\)/g)];
  const words = calls.flatMap((call) => call[1]?.match(/[\w-]+/g) ?? []);
  return peerNames.filter((name) => words.includes(name));
}

/** Says which tests will be left out; false if that is not acceptable. */
function checkPeers(files: readonly TestFile[]): boolean {
  const missing = new Set(peerNames.filter((name) => findPeer(name) === null));
  const affected = files
    .map(({ path }) => ({ path, lacking: peersOf(path).filter((name) => missing.has(name)) }))
    .filter(({ lacking }) => lacking.length > 0);
  for (const { path, lacking } of affected) {
    console.log(`${inCi() ? 'missing' : 'left out'}: ${path} needs ${lacking.map(describePeer).join(', ')}`);
  }
  if (affected.length > 0 && inCi()) console.log('CI=true: a missing peer is a failure');
  return affected.length === 0 || !inCi();
}

function describePeer(name: PeerName): string {
  return `${name} (apt-get install ${peers[name].debianPackage})`;
}

/** A developer's own settings must not decide what the tests see. */
function forgetOwnSettings(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('WAYBILL_')) delete process.env[name];
}

/** Or each of some hundred processes would strip and compile the same sources anew, half of its start. */
function keepCompiledCode(): void {
  process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules', '.cache', 'compiled');
}

async function runFiles(files: readonly TestFile[], namePattern: string | undefined): Promise<Counts> {
  const stream = run({
    files: files.map(({ path }) => join(root, path)),
    cwd: root,
    concurrency: Math.max(2, availableParallelism()),
    execArgv: ['--import', guard],
    signal: AbortSignal.timeout(suiteMs),
    ...(namePattern === undefined ? {} : { testNamePatterns: [new RegExp(namePattern)] }),
  });
  const total: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  stream.on('test:summary', ({ file, counts }) => {
    if (file === undefined) Object.assign(total, counts);
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout);
  await finished(report);
  return total;
}

/** The reporter lists failures after its own summary; whoever reads the end of a log wants both. */
function repeatSummary({ tests, suites, passed, failed, cancelled, skipped, todo }: Counts): void {
  const lines = { tests, suites, pass: passed, fail: failed, cancelled, skipped, todo };
  process.stdout.write(
    `\n${Object.entries(lines)
      .map(([name, count]) => `ℹ ${name} ${count}\n`)
      .join('')}`,
  );
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { name: { type: 'string' } },
    allowPositionals: true,
  });
  const files = testFiles(positionals);
  if (files.length === 0) {
    console.error(`no test file matches ${positionals.join(' ')}`);
    return 1;
  }
  console.log(`${files.length} test files (${describeGroups(files)}), Node ${process.versions.node}`);
  if (!checkPeers(files)) return 1;
  forgetOwnSettings();
  keepCompiledCode();
  const counts = await runFiles(files, values.name);
  const sound = counts.failed === 0 && counts.cancelled === 0 && counts.tests > 0;
  if (!sound) repeatSummary(counts);
  return sound ? 0 : 1;
}

process.exitCode = await main();
