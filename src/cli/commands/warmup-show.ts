import type { Config } from '../../config/config.ts';
import {
  asOf,
  createWarmUpRegister,
  mailsPerDay,
  type SiteDay,
  type WarmUp,
  warmUpNameOf,
} from '../../relay/relay.ts';
import { type Command, exitCodes } from '../command.ts';
import { type Installation, withInstallation } from '../installation.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const warmUpShowCommand: Command = {
  name: 'warmup show',
  summary: 'Show which source addresses are warmed up, and how far they are at each site',
  description:
    'Days are those of UTC. A site that nothing was sent to yet stands at the first day of the plan. What has no room today is ' +
    'counted below: it is held until the next day.',
  operands: { text: '[ADDRESS]', meaning: 'Only this one.', min: 0, max: 1 },
  options: {},
  output:
    '{"warmUps":[{"address","pools":[…],"plan","stages":[{"days","mailsPerDay"}],"paused","startedAt","sites":[{"site","day","mailsPerDay":count|null,"sentToday","refusedToday"}]}],"held":{"count","until"}}; mailsPerDay is null when the plan is done',
  examples: ['waybill warmup show', 'waybill warmup show 192.0.2.11 --json'],
  run: (call) =>
    withInstallation(call, { create: false }, (installation) => {
      const [address] = call.operands;
      const { queue, clock } = installation;
      const warmUps = warmUpsOf(installation).filter(
        (one) => address === undefined || one.address === address,
      );
      const held = queue.waitingForWarmUp(clock.now());
      call.terminal.out(
        call.json
          ? jsonLine({ warmUps, held })
          : renderWarmUps(warmUps, call.terminal.columns) + renderHeld(held),
      );
      return exitCodes.ok;
    }),
};

export interface WarmUpEntry extends Pick<WarmUp, 'plan' | 'stages' | 'paused' | 'startedAt'> {
  address: string;
  /** None: the configuration does not have it any more. */
  pools: string[];
  sites: {
    site: string;
    /** Of the plan, from 1. */
    day: number;
    mailsPerDay: number | null;
    sentToday: number;
    refusedToday: number;
  }[];
}

export function warmUpsOf({ store, config, clock }: Installation): WarmUpEntry[] {
  const register = createWarmUpRegister(store);
  return register.list().map((warmUp) => {
    const { id, source, plan, stages, paused, startedAt } = warmUp;
    const sites = register.sitesOf(id).map((site) => siteEntry(asOf(clock.now(), site, warmUp), warmUp));
    return { address: source, pools: poolsWith(source, config), plan, stages, paused, startedAt, sites };
  });
}

function siteEntry(
  { site, daysDone, sent, refused }: SiteDay,
  { stages }: WarmUp,
): WarmUpEntry['sites'][number] {
  const perDay = mailsPerDay(stages, daysDone);
  return { site, day: daysDone + 1, mailsPerDay: perDay, sentToday: sent, refusedToday: refused };
}

function poolsWith(name: string, { delivery }: Config): string[] {
  const entries = delivery.ipPools.filter((entry) => warmUpNameOf(entry) === name);
  return [...new Set(entries.map(({ pool }) => pool))];
}

export function renderWarmUps(warmUps: readonly WarmUpEntry[], columns: number): string {
  if (warmUps.length === 0) return 'No address is being warmed up.\n';
  const rows = warmUps.map(({ address, pools, plan, stages, paused, startedAt }) => [
    ...[address, pools.join(', ') || '-', paused ? 'paused' : 'active', shownTime(startedAt)],
    `${plan}: ${stages.map(({ days, mailsPerDay: most }) => `${most} x ${days}`).join(', ')}`,
  ]);
  const siteRows = warmUps.flatMap(({ address, sites }) =>
    sites.map(({ site, day, mailsPerDay: most, sentToday, refusedToday }) => [
      ...[address, most === null ? 'done' : String(day), most === null ? '-' : String(most)],
      ...[String(sentToday), String(refusedToday), site],
    ]),
  );
  const sites = renderTable(['ADDRESS', 'DAY', 'A DAY', 'TODAY', 'REFUSED', 'SITE'], siteRows, columns);
  const plans = renderTable(
    ['ADDRESS', 'POOLS', 'STATE', 'SINCE', 'PLAN: MAILS A DAY x DAYS'],
    rows,
    columns,
  );
  return siteRows.length === 0 ? plans : `${plans}\n${sites}`;
}

function renderHeld({ count, until }: { count: number; until: number | null }): string {
  return count === 0 ? '' : `\n${count} deliveries are held for warm-up until ${shownTime(until)}\n`;
}
