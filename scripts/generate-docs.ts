/**
 * `npm run docs` writes the reference pages that follow from the code; `--check` only compares, and fails if
 * one is out of date. The pages are part of the repository, so that they can be read without running anything.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commands } from '../src/cli/commands.ts';
import { renderReferencePage } from '../src/cli/help.ts';
import { renderReference } from '../src/config/config.ts';
import { dialects } from '../src/dialects/dialects.ts';
import { renderEventsPage } from './docs/events-page.ts';
import { renderLimitsPage } from './docs/limits-page.ts';

const root = dirname(import.meta.dirname);

const notice = '<!-- Written by `npm run docs`; changes made here are lost. -->\n\n';

function pages(): Map<string, string> {
  return new Map([
    ['docs/command-line.md', renderReferencePage(commands)],
    ['docs/reference/configuration.md', renderReference(dialects.flatMap(({ options }) => options))],
    ['docs/reference/events.md', renderEventsPage(root)],
    ['docs/reference/limits.md', renderLimitsPage(root)],
  ]);
}

function currentText(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null;
  }
}

function outdatedPages(): [path: string, text: string][] {
  return [...pages()]
    .map(([path, text]): [string, string] => [path, notice + text])
    .filter(([path, text]) => currentText(path) !== text);
}

function writePage(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}

const outdated = outdatedPages();
if (process.argv.includes('--check')) {
  for (const [path] of outdated) console.error(`${path} is out of date; run npm run docs`);
  process.exitCode = outdated.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of outdated) writePage(path, text);
}
