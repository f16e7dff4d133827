/** Shows the options to people: the reference page, a sample file, and help at the terminal. */
import { environmentName, type Option } from '../base/option.ts';
import { fileVariable } from './load.ts';
import { coreOptions } from './schema.ts';

type Options = readonly Option<unknown>[];

/** Help at the terminal: every option of the installation and of its dialects. */
export function renderHelp(dialectOptions: Options): string {
  return [...coreOptions, ...dialectOptions].map(helpOf).join('\n');
}

function helpOf(option: Option<unknown>): string {
  return [
    `${option.key}  (${environmentName(option.key)})`,
    `    ${option.meaning.replaceAll('`', '')}`,
    `    default: ${defaultText(option) || '(empty)'}   for example: ${option.example}`,
    '',
  ].join('\n');
}

/** The page `docs/reference/configuration.md`. */
export function renderReference(dialectOptions: Options): string {
  const sections = [...groupByTable([...coreOptions, ...dialectOptions])].map(([table, options]) =>
    [`## ${table === '' ? 'General' : `\`[${table}]\``}`, '', ...options.map(entryOf)].join('\n'),
  );
  return `${introduction}\n${sections.join('\n')}\n## A file with every option\n\n\`\`\`toml\n${renderSampleFile(dialectOptions)}\`\`\`\n`;
}

const introduction = `# Configuration

Waybill starts without any configuration. What should differ from the defaults is said in a file, \`waybill.toml\` in
the working directory (or where \`--config\` or the variable \`${fileVariable}\` says), or in environment variables.
A variable wins over the file, the file over the default; an empty variable counts as absent. An unknown name or a bad value stops the
start, and all of them are reported at once.

Lists are written \`a, b\` in the environment and \`["a", "b"]\` or \`"a, b"\` in the file. Durations have units (\`30s\`, \`5m\`,
\`1h30m\`, \`2d\`), sizes too (\`512KiB\`, \`50MiB\`, \`1GiB\`). Relative paths start at the working directory.
`;

function entryOf(option: Option<unknown>): string {
  return [
    `### \`${option.key}\``,
    '',
    option.meaning,
    '',
    `* Environment: \`${environmentName(option.key)}\``,
    `* Default: ${defaultText(option) === '' ? 'empty' : `\`${defaultText(option)}\``}`,
    `* Example: \`${option.example}\``,
    '',
  ].join('\n');
}

/** Options by the table they stand under in the file; those without one come first. */
function groupByTable(options: Options): Map<string, Option<unknown>[]> {
  const groups = new Map<string, Option<unknown>[]>([['', []]]);
  for (const option of options) {
    const table = tableOf(option.key);
    groups.set(table, [...(groups.get(table) ?? []), option]);
  }
  return groups;
}

function tableOf(key: string): string {
  return key.split('.').slice(0, -1).join('.');
}

function defaultText(option: Option<unknown>): string {
  return option.print(option.default);
}

/** A `waybill.toml` in which every option stands as a comment with its default. */
export function renderSampleFile(dialectOptions: Options): string {
  return [...groupByTable([...coreOptions, ...dialectOptions])]
    .map(([table, options]) => `${table === '' ? '' : `[${table}]\n`}${options.map(sampleLine).join('')}`)
    .join('\n');
}

function sampleLine(option: Option<unknown>): string {
  const name = option.key.split('.').at(-1) ?? option.key;
  return `# ${option.meaning}\n# ${name} = ${JSON.stringify(defaultText(option))}\n`;
}
