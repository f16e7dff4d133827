/** Reads `waybill.toml` into dotted keys. What cannot be read is a problem to report, not a fault. */
import { readFileSync, statSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { limits } from '../base/limits.ts';
import type { RawValue } from '../base/option.ts';
import type { ConfigProblem } from './problem.ts';

export const standardFile = 'waybill.toml';

export interface FileEntries {
  entries: Map<string, RawValue>;
  problems: ConfigProblem[];
}

/** Tables within tables: no option lies deeper. */
const maxDepth = 8;

/** Without a path, `waybill.toml` of the working directory is read if there is one. */
export function readConfigFile(path: string | null): FileEntries {
  const file = path ?? standardFile;
  const found: FileEntries = { entries: new Map(), problems: [] };
  const tree = readTree(file, found, path !== null);
  if (tree !== null) flatten(tree, [], found);
  return found;
}

/** Null if it cannot be read, with a problem reported; or if it is not there and not `required`. */
export function readTree(file: string, found: FileEntries, required = true): object | null {
  const text = readText(file, required, found);
  return text === null ? null : parseToml(file, text, found);
}

function report(found: FileEntries, name: string, text: string): null {
  found.problems.push({ source: 'file', name, text });
  return null;
}

function readText(file: string, required: boolean, found: FileEntries): string | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return required ? report(found, file, 'there is no such file') : null;
  if (!stat.isFile()) return report(found, file, 'is not a file');
  if (stat.size > limits.configFileBytes)
    return report(found, file, `is larger than ${limits.configFileBytes} bytes`);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return report(
      found,
      file,
      `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown cause'})`,
    );
  }
}

/** The message of the parser ends in a picture of the line, which may hold a secret. */
function parseToml(file: string, text: string, found: FileEntries): object | null {
  try {
    return parse(text, { maxDepth, unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const cause = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    return report(found, file, `line ${error.line}, column ${error.column}: ${cause}`);
  }
}

function flatten(branch: object, above: readonly string[], found: FileEntries): void {
  for (const [name, node] of Object.entries(branch)) {
    const names = [...above, name];
    const key = names.join('.');
    if (isRawValue(node)) found.entries.set(key, node);
    else if (isTable(node)) flatten(node, names, found);
    else report(found, key, 'expected text, a number, true, false or a list of these');
  }
}

function isRawValue(node: unknown): node is RawValue {
  if (Array.isArray(node)) return node.every(isRawValue);
  return typeof node === 'string' || typeof node === 'number' || typeof node === 'boolean';
}

export function isTable(node: unknown): node is object {
  return typeof node === 'object' && node !== null && !Array.isArray(node) && !(node instanceof Date);
}
