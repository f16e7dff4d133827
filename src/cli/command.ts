/** What a command is. The table of them (`commands.ts`) makes parsing, help and the reference page. */
import type { Terminal } from './terminal.ts';

export interface CommandOption {
  /** Word that stands for its value in help; absent: a switch without one. */
  value?: string;
  meaning: string;
  /** May be given several times. */
  repeatable?: boolean;
  required?: boolean;
}

export interface Command {
  /** One to three words: `queue list`. */
  name: string;
  summary: string;
  /** Further sentences for help and reference; lines are wrapped there. */
  description?: string;
  /** What stands behind the name without dashes. */
  operands?: { text: string; meaning: string; min: number; max: number };
  options: Readonly<Record<string, CommandOption>>;
  /** Shape of what `--json` prints; `…` stands for the facts of docs/reference/events.md. */
  output: string;
  examples: readonly string[];
  /** Text for the end of its help that follows from elsewhere. */
  epilogue?: () => string;
  /** Returns the exit code. A `CommandProblem` is told to the user. */
  run(call: Call): Promise<number> | number;
}

export const exitCodes = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command line itself is wrong; nothing was tried. */
  usage: 2,
} as const;

/** Ends a command with a text for its user. */
export class CommandProblem extends Error {
  override name = 'CommandProblem';
  readonly exitCode: number;

  constructor(text: string, exitCode: number = exitCodes.failed) {
    super(text);
    this.exitCode = exitCode;
  }
}

export function usageProblem(text: string): CommandProblem {
  return new CommandProblem(text, exitCodes.usage);
}

/** One use of a command, its words checked against the table. */
export interface Call {
  command: Command;
  operands: readonly string[];
  terminal: Terminal;
  /** `--json`: one JSON document on standard output and nothing else. */
  json: boolean;
  /** `--config`. */
  configFile: string | null;
  /** Value of an option; undefined if it was not given. */
  text(option: string): string | undefined;
  /** All values of a repeatable option. */
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}

/** Options that every command takes. */
export const commonOptions: Readonly<Record<string, CommandOption>> = {
  config: { value: 'FILE', meaning: 'Configuration file, instead of `waybill.toml` here.' },
  json: { meaning: 'Print JSON for programs instead of text for people.' },
  help: { meaning: 'Show how the command is used.' },
};
