/**
 * The command line: finds the command, runs it, and turns what it could not do into a text and an exit code.
 *
 * This is the module's door. One command is one file in `commands/`; `commands.ts` lists them. Not here: what a
 * command does to mail (relay), to tenants (tenants), to events (ledger, by way of the operator's API).
 */

import { version } from '../version.ts';
import { CommandProblem, exitCodes } from './command.ts';
import { commands } from './commands.ts';
import { renderCommandHelp, renderGroup, renderOverview } from './help.ts';
import { type Parsed, parseCommandLine } from './parse.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Resolves with the exit code. Never rejects. */
export async function runCommandLine(
  words: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  try {
    return await act(parseCommandLine(words, commands, terminal), terminal);
  } catch (error) {
    return tell(error, terminal);
  }
}

function act(parsed: Parsed, terminal: Terminal): Promise<number> | number {
  switch (parsed.kind) {
    case 'call':
      return parsed.call.command.run(parsed.call);
    case 'version':
      terminal.out(`${version}\n`);
      return exitCodes.ok;
    case 'help':
      terminal.out(helpAbout(parsed.about));
      return exitCodes.ok;
    case 'nothing':
      terminal.err(renderOverview(commands));
      return exitCodes.usage;
  }
}

function helpAbout(about: Extract<Parsed, { kind: 'help' }>['about']): string {
  if (about === null) return renderOverview(commands);
  return typeof about === 'string' ? renderGroup(about, commands) : renderCommandHelp(about);
}

/** What the machine says (no such file, no permission, a locked store) is told in a line; a fault of ours with its stack. */
function tell(error: unknown, terminal: Terminal): number {
  if (error instanceof CommandProblem) {
    terminal.err(`waybill: ${error.message}\n`);
    return error.exitCode;
  }
  const system = error instanceof Error && 'code' in error;
  terminal.err(
    `waybill: ${error instanceof Error ? (system ? error.message : error.stack) : String(error)}\n`,
  );
  return exitCodes.failed;
}
