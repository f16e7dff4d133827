import { limits } from '../../base/limits.ts';
import { OptionProblem } from '../../base/option.ts';
import { mailClasses } from '../../protocol/smtp/envelope-options.ts';
import { type Command, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';
import { oneWait, schedulesOf } from './retry-show.ts';

export const retrySetCommand: Command = {
  name: 'retry set',
  summary: 'Say when deliveries of a tenant are tried again',
  description:
    'The waits between the attempts; when the attempt after the last one fails, the delivery expires. A change holds from ' +
    'the next deferral of each delivery on, whatever waits already waits to its end.',
  operands: { text: 'TENANT', meaning: 'Name of the tenant.', min: 1, max: 1 },
  options: {
    schedule: {
      value: 'WAITS',
      meaning: 'Waits separated by commas, such as `5m,15m,1h`; `none` for that of the configuration.',
    },
    class: {
      value: 'CLASS',
      meaning: 'Only `transactional` or only `bulk` mail (MT-PRIORITY below 0); else both.',
    },
  },
  output: '{"schedules":[…]} as in retry show',
  examples: [
    'waybill retry set acme --schedule 1m,5m,15m,1h',
    'waybill retry set acme --class bulk --schedule 1h,6h,1d',
    'waybill retry set acme --schedule none',
  ],
  run: (call) => {
    const schedule = call.text('schedule');
    if (schedule === undefined) throw usageProblem('say when to try again: --schedule 5m,15m,1h, or none');
    const waitsMs = schedule === 'none' ? null : waitsOf(schedule);
    const word = call.text('class');
    const classes = mailClasses.filter((known) => word === undefined || word === known);
    if (classes.length === 0)
      throw usageProblem(`--class: expected ${mailClasses.join(' or ')}, not "${word}"`);
    return withInstallation(call, { create: false }, (installation) => {
      const { tenants, store } = installation;
      const tenant = tenantNamed(tenants, call.operands[0] ?? '');
      store.transaction(() => {
        for (const mailClass of classes) tenants.setRetrySchedule(tenant.id, mailClass, waitsMs);
      });
      const schedules = schedulesOf(installation, tenant);
      const lines = schedules.map(({ class: mailClass, waits }) => `${mailClass}: ${waits.join(', ')}\n`);
      call.terminal.out(call.json ? jsonLine({ schedules }) : lines.join(''));
      return exitCodes.ok;
    });
  },
};

function waitsOf(text: string): number[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.length > limits.retryWaits) throw usageProblem(`--schedule: at most ${limits.retryWaits} waits`);
  try {
    return words.map((word) => oneWait.parse(word));
  } catch (error) {
    if (error instanceof OptionProblem) throw usageProblem(`--schedule: ${error.message}`);
    throw error;
  }
}
