import { type ConfigProblem, describeProblem } from '../../config/config.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { loadConfigOf } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const configCheckCommand: Command = {
  name: 'config check',
  summary: 'Check the configuration and list everything that is wrong',
  description: 'Ends with exit code 1 if something is. Values are not repeated, for they may be secrets.',
  options: {},
  output: '{"ok","problems":[{"source","name","text"}]}',
  examples: ['waybill config check', 'waybill config check --config /etc/waybill/waybill.toml'],
  run(call) {
    const loaded = loadConfigOf(call);
    if (!loaded.ok) return tellProblems(call, loaded.problems);
    call.terminal.out(call.json ? jsonLine({ ok: true, problems: [] }) : 'The configuration is sound.\n');
    return exitCodes.ok;
  },
};

export function tellProblems({ json, terminal }: Call, problems: readonly ConfigProblem[]): number {
  if (json) terminal.out(jsonLine({ ok: false, problems }));
  else for (const problem of problems) terminal.err(`waybill: ${describeProblem(problem)}\n`);
  return exitCodes.failed;
}
