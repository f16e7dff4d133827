/**
 * The product is one relay with one vocabulary: the names of the services whose APIs it speaks stand under
 * `src/dialects/`, in documents, tests and examples, and nowhere else.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const vendorNames = /mailgun|mailbaby|kaleyra|submail/i;

const placesForVendors = [
  /^src\/dialects\//,
  /^(docs|test|examples|bench|console)\//,
  /\.test\.ts$/,
  /^[^/]+\.md$/,
  /^package(-lock)?\.json$/,
  /^scripts\/check-vendor-names\.ts$/,
];

/** Lines such as `src/relay/a.ts:3: …`. */
export function vendorNameProblems(root: string, paths: readonly string[]): string[] {
  return paths
    .filter((path) => !placesForVendors.some((place) => place.test(path)))
    .flatMap((path) => [
      ...nameProblems(path),
      ...textProblems(path, readFileSync(join(root, path), 'utf8')),
    ]);
}

function nameProblems(path: string): string[] {
  return vendorNames.test(path) ? [`${path}:1: a vendor's name in the file's own name`] : [];
}

function textProblems(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const name = vendorNames.exec(line)?.[0];
    return name === undefined ? [] : [`${path}:${index + 1}: vendor name ${name} outside src/dialects`];
  });
}

/** Files that git tracks or would track. */
export function trackedFiles(root: string): string[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', words, { cwd: root, encoding: 'utf8' }).split('\0');
  return [...new Set(listed)]
    .filter((path) => path !== '' && statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .sort();
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const problems = vendorNameProblems(root, trackedFiles(root));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
