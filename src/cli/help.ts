/** Help at the terminal and the reference page, both from the table of commands. */
import { type Command, type CommandOption, commonOptions, exitCodes } from './command.ts';
import { wrapped } from './table.ts';

const width = 100;

export function renderOverview(commands: readonly Command[]): string {
  const list = columnsOf(commands.map(({ name, summary }) => [name, summary]));
  return `Waybill, a mail relay that can account for every message.

Usage: waybill COMMAND [OPTIONS]

Commands:
${list}
waybill COMMAND --help tells more about each. Every command takes --json and --config FILE.
waybill --version prints the version.
`;
}

export function renderGroup(group: string, commands: readonly Command[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `));
  return `Usage: waybill ${group} COMMAND [OPTIONS]\n\nCommands:\n${columnsOf(members.map(({ name, summary }) => [name, summary]))}`;
}

export function renderCommandHelp(command: Command): string {
  const { summary, description, operands, options, output, examples, epilogue } = command;
  const sections = [
    `Usage: ${usageOf(command)}\n`,
    wrapped(`${summary}.`, width),
    ...(description === undefined ? [] : [wrapped(plain(description), width)]),
    `Options:\n${columnsOf([
      ...(operands ? [[operands.text, plain(operands.meaning)] as const] : []),
      ...Object.entries({ ...options, ...commonOptions }).map(
        ([name, option]) => [optionText(name, option), meaningOf(option)] as const,
      ),
    ])}`,
    `JSON:\n${wrapped(output, width, '  ')}`,
    `${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((example) => `  ${example}\n`).join('')}`,
    ...(epilogue ? [epilogue()] : []),
  ];
  return sections.join('\n');
}

/** `waybill queue cancel [ID...] [--tenant NAME] … [--json] [--config FILE]` */
export function usageOf({ name, operands, options }: Command): string {
  const all = Object.entries({ ...options, json: commonOptions['json'] ?? { meaning: '' } });
  const words = all.map(([option, said]) => {
    const text = optionText(option, said);
    if (said.required) return said.repeatable ? `${text}...` : text;
    return said.repeatable ? `[${text}]...` : `[${text}]`;
  });
  return ['waybill', name, ...(operands ? [operands.text] : []), ...words].join(' ');
}

function optionText(name: string, { value }: CommandOption): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function meaningOf({ meaning, required, repeatable }: CommandOption): string {
  const marks = [...(required ? ['needed'] : []), ...(repeatable ? ['may be repeated'] : [])];
  return `${plain(meaning)}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
}

function plain(text: string): string {
  return text.replaceAll('`', '');
}

function columnsOf(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows
    .map(([name, text]) => `  ${name}`.padEnd(left) + wrapped(text, width, ' '.repeat(left)).trimStart())
    .join('');
}

/** The page `docs/command-line.md`. */
export function renderReferencePage(commands: readonly Command[]): string {
  const list = commands.map(
    ({ name, summary }) => `| [\`${name}\`](#waybill-${anchor(name)}) | ${summary} |`,
  );
  return `${introduction}
| Command | What it does |
|---|---|
${list.join('\n')}

${commands.map(renderEntry).join('\n')}`;
}

function anchor(name: string): string {
  return name.replaceAll(' ', '-');
}

const introduction = `# Command line

\`bin/waybill\` works from the checkout, from any folder. \`waybill --help\` lists the commands, \`waybill COMMAND --help\`
tells about one, \`waybill --version\` prints the version.

Every command takes \`--json\` (one JSON document on standard output, for programs), \`--config FILE\` (instead of
\`waybill.toml\` in the working directory) and \`--help\`. Options may stand in any order, as \`--name value\` or
\`--name=value\`. A command works on the installation whose data directory the configuration names; most of them work with
or without a running server, and what they change takes effect at once. Times are shown in UTC.

Exit codes: ${exitCodes.ok} it worked; ${exitCodes.failed} it did not, and standard error says why; ${exitCodes.usage} the command line itself is wrong
(unknown command or option, missing or malformed value), and nothing was tried.
`;

function renderEntry(command: Command): string {
  const { name, summary, description, operands, options, output, examples } = command;
  const rows = [
    ...(operands ? [`| \`${operands.text}\` | ${operands.meaning} |`] : []),
    ...Object.entries(options).map(
      ([option, said]) => `| \`${optionText(option, said)}\` | ${markedMeaning(said)} |`,
    ),
  ];
  const table = rows.length === 0 ? '' : `\n| Option | Meaning |\n|---|---|\n${rows.join('\n')}\n`;
  return `## \`waybill ${name}\`

${summary}.${description === undefined ? '' : ` ${description}`}

\`\`\`
${usageOf(command)}
\`\`\`
${table}
JSON: ${inCode(output)}

\`\`\`sh
${examples.join('\n')}
\`\`\`
`;
}

function markedMeaning({ meaning, required, repeatable }: CommandOption): string {
  const marks = [...(required ? ['needed'] : []), ...(repeatable ? ['may be repeated'] : [])];
  return `${meaning.replaceAll('|', '\\|')}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
}

/** The shapes stand in code, the words between them do not. */
function inCode(output: string): string {
  return output.replace(/\{.*?\}(?=$|[;,. ](?!"))/g, '`$&`');
}
