import { existsSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import type { Config } from '../../config/config.ts';
import { dataPaths } from '../../data-paths.ts';
import { createFindTargets, createResolver } from '../../dns/dns.ts';
import { ruleFor, type SiteSnapshot, shapingOf, siteKey } from '../../relay/relay.ts';
import { readRunFile } from '../../run-file.ts';
import { readSites } from '../../sites-file.ts';
import { type Command, CommandProblem, exitCodes } from '../command.ts';
import { configOrProblem } from '../installation.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const shapingShowCommand: Command = {
  name: 'shaping show',
  summary: 'Show how much is sent to a site, which rule says so, and how the site answers',
  description:
    'With a domain: its MX hosts are asked for, and every limit is shown with where it comes from. Without: the rules of the table, and the sites that have attempts under way or a back-off.',
  operands: { text: '[DOMAIN]', meaning: 'Of a forward-path.', min: 0, max: 1 },
  options: {},
  output:
    '{"rules":[{"name","mx","domains","separate","limits","origin"}],"default":{…},"live":[{"site","source","open","limit","backOffUntil"}]|null}; with a domain {"domain","hosts","site","rule","limits":[{"limit","value","from"}],"live":[…]|null}; live is null while no server runs',
  examples: ['waybill shaping show', 'waybill shaping show gmail.com'],
  async run(call) {
    const config = configOrProblem(call);
    const [domain] = call.operands;
    const live = liveSites(config);
    const { columns } = call.terminal;
    if (domain === undefined) {
      const { default: defaults, rules } = config.shaping;
      const text = `${renderTable(ruleHeads, rules.map(ruleRow), columns)}${renderLive(live, columns)}`;
      call.terminal.out(call.json ? jsonLine({ rules, default: defaults, live }) : text);
      return exitCodes.ok;
    }
    const explained = await explain(domain.toLowerCase(), config);
    const ofSite = live?.filter(({ site }) => site === explained.site) ?? null;
    const text = `${renderExplained(explained, columns)}${renderLive(ofSite, columns)}`;
    call.terminal.out(call.json ? jsonLine({ ...explained, live: ofSite }) : text);
    return exitCodes.ok;
  },
};

interface Explained {
  domain: string;
  hosts: string[];
  site: string;
  rule: string | null;
  limits: { limit: string; value: string; from: string }[];
}

async function explain(domain: string, config: Config): Promise<Explained> {
  if (config.nextHop)
    throw new CommandProblem(
      `all mail goes to the next hop ${config.nextHop.host}, up to ${config.delivery.maxSessions} sessions; the table holds for MX hosts`,
    );
  const resolver = createResolver({
    clock: systemClock,
    servers: config.dns.servers.length > 0 ? config.dns.servers : undefined,
    trustAd: config.dns.trustAd,
  });
  const find = createFindTargets({
    ...{ clock: systemClock, resolver, ownNames: [config.hostname], ownListeners: config.smtp.listen },
  });
  const found = await find.mx(domain);
  const hosts = found.ok ? [...new Set(found.targets.map(({ name }) => name))] : [];
  const rule = ruleFor(config.shaping, domain, hosts);
  const shaping = shapingOf(config.shaping, rule);
  const from = (member: keyof typeof shaping) => {
    if (rule?.limits[member] !== undefined)
      return `site.${rule.name}${rule.origin ? ` (${rule.origin})` : ''}`;
    return member === 'connections' && shaping.connections === null
      ? 'delivery.max_sessions_per_destination'
      : 'default';
  };
  const { maxSessionsPerDestination } = config.delivery;
  const values = {
    connections: String(shaping.connections ?? maxSessionsPerDestination),
    mailsPerConnection: String(shaping.mailsPerConnection),
    recipientsPerMail: String(shaping.recipientsPerMail),
    rates: ratesText(shaping.rates),
  };
  return {
    ...{ domain, hosts, site: hosts.length === 0 ? domain : siteKey(rule, domain, hosts) },
    rule: rule?.name ?? null,
    limits: Object.entries(values).map(([limit, value]) => ({
      ...{ limit, value, from: from(limit as keyof typeof shaping) },
    })),
  };
}

function renderExplained({ domain, hosts, site, limits }: Explained, columns: number): string {
  const rows = limits.map(({ limit, value, from }) => [words[limit] ?? limit, value, from]);
  const head = `${domain}: site ${site}, MX ${hosts.length > 0 ? hosts.join(', ') : 'unknown (the DNS does not tell)'}\n`;
  return head + renderTable(['LIMIT', 'VALUE', 'FROM'], rows, columns);
}

const words: Readonly<Record<string, string>> = {
  connections: 'connections',
  mailsPerConnection: 'mails per connection',
  recipientsPerMail: 'recipients per mail',
  rates: 'rates',
};

const ruleHeads = ['SITE', 'CONNECTIONS', 'MAILS', 'RECIPIENTS', 'RATES', 'ORIGIN', 'MX'];

function ruleRow({ name, mx, limits, origin }: Config['shaping']['rules'][number]): string[] {
  const { connections, mailsPerConnection, recipientsPerMail, rates } = limits;
  const counts = [connections, mailsPerConnection, recipientsPerMail].map((count) => String(count ?? '-'));
  return [name, ...counts, ratesText(rates ?? []), origin || 'built in', mx.join(', ')];
}

const units: readonly [number, string][] = [
  [1000, 's'],
  [60_000, 'min'],
  [3_600_000, 'h'],
  [86_400_000, 'day'],
];

function ratesText(rates: readonly { count: number; perMs: number }[]): string {
  const unit = (perMs: number) => units.find(([ms]) => ms === perMs)?.[1] ?? `${perMs} ms`;
  return rates.map(({ count, perMs }) => `${count}/${unit(perMs)}`).join(', ') || '-';
}

/** Null while no server runs. */
function liveSites({ dataDir }: Config): SiteSnapshot[] | null {
  if (!existsSync(dataDir) || readRunFile(dataDir) === null) return null;
  return readSites(dataPaths(dataDir).sites)?.sites ?? [];
}

function renderLive(live: readonly SiteSnapshot[] | null, columns: number): string {
  if (live === null) return '\nNo server runs here.\n';
  if (live.length === 0) return '\nNothing is under way, and no back-off.\n';
  const rows = live.map(({ site, source, open, limit, backOffUntil }) => [
    ...[String(open), String(limit), shownTime(backOffUntil), source ?? '-', site],
  ]);
  return `\n${renderTable(['OPEN', 'LIMIT NOW', 'BACK-OFF UNTIL', 'FROM', 'SITE'], rows, columns)}`;
}
