/** Options of this dialect. The tables take single entries: what is not named keeps its default. */
import { type Option, OptionProblem, type RawValue } from '../../base/option.ts';
import type { ErrorCodeType } from './errors.ts';
import { filterSituations, situations, standardWords, statusWords, type Words } from './words.ts';

/** What the cached reply of the last minute is kept for: the caller, or the caller and its question. */
export type CacheKey = 'app' | 'app-and-query';

export interface Settings {
  queryIntervalMs: number;
  cacheKey: CacheKey;
  errorCodeType: ErrorCodeType;
  words: Words;
}

const maxTableNumber = 1_000_000;

const queryInterval: Option<number> = {
  key: 'dialects.submail.query_interval',
  default: 60,
  meaning:
    'Seconds in which one app gets the reply of its previous mail/log query again, 0 to 3600; 0 answers every query.',
  example: '60',
  parse: (raw) => wholeNumber(raw, 3600),
  print: String,
};

const cacheKey: Option<CacheKey> = {
  key: 'dialects.submail.cache_key',
  default: 'app',
  meaning:
    'Which mail/log queries share one cached reply: `app` (all queries of an app) or `app-and-query` (equal ones).',
  example: 'app-and-query',
  parse: (raw) => oneOf(raw, ['app', 'app-and-query']),
  print: String,
};

const errorCodeType: Option<ErrorCodeType> = {
  key: 'dialects.submail.error_code_type',
  default: 'string',
  meaning: 'JSON type of the error code: `string` as on the vendor page, `number` as some clients decode it.',
  example: 'number',
  parse: (raw) => oneOf(raw, ['string', 'number']),
  print: String,
};

const statusNumbers: Option<Words['numbers']> = {
  key: 'dialects.submail.status_numbers',
  default: standardWords.numbers,
  meaning: `Number shown as status for ${situations.join(', ')}; entries that are left out keep their default.`,
  example: 'queued=1,sending=2',
  parse: (raw) => parseTable(raw, standardWords.numbers, (value) => wholeNumber(value, maxTableNumber)),
  print: printTable,
};

const bounceNumbers: Option<Words['bounces']> = {
  key: 'dialects.submail.bounce_numbers',
  default: standardWords.bounces,
  meaning: `Number shown as bounce for ${situations.join(', ')}; entries that are left out keep their default.`,
  example: 'bounced=1',
  parse: (raw) => parseTable(raw, standardWords.bounces, (value) => wholeNumber(value, maxTableNumber)),
  print: printTable,
};

const statusFilter: Option<Words['words']> = {
  key: 'dialects.submail.status_words',
  default: standardWords.words,
  meaning: `Word (${statusWords.join(', ')}) that finds mail that is ${filterSituations.join(', ')}; entries that are left out keep their default.`,
  example: 'bounced=dropped',
  parse: (raw) => parseTable(raw, standardWords.words, (value) => oneOf(value, statusWords)),
  print: printTable,
};

export const options: readonly Option<unknown>[] = [
  queryInterval,
  cacheKey,
  errorCodeType,
  statusNumbers,
  bounceNumbers,
  statusFilter,
];

export function readSettings(settings: ReadonlyMap<string, unknown>): Settings {
  return {
    queryIntervalMs: settingOf(settings, queryInterval) * 1000,
    cacheKey: settingOf(settings, cacheKey),
    errorCodeType: settingOf(settings, errorCodeType),
    words: {
      numbers: settingOf(settings, statusNumbers),
      bounces: settingOf(settings, bounceNumbers),
      words: settingOf(settings, statusFilter),
    },
  };
}

/** What stands under an option's key was made by its own `parse`. */
function settingOf<T>(settings: ReadonlyMap<string, unknown>, option: Option<T>): T {
  return settings.has(option.key) ? (settings.get(option.key) as T) : option.default;
}

function wholeNumber(raw: RawValue, max: number): number {
  const value = typeof raw === 'string' && /^\s*\d+\s*$/.test(raw) ? Number(raw) : raw;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new OptionProblem(`expected a whole number from 0 to ${max}`);
}

function oneOf<T extends string>(raw: RawValue, known: readonly T[]): T {
  const found = known.find((one) => one === String(raw).trim());
  if (found === undefined) throw new OptionProblem(`expected one of ${known.join(', ')}`);
  return found;
}

/** `name=value,name=value`, or a list of `name=value`. */
function parseTable<T extends Readonly<Record<string, unknown>>>(
  raw: RawValue,
  standard: T,
  parseValue: (text: string) => T[keyof T],
): T {
  const entries = (typeof raw === 'string' ? raw.split(',') : raw) as unknown;
  if (!Array.isArray(entries)) throw new OptionProblem('expected entries of the form name=value');
  const table: Record<string, unknown> = { ...standard };
  for (const entry of entries) {
    const [name = '', value = '', ...rest] = String(entry)
      .split('=')
      .map((part) => part.trim());
    if (!Object.hasOwn(standard, name) || value === '' || rest.length > 0) {
      throw new OptionProblem(`expected name=value with a name of ${Object.keys(standard).join(', ')}`);
    }
    table[name] = parseValue(value);
  }
  return table as T;
}

function printTable(table: Readonly<Record<string, unknown>>): string {
  return Object.entries(table)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
