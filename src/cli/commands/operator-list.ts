import { type Command, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

export const operatorListCommand: Command = {
  name: 'operator list',
  summary: 'List the operators',
  options: {},
  output: '{"operators":["name"]}',
  examples: ['waybill operator list'],
  run: (call) =>
    withInstallation(call, { create: false }, ({ tenants }) => {
      const names = tenants.operators();
      call.terminal.out(
        call.json ? jsonLine({ operators: names }) : names.map((name) => `${name}\n`).join(''),
      );
      return exitCodes.ok;
    }),
};
