/** From the words of a command line to a call of a command. Whatever is unknown is refused, with the nearest known. */
import { parseArgs } from 'node:util';
import { limits } from '../base/limits.ts';
import { nearest } from '../config/config.ts';
import { type Call, type Command, type CommandOption, commonOptions, usageProblem } from './command.ts';
import type { Terminal } from './terminal.ts';

export type Parsed =
  | { kind: 'call'; call: Call }
  /** Help about one command, a group of them, or all. */
  | { kind: 'help'; about: Command | string | null }
  | { kind: 'version' }
  /** Nothing was asked for. */
  | { kind: 'nothing' };

/** Throws a `CommandProblem` for a command line that cannot be understood. */
export function parseCommandLine(
  words: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Parsed {
  const { before, rest } = splitLeadingOptions(words);
  if (before.includes('--version')) return { kind: 'version' };
  const [first] = rest;
  if (first === 'help') return { kind: 'help', about: subject(rest.slice(1), commands) };
  if (first === undefined)
    return before.includes('--help') ? { kind: 'help', about: null } : { kind: 'nothing' };
  const behind = rest.slice(1);
  const { before: between, rest: others } = splitLeadingOptions(behind);
  const tripled = commands.find(({ name }) => name === `${first} ${others[0]} ${others[1]}`);
  if (tripled !== undefined) return parseCall(tripled, [...before, ...between, ...others.slice(2)], terminal);
  const paired = commands.find(({ name }) => name === `${first} ${others[0]}`);
  if (paired !== undefined) return parseCall(paired, [...before, ...between, ...others.slice(1)], terminal);
  const single = commands.find(({ name }) => name === first);
  if (single !== undefined) return parseCall(single, [...before, ...behind], terminal);
  return groupHelp(first, [...before, ...behind], commands);
}

/** Common options may also stand before the command. */
function splitLeadingOptions(words: readonly string[]): { before: string[]; rest: readonly string[] } {
  const before: string[] = [];
  let at = 0;
  for (let word = words[at]; word?.startsWith('-') && word !== '--'; word = words[at]) {
    before.push(longForm(word));
    at += 1;
    const value = words[at];
    if (word === '--config' && value !== undefined) {
      before.push(value);
      at += 1;
    }
  }
  return { before, rest: words.slice(at) };
}

const shortForms: Readonly<Record<string, string>> = { '-h': '--help', '-v': '--version', '-V': '--version' };

function longForm(word: string): string {
  return shortForms[word] ?? word;
}

function subject(words: readonly string[], commands: readonly Command[]): Command | string | null {
  const asked = words.filter((word) => !word.startsWith('-')).join(' ');
  if (asked === '') return null;
  const found = commands.find(({ name }) => name === asked) ?? groupNamed(asked, commands);
  if (found === null) throw unknownCommand(asked, commands);
  return found;
}

function groupNamed(word: string, commands: readonly Command[]): string | null {
  return commands.some(({ name }) => name.startsWith(`${word} `)) ? word : null;
}

/** `waybill tenant` alone, or with a second word that is none. */
function groupHelp(first: string, others: readonly string[], commands: readonly Command[]): Parsed {
  const group = groupNamed(first, commands);
  const second = others.find((word) => !word.startsWith('-'));
  if (group === null) throw unknownCommand(first, commands, second);
  if (second !== undefined) throw unknownCommand(`${group} ${second}`, commands);
  if (others.map(longForm).includes('--help')) return { kind: 'help', about: group };
  const members = commands.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name);
  throw usageProblem(`"${group}" needs a second word: ${members.join(', ')}`);
}

/** `next` may belong to the name, or be the first operand. */
function unknownCommand(asked: string, commands: readonly Command[], next?: string): Error {
  const names = commands.map(({ name }) => name);
  const groups = new Set(names.flatMap((name) => (name.includes(' ') ? [name.split(' ')[0] ?? name] : [])));
  const near =
    (next === undefined ? null : nearest(`${asked} ${next}`, names)) ?? nearest(asked, [...names, ...groups]);
  const hint = near === null ? 'waybill --help lists them' : `did you mean "${near}"?`;
  return usageProblem(`there is no command "${shown(asked)}"; ${hint}`);
}

function shown(text: string): string {
  return text.length > limits.echoedChars ? `${text.slice(0, limits.echoedChars)}…` : text;
}

type Options = Readonly<Record<string, CommandOption>>;

function parseCall(command: Command, words: readonly string[], terminal: Terminal): Parsed {
  const options: Options = { ...command.options, ...commonOptions };
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [
        name,
        { type: value ? 'string' : 'boolean' } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const asksHelp = tokens.some((token) => token.kind === 'option' && ['help', 'h'].includes(token.name));
  if (asksHelp) return { kind: 'help', about: command };
  const operands = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const values = new Map<string, string[]>();
  for (const token of tokens) if (token.kind === 'option') take(token, options, values);
  checkOperands(command, operands);
  checkRequired(command, values);
  return { kind: 'call', call: callOf(command, { operands, values, terminal }) };
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function take(
  { name, rawName, value, inlineValue }: OptionToken,
  options: Options,
  values: Map<string, string[]>,
) {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) throw unknownOption(rawName, options);
  const given = values.get(name) ?? [];
  if (given.length > 0 && !option.repeatable && option.value) throw usageProblem(`${rawName} is given twice`);
  if (!option.value) {
    if (value !== undefined) throw usageProblem(`${rawName} takes no value`);
    values.set(name, ['']);
    return;
  }
  // `--to --from x` is more likely a forgotten value than an address that begins with dashes.
  if (value === undefined || (!inlineValue && value.startsWith('--'))) {
    throw usageProblem(`${rawName} needs a value: ${rawName} ${option.value}`);
  }
  values.set(name, [...given, value]);
}

function unknownOption(rawName: string, options: Options): Error {
  const near = nearest(rawName.replace(/^-+/, ''), Object.keys(options));
  const hint = near === null ? '' : `; did you mean --${near}?`;
  return usageProblem(`there is no option ${shown(rawName)}${hint}`);
}

function checkOperands({ name, operands }: Command, given: readonly string[]): void {
  const { text, min, max } = operands ?? { text: '', min: 0, max: 0 };
  if (given.length > max) {
    const limit = max <= 1 ? '' : ` (at most ${max} of them)`;
    throw usageProblem(`waybill ${name} does not take "${shown(given[max] ?? '')}"${limit}`);
  }
  if (given.length < min) throw usageProblem(`waybill ${name} needs ${text}`);
}

function checkRequired({ name, options }: Command, values: ReadonlyMap<string, string[]>): void {
  const missing = Object.entries(options)
    .filter(([option, { required }]) => required && !values.has(option))
    .map(([option, { value }]) => `--${option} ${value ?? ''}`.trim());
  if (missing.length > 0) throw usageProblem(`waybill ${name} needs ${missing.join(' and ')}`);
}

function callOf(
  command: Command,
  given: { operands: string[]; values: ReadonlyMap<string, string[]>; terminal: Terminal },
): Call {
  const { operands, values, terminal } = given;
  return {
    command,
    operands,
    terminal,
    json: values.has('json'),
    configFile: values.get('config')?.[0] ?? null,
    text: (option) => values.get(option)?.[0],
    texts: (option) => values.get(option) ?? [],
    flag: (option) => values.has(option),
  };
}
