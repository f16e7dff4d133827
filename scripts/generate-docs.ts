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
import { renderLedgerTables } from './docs/ledger-tables.ts';
import { renderLimitsPage } from './docs/limits-page.ts';
import { readMeasured, renderSizing } from './docs/sizing-table.ts';

const root = dirname(import.meta.dirname);

const notice = '<!-- Written by `npm run docs`; changes made here are lost. -->\n\n';

function pages(): Map<string, string> {
  return new Map([
    ['docs/command-line.md', renderReferencePage(commands)],
    ['docs/reference/configuration.md', renderReference(dialects.flatMap(({ options }) => options))],
    ['docs/reference/events.md', renderEventsPage(root)],
    ['docs/reference/ledger-tables.md', renderLedgerTables()],
    ['docs/reference/limits.md', renderLimitsPage(root)],
  ]);
}

/** Pages written by hand with a part that follows from the code, between two comments. */
function parts(): Map<string, string> {
  return new Map([['docs/operations.md', renderSizing(readMeasured(root))]]);
}

const partBegins = '<!-- From here to the next comment: written by `npm run docs`. -->\n';
const partEnds = '<!-- Here ends what is written. -->\n';

function withPart(path: string, text: string): string {
  const page = currentText(path) ?? '';
  const [begin, end] = [page.indexOf(partBegins), page.indexOf(partEnds)];
  if (begin < 0 || end < begin) throw new Error(`${path} has no place for what is written into it`);
  return `${page.slice(0, begin)}${partBegins}${text}\n${page.slice(end)}`;
}

function currentText(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null;
  }
}

function outdatedPages(): [path: string, text: string][] {
  const whole = [...pages()].map(([path, text]): [string, string] => [path, notice + text]);
  const partly = [...parts()].map(([path, text]): [string, string] => [path, withPart(path, text)]);
  return [...whole, ...partly].filter(([path, text]) => currentText(path) !== text);
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
