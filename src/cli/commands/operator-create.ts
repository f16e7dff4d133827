import { type Command, CommandProblem, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const operatorCreateCommand: Command = {
  name: 'operator create',
  summary: 'Make an operator, a person who runs this installation',
  description: 'The password is shown once: only its hash is kept.',
  operands: { text: 'NAME', meaning: 'Lower-case letters, digits and . _ @ -', min: 1, max: 1 },
  options: {},
  output: '{"username","password"}',
  examples: ['waybill operator create ann'],
  run: (call) =>
    withInstallation(call, { create: true }, ({ tenants }) => {
      const username = (call.operands[0] ?? '').toLowerCase();
      const made = tenants.createOperator(username);
      if (!made.ok) throw new CommandProblem(made.problem);
      const { password } = made.value;
      call.terminal.out(
        call.json
          ? jsonLine({ username, password })
          : `Operator ${username}, password ${password}, shown this once.\n`,
      );
      return exitCodes.ok;
    }),
};
