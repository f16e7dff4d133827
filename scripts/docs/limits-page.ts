/** `docs/reference/limits.md`, from `src/base/limits.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../src/base/limits.ts';
import { membersOf, table } from './source-comments.ts';

const introduction = `# Limits

Every buffer, list, loop and wait of Waybill has a bound, and every bound a name. Where an option of the configuration sets
another value, this is its default.
`;

export function renderLimitsPage(root: string): string {
  const source = readFileSync(join(root, 'src', 'base', 'limits.ts'), 'utf8');
  const members = new Map(
    membersOf(source, 'export const limits = {').map((member) => [member.name, member]),
  );
  const rows = Object.entries(limits).map(([name, value]) => {
    const member = members.get(name);
    if (member === undefined) throw new Error(`limits.ts: ${name} could not be read`);
    return [`\`${name}\``, valueText(name, value), member.comment];
  });
  return `${introduction}\n${table(['Name', 'Value', 'Meaning'], rows)}`;
}

/** The unit is the last word of the name. */
function valueText(name: string, value: number): string {
  if (name.endsWith('Ms')) return durationText(value);
  if (/Bytes(?:[A-Z]|$)/.test(name)) return sizeText(value);
  return value.toLocaleString('en-US');
}

function durationText(ms: number): string {
  const [count, unit] =
    ms % 3_600_000 === 0
      ? [ms / 3_600_000, 'h']
      : ms % 60_000 === 0
        ? [ms / 60_000, 'min']
        : [ms / 1000, 's'];
  return `${count} ${unit}`;
}

function sizeText(bytes: number): string {
  const [count, unit] =
    bytes % 1024 ** 2 === 0
      ? [bytes / 1024 ** 2, 'MiB']
      : bytes % 1024 === 0
        ? [bytes / 1024, 'KiB']
        : [bytes, 'bytes'];
  return `${count} ${unit}`;
}
