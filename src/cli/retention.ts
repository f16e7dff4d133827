/** Retention settings as options and as text. */
import { OptionProblem } from '../base/option.ts';
import { byteSize, duration } from '../config/config.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { Retention, RetentionChange, UpkeepSettings } from '../upkeep/upkeep.ts';
import { type Call, type CommandOption, usageProblem } from './command.ts';

const day = 86_400_000;
const times = duration(day, 36_500 * day);
const ages = duration(3_600_000, 36_500 * day);
const sizes = byteSize(1024 ** 2, 1024 ** 5);

interface Setting {
  option: string;
  setting: keyof Retention;
  kind: typeof times;
  value: string;
  meaning: string;
}

const ending = '`none`: without this bound; `standard`: as the configuration says.';

export const settings: readonly Setting[] = [
  {
    option: 'events',
    setting: 'eventsMs',
    kind: times,
    value: 'TIME',
    meaning: `How long events are kept, such as \`30d\`; ${ending}`,
  },
  {
    option: 'deliveries',
    setting: 'deliveriesMs',
    kind: times,
    value: 'TIME',
    meaning: `How long last known states are kept; ${ending}`,
  },
  {
    option: 'counters',
    setting: 'countersMs',
    kind: times,
    value: 'TIME',
    meaning: `How long statistics are kept; ${ending}`,
  },
  {
    option: 'anonymise',
    setting: 'anonymiseMs',
    kind: ages,
    value: 'TIME',
    meaning: `When recipients are taken out; ${ending}`,
  },
  {
    option: 'events-size',
    setting: 'eventsBytes',
    kind: sizes,
    value: 'SIZE',
    meaning: `Space that its events may take, such as \`10GiB\`; ${ending}`,
  },
  {
    option: 'deliveries-size',
    setting: 'deliveriesBytes',
    kind: sizes,
    value: 'SIZE',
    meaning: `The same for last known states; ${ending}`,
  },
];

export const settingOptions: Readonly<Record<string, CommandOption>> = Object.fromEntries(
  settings.map(({ option, value, meaning }) => [option, { value, meaning }]),
);

export function changeOf(call: Call): RetentionChange {
  const given = settings.flatMap(
    ({ option, setting, kind }): [keyof Retention, number | null | undefined][] => {
      const text = call.text(option);
      if (text === undefined) return [];
      if (text === 'standard') return [[setting, undefined]];
      return [[setting, text === 'none' ? null : settingValue(option, kind, text)]];
    },
  );
  if (given.length > 0) return Object.fromEntries(given);
  throw usageProblem(`say what to set: ${settings.map(({ option }) => `--${option}`).join(', ')}`);
}

function settingValue(option: string, kind: typeof times, text: string): number {
  try {
    return kind.parse(text);
  } catch (error) {
    if (error instanceof OptionProblem)
      throw usageProblem(`--${option}: ${error.message}, or none, or standard`);
    throw error;
  }
}

export interface RetentionEntry extends Retention {
  tenant: string;
  /** Names of the settings that are the tenant's own. */
  own: string[];
}

export const retentionShape =
  '{"tenant","eventsMs","deliveriesMs","countersMs","anonymiseMs","eventsBytes","deliveriesBytes","own":[name]}';

export function retentionEntry({ id, name }: Tenant, upkeep: UpkeepSettings): RetentionEntry {
  return { tenant: name, ...upkeep.retentionOf(id), own: Object.keys(upkeep.ownRetention(id)) };
}

export const retentionHeads = [
  'TENANT',
  'EVENTS',
  'DELIVERIES',
  'COUNTERS',
  'ANONYMISED',
  'EVENTS SIZE',
  'DELIVERIES SIZE',
];

/** A star stands behind what is the tenant's own. */
export function retentionRow(entry: RetentionEntry): string[] {
  const cells = settings.map(({ setting, kind }) => {
    const value = entry[setting];
    const never = setting === 'anonymiseMs' ? 'never' : kind === sizes ? 'any' : 'for ever';
    return `${value === null ? never : kind.print(value)}${entry.own.includes(setting) ? ' *' : ''}`;
  });
  return [entry.tenant, ...cells];
}
