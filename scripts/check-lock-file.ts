/**
 * The lock file must install the same packages from any registry or mirror (no `resolved` addresses, a
 * checksum for each), say what package.json says, and bring nothing under a licence we cannot pass on.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  inBundle?: boolean;
  dev?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
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
];

/** Looked at by hand: their manifests name no licence, or one in words of their own. */
const licencesByHand: Readonly<Record<string, string>> = {};

export function lockFileProblems(lock: LockFile, manifest: Manifest): string[] {
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  return [
    ...entries.flatMap(([path, entry]) => entryProblems(path, entry)),
    ...manifestProblems(lock.packages[''] ?? {}, manifest),
  ];
}

function entryProblems(path: string, entry: LockedPackage): string[] {
  const problems = [];
  if (entry.resolved !== undefined)
    problems.push(`${path} carries a registry address; run npm install again`);
  if (entry.integrity === undefined && !entry.link && !entry.inBundle)
    problems.push(`${path} has no checksum`);
  if (!licenceAllowed(path, entry.license))
    problems.push(`${path} has the licence ${entry.license ?? '(none)'}`);
  return problems;
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
  const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
  const manifest: Manifest = read('package.json');
  const problems = [...lockFileProblems(read('package-lock.json'), manifest), ...rangeProblems(manifest)];
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
