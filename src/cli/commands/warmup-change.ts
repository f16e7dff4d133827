import { createWarmUpRegister, type WarmUpRegister } from '../../relay/relay.ts';
import { type Command, CommandProblem, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';

interface WarmUpChange {
  verb: 'pause' | 'resume' | 'stop';
  summary: string;
  description: string;
  change(register: WarmUpRegister, address: string): boolean;
  /** For what was done. */
  done: string;
}

export const warmUpPauseCommand = changeCommand({
  verb: 'pause',
  summary: 'Keep addresses at the stage that they have reached',
  description:
    'The number of the day goes on to hold at each site, and no day of the plan is done until "waybill warmup resume".',
  change: (register, address) => register.setPaused(address, true),
  done: 'paused',
});

export const warmUpResumeCommand = changeCommand({
  verb: 'resume',
  summary: 'Go on with the warm-up of addresses that were paused',
  description: 'The present day counts as well.',
  change: (register, address) => register.setPaused(address, false),
  done: 'active',
});

export const warmUpStopCommand = changeCommand({
  verb: 'stop',
  summary: 'End the warm-up of addresses: nothing bounds them any more',
  description:
    'What is held for them is released at once. What was counted is forgotten: a new start begins at the first day.',
  change: (register, address) => register.stop(address),
  done: 'stopped',
});

function changeCommand({ verb, summary, description, change, done }: WarmUpChange): Command {
  return {
    name: `warmup ${verb}`,
    summary,
    description,
    operands: { text: 'ADDRESS...', meaning: 'As `waybill warmup show` has them.', min: 1, max: 1000 },
    options: {},
    output: `{"${done}":[addresses]}`,
    examples: [`waybill warmup ${verb} 192.0.2.11`],
    run: (call) =>
      withInstallation(call, { create: false }, ({ store, queue }) => {
        const register = createWarmUpRegister(store);
        // All of them or none.
        store.transaction(() => {
          for (const address of call.operands)
            if (!change(register, address))
              throw new CommandProblem(
                `${address} is not being warmed up; "waybill warmup show" lists those that are`,
              );
          queue.unparkWarmUps();
        });
        const lines = call.operands.map((address) => `${address}  ${done}\n`);
        call.terminal.out(call.json ? jsonLine({ [done]: call.operands }) : lines.join(''));
        return exitCodes.ok;
      }),
  };
}
