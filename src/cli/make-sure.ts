/** Asks before something that cannot be taken back. */
import { type Call, CommandProblem, usageProblem } from './command.ts';

/** `--yes`, or the answer of a person. */
export async function makeSure({ flag, terminal }: Call, what: string): Promise<void> {
  if (flag('yes')) return;
  if (!terminal.interactive) throw usageProblem(`this would ${what}; say --yes to do it`);
  if (!(await terminal.confirm(`This will ${what}. Go on?`))) throw new CommandProblem('nothing was changed');
}
