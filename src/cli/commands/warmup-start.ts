import { describeProblem, readWarmUpPlan, type WarmUpPlan, warmUpPlanNames } from '../../config/config.ts';
import { createWarmUpRegister, warmUpNameOf } from '../../relay/relay.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { type Installation, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';
import { renderWarmUps, warmUpsOf } from './warmup-show.ts';

export const warmUpStartCommand: Command = {
  name: 'warmup start',
  summary: 'Bound what new source addresses send to each site a day, more from stage to stage',
  description:
    'Holds at once, also while the server runs. What has no room today leaves from other addresses of its pool, or is held ' +
    'until the next day of UTC. docs/warm-up.md has the plans and the shape of a file.',
  operands: {
    text: '[ADDRESS...]',
    meaning: 'Addresses of `delivery.ip_pools`; of an entry with two either one stands for both.',
    min: 0,
    max: 1000,
  },
  options: {
    pool: { value: 'NAME', meaning: 'All addresses of the pool that are not being warmed up.' },
    plan: {
      value: 'PLAN',
      meaning: `${warmUpPlanNames.map((name) => `\`${name}\``).join(', ')}, or the path of a file; \`standard\` if not given.`,
    },
  },
  output: '{"warmUps":[…]} as in warmup show, those that were started',
  examples: ['waybill warmup start 192.0.2.11', 'waybill warmup start --pool bulk --plan ./careful.toml'],
  run: (call) => {
    const pool = call.text('pool');
    if ((pool === undefined) === (call.operands.length === 0))
      throw usageProblem('say which addresses, or --pool NAME');
    const plan = planNamed(call.text('plan') ?? 'standard');
    return withInstallation(call, { create: false }, (installation) => {
      const names =
        pool === undefined
          ? call.operands.map((address) => sourceWith(address, installation))
          : sourcesOf(pool, installation);
      const started = start(names, plan, { installation, passKnown: pool !== undefined });
      const entries = warmUpsOf(installation).filter(({ address }) => started.includes(address));
      show(call, entries);
      return exitCodes.ok;
    });
  },
};

function show({ json, terminal }: Call, warmUps: ReturnType<typeof warmUpsOf>): void {
  terminal.out(json ? jsonLine({ warmUps }) : renderWarmUps(warmUps, terminal.columns));
}

function planNamed(nameOrPath: string): WarmUpPlan {
  const { plan, problems } = readWarmUpPlan(nameOrPath);
  if (problems.length === 0) return plan;
  const lines = problems.map((problem) => `\n  ${describeProblem(problem)}`);
  throw new CommandProblem(
    `--plan: expected ${warmUpPlanNames.join(', ')} or a sound file:${lines.join('')}`,
  );
}

/** All of them or none. */
function start(
  names: readonly string[],
  plan: WarmUpPlan,
  { installation, passKnown }: { installation: Installation; passKnown: boolean },
): string[] {
  const { store, clock } = installation;
  const register = createWarmUpRegister(store);
  return store.transaction(() =>
    [...new Set(names)].filter((name) => {
      const isNew = register.start(name, plan, clock.now());
      if (!isNew && !passKnown)
        throw new CommandProblem(
          `${name} is being warmed up already; "waybill warmup stop ${name}" ends that`,
        );
      return isNew;
    }),
  );
}

/** Names a source as its warm-up does: by the first of its addresses. */
function sourceWith(address: string, { config }: Installation): string {
  const { ipPools } = config.delivery;
  const entry = ipPools.find(({ ipv4, ipv6 }) => address === ipv4 || address === ipv6);
  const name = entry && warmUpNameOf(entry);
  if (name) return name;
  throw new CommandProblem(`no address ${address} in delivery.ip_pools; "waybill pool show" lists them`);
}

function sourcesOf(pool: string, { config }: Installation): string[] {
  const entries = config.delivery.ipPools.filter((entry) => entry.pool === pool);
  if (entries.length === 0) throw new CommandProblem(`no pool "${pool}" in delivery.ip_pools`);
  return entries.flatMap((entry) => warmUpNameOf(entry) ?? []);
}
