/**
 * The lock file must be complete (also for the systems we do not develop on), install the same packages from any registry or mirror (no `resolved` addresses, a
 * checksum for each), say what package.json says, and bring nothing under a licence we cannot pass on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  inBundle?: boolean;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

export interface LockFile {
  packages: Record<string, LockedPackage>;
}

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const licences = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
];

/** Looked at by hand: their manifests name no licence, or one in words of their own. */
const licencesByHand: Readonly<Record<string, string>> = {};

export function lockFileProblems(lock: LockFile, manifest: Manifest): string[] {
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  return [
    ...entries.flatMap(([path, entry]) => entryProblems(path, entry)),
    ...missingPlatforms(lock).map(
      ({ path }) => `${path} is missing; run node scripts/check-lock-file.ts --fix`,
    ),
    ...manifestProblems(lock.packages[''] ?? {}, manifest),
  ];
}

interface Missing {
  path: string;
  entry: LockedPackage;
}

/**
 * Builds of a package for single systems, which npm leaves out of the lock file when the registry in use
 * cannot serve them. `npm ci` then refuses to install anything, on every system.
 */
function missingPlatforms({ packages }: LockFile): Missing[] {
  return Object.entries(packages).flatMap(([path, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !(`${path}/node_modules/${name}` in packages || `node_modules/${name}` in packages))
      .map(([name, version]) => ({
        path: `node_modules/${name}`,
        entry: platformEntry(name, version, parent),
      })),
  );
}

/** `@scope/part-linux-x64-musl` says where it runs; npm looks at these lists before it fetches. */
function platformEntry(name: string, version: string, parent: LockedPackage): LockedPackage {
  const words = name.split('/').at(-1)?.split('-') ?? [];
  const pick = (known: readonly string[]) => words.filter((word) => known.includes(word));
  const [os, cpu] = [
    pick(['aix', 'android', 'darwin', 'freebsd', 'linux', 'win32']),
    pick(['arm64', 'ia32', 'x64']),
  ];
  const libc = pick(['gnu', 'musl']).map((word) => (word === 'gnu' ? 'glibc' : word));
  return {
    version,
    cpu,
    ...(parent.dev ? { dev: true } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    ...(parent.license === undefined ? {} : { license: parent.license }),
    optional: true,
    os,
  };
}

/** The lock file with all of them, in npm's own order. */
export function completed(lock: LockFile): LockFile {
  const more = missingPlatforms(lock).map(({ path, entry }): [string, LockedPackage] => [path, entry]);
  const entries = [...Object.entries(lock.packages), ...more];
  entries.sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(entries) };
}

function entryProblems(path: string, entry: LockedPackage): string[] {
  const problems = [];
  if (entry.resolved !== undefined)
    problems.push(`${path} carries a registry address; run npm install again`);
  if (entry.integrity === undefined && !mayLackChecksum(entry)) problems.push(`${path} has no checksum`);
  if (!licenceAllowed(path, entry.license))
    problems.push(`${path} has the licence ${entry.license ?? '(none)'}`);
  return problems;
}

/** A platform's build that the registry in use could not serve has none; npm adds it once it can. */
function mayLackChecksum({ link, inBundle, optional, os }: LockedPackage): boolean {
  return link === true || inBundle === true || (optional === true && os !== undefined);
}

/** `(MIT OR GPL-2.0)` is fine if one of the choices is; `MIT AND ISC` if all parts are. */
function licenceAllowed(path: string, licence: string | undefined): boolean {
  const name = path.split('node_modules/').at(-1) ?? path;
  const expression = (licencesByHand[name] ?? licence ?? '').replace(/[()]/g, '');
  return expression
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => licences.includes(part.trim())));
}

function manifestProblems(locked: LockedPackage, manifest: Manifest): string[] {
  const kinds = ['dependencies', 'devDependencies'] as const;
  return kinds.flatMap((kind) => {
    const names = new Set([...Object.keys(manifest[kind] ?? {}), ...Object.keys(locked[kind] ?? {})]);
    return [...names]
      .filter((name) => manifest[kind]?.[name] !== locked[kind]?.[name])
      .map((name) => `${name}: package.json and package-lock.json differ; run npm install`);
  });
}

/** Exact versions: a range would let two installs of one commit differ once the lock file is made anew. */
export function rangeProblems(manifest: Manifest): string[] {
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name}: ${version} is no exact version`);
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const lockPath = join(root, 'package-lock.json');
  const lock: LockFile = JSON.parse(readFileSync(lockPath, 'utf8'));
  const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = process.argv.includes('--fix') ? completed(lock) : lock;
  if (wanted !== lock) writeFileSync(lockPath, `${JSON.stringify(wanted, null, 2)}\n`);
  const problems = [...lockFileProblems(wanted, manifest), ...rangeProblems(manifest)];
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
