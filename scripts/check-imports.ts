/**
 * Checks every file under `src/` against the directions of `scripts/import-rules.ts`, and that time,
 * randomness and the environment are read in their own places only. Tests may import what they test.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';
import { directions, impureBuiltIns, libraries, roots, sideDoors, wordRules } from './import-rules.ts';
import { codeOnly, importsOf, lineAt } from './source-text.ts';

/** One line for people: `src/relay/x.ts:3: …`. */
export type Violation = string;

interface SourceFile {
  /** Relative to `src/`, with forward slashes. */
  path: string;
  module: string;
  source: string;
}

/** All violations of a checkout, in order of path and line. */
export function checkImports(root: string): Violation[] {
  const packages = productionPackages(root);
  return sourceFiles(root).flatMap((file) => [
    ...checkModule(file),
    ...checkImportLines(file, packages),
    ...checkWords(file),
  ]);
}

function sourceFiles(root: string): SourceFile[] {
  const folder = join(root, 'src');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !path.endsWith('.test.ts'))
    .sort()
    .map((path) => ({ path, module: moduleOf(path), source: readFileSync(join(folder, path), 'utf8') }));
}

function productionPackages(root: string): Set<string> {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return new Set(Object.keys(manifest.dependencies ?? {}));
}

/** `relay/submit.ts` → `relay`, `protocol/smtp/reply.ts` → `protocol/smtp`, `main.ts` → `main`. */
export function moduleOf(path: string): string {
  const folders = dirname(path).split('/');
  const [first, second] = folders;
  if (first === '.' || first === undefined) return 'main';
  if ((first === 'protocol' || first === 'dialects') && second !== undefined) return `${first}/${second}`;
  return first;
}

/** The row of the table that a module falls under. */
function rowOf(module: string): string {
  if (module.startsWith('protocol/')) return 'protocol';
  if (module.startsWith('dialects/')) return 'dialects/*';
  return module;
}

function checkModule(file: SourceFile): Violation[] {
  const known = rowOf(file.module) in directions || roots.includes(file.module);
  return known ? [] : [`src/${file.path}:1: module ${file.module} has no row in scripts/import-rules.ts`];
}

function checkImportLines(file: SourceFile, packages: ReadonlySet<string>): Violation[] {
  return importsOf(file.source).flatMap(({ specifier, line }) => {
    const problem = importProblem(file, specifier, packages);
    return problem === null ? [] : [`src/${file.path}:${line}: ${problem}`];
  });
}

function importProblem(file: SourceFile, specifier: string, packages: ReadonlySet<string>): string | null {
  if (specifier.startsWith('.')) return ownImportProblem(file, specifier);
  const builtIn = specifier.replace(/^node:/, '').split('/')[0] ?? '';
  if (specifier.startsWith('node:') || builtinModules.includes(builtIn)) {
    return builtInProblem(file, specifier, builtIn);
  }
  const name = packageName(specifier);
  return packages.has(name) ? null : `${name} is not among the dependencies of package.json`;
}

function builtInProblem(file: SourceFile, specifier: string, builtIn: string): string | null {
  if (!specifier.startsWith('node:')) return `write node:${specifier}`;
  const impure = rowOf(file.module) === 'protocol' && impureBuiltIns.includes(builtIn);
  if (impure) return `protocol is pure and may not import ${specifier}`;
  const timers = builtIn === 'timers' && file.module !== 'base';
  return timers ? `${specifier} may be imported in base only; take a Clock` : null;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function ownImportProblem(file: SourceFile, specifier: string): string | null {
  const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
  if (target.startsWith('../')) return leavesSource(target);
  const module = moduleOf(target);
  if (module === file.module) return null;
  if (!mayImport(file.module, module)) return `${file.module} may not import ${module}`;
  return isDoor(module, target) ? null : `${module} is entered through src/${doorOf(module)} only`;
}

/** The version in package.json is the one thing outside that the source may read. */
function leavesSource(target: string): string | null {
  return target === '../package.json' ? null : `${target.slice(3)} lies outside src`;
}

function mayImport(from: string, to: string): boolean {
  if (roots.includes(from)) return true;
  const allowed = directions[rowOf(from)] ?? [];
  return allowed.includes(to) || allowed.includes(rowOf(to));
}

function doorOf(module: string): string {
  return `${module}/${posix.basename(module)}.ts`;
}

function isDoor(module: string, target: string): boolean {
  if (module === 'main' || libraries.includes(rowOf(module))) return true;
  const sideDoor = sideDoors[module]?.some((name) => target === `${module}/${name}`);
  return sideDoor === true || target === doorOf(module);
}

function checkWords(file: SourceFile): Violation[] {
  const code = codeOnly(file.source);
  return wordRules
    .filter((rule) => !rule.allowedIn.includes(file.module))
    .flatMap((rule) =>
      [...code.matchAll(rule.pattern)].map(
        (match) =>
          `src/${file.path}:${lineAt(code, match.index)}: ${match[0].replace(/\s*\($/, '')} is not used outside ` +
          `src/${rule.allowedIn.join(', src/')}; ${rule.instead}`,
      ),
    );
}

if (import.meta.main) {
  const violations = checkImports(dirname(import.meta.dirname));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
