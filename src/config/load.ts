/** Reads the configuration: environment over file over defaults, every problem reported at once. */
import { hostname as machineName } from 'node:os';
import { resolve } from 'node:path';
import { assert } from '../base/assert.ts';
import { environmentName, type Option, OptionProblem, type RawValue } from '../base/option.ts';
import { isHostName } from './addresses.ts';
import { crashVariable } from './crash-point.ts';
import { readConfigFile } from './file.ts';
import type { ConfigProblem } from './problem.ts';
import { coreOptions, isOption, type SchemaValues, schema } from './schema.ts';
import { readShaping, type ShapingTable } from './shaping-file.ts';
import { nearest } from './suggest.ts';

/** The values of the schema, with what depends on the machine filled in; paths are absolute. */
export interface Config extends Omit<SchemaValues, 'hostname'> {
  hostname: string;
  /** The table that Waybill comes with, changed by `delivery.shaping_file`. */
  shaping: ShapingTable;
  /** Values of the dialects' own options, by their key. */
  dialects: ReadonlyMap<string, unknown>;
}

export type ConfigSource = 'default' | 'file' | 'environment';

export interface LoadRequest {
  /** Must exist if given; else `WAYBILL_CONFIG` names it; else `waybill.toml` here is read if there is one. */
  file?: string;
  /** Instead of that of this process. */
  environment?: Readonly<Record<string, string | undefined>>;
  dialectOptions?: readonly Option<unknown>[];
}

export type Loaded =
  | { ok: true; config: Config; sources: ReadonlyMap<string, ConfigSource> }
  | { ok: false; problems: ConfigProblem[] };

const prefix = 'WAYBILL_';

/** Names the file; stands in the environment only. */
export const fileVariable = 'WAYBILL_CONFIG';

/** Variables of ours that are no options: the file, and what tests set. */
const otherVariables: readonly string[] = [fileVariable, crashVariable];

interface Given {
  source: 'file' | 'environment';
  /** As the operator wrote it. */
  name: string;
  raw: RawValue;
}

export function loadConfig(request: LoadRequest = {}): Loaded {
  const environment = request.environment ?? process.env;
  const options = allOptions(request.dialectOptions ?? []);
  const file = readConfigFile(request.file ?? (environment[fileVariable] || null));
  const problems: ConfigProblem[] = [...file.problems];
  const given = new Map([
    ...givenInFile(file.entries, options, problems),
    ...givenInEnvironment(environment, options, problems),
  ]);
  const values = parseAll(options, given, problems);
  problems.push(...contradictions(given));
  const shaping = readShaping((values.get('delivery.shaping_file') as string | null | undefined) ?? null);
  problems.push(...shaping.problems);
  if (problems.length > 0) return { ok: false, problems };
  const sources = new Map(
    [...options.keys()].map((key): [string, ConfigSource] => [key, given.get(key)?.source ?? 'default']),
  );
  return {
    ok: true,
    config: { ...configOf(values, request.dialectOptions ?? []), shaping: shaping.table },
    sources,
  };
}

function allOptions(dialectOptions: readonly Option<unknown>[]): Map<string, Option<unknown>> {
  for (const { key } of dialectOptions) {
    assert(key.startsWith('dialects.'), `the key of a dialect's option begins with "dialects.": ${key}`);
  }
  const options = [...coreOptions, ...dialectOptions];
  const byKey = new Map(options.map((option) => [option.key, option]));
  assert(byKey.size === options.length, 'no two options have the same key');
  return byKey;
}

type Options = ReadonlyMap<string, Option<unknown>>;

function givenInFile(
  entries: ReadonlyMap<string, RawValue>,
  options: Options,
  problems: ConfigProblem[],
): [string, Given][] {
  return [...entries].flatMap(([key, raw]): [string, Given][] => {
    if (options.has(key)) return [[key, { source: 'file', name: key, raw }]];
    problems.push({ source: 'file', name: key, text: unknownText(key, [...options.keys()]) });
    return [];
  });
}

/** An empty variable counts as absent: that is how composing tools pass on what was not set. */
function givenInEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  options: Options,
  problems: ConfigProblem[],
): [string, Given][] {
  const keys = new Map([...options.keys()].map((key) => [environmentName(key), key]));
  return Object.entries(environment).flatMap(([name, raw]): [string, Given][] => {
    if (!name.startsWith(prefix) || otherVariables.includes(name) || raw === undefined) return [];
    const key = keys.get(name);
    if (key === undefined) {
      problems.push({ source: 'environment', name, text: unknownText(name, [...keys.keys(), fileVariable]) });
      return [];
    }
    return raw.trim() === '' ? [] : [[key, { source: 'environment', name, raw }]];
  });
}

function unknownText(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === null ? 'no option has this name' : `no option has this name; did you mean ${near}?`;
}

function parseAll(
  options: Options,
  given: ReadonlyMap<string, Given>,
  problems: ConfigProblem[],
): Map<string, unknown> {
  return new Map(
    [...options.values()].map((option) => {
      const entry = given.get(option.key);
      return [option.key, entry === undefined ? option.default : parseOne(option, entry, problems)];
    }),
  );
}

function parseOne(option: Option<unknown>, { source, name, raw }: Given, problems: ConfigProblem[]): unknown {
  try {
    return option.parse(raw);
  } catch (error) {
    if (!(error instanceof OptionProblem)) throw error;
    problems.push({ source, name, text: error.message });
    return option.default;
  }
}

const pairs: readonly [string, string][] = [
  ['smtp.tls_cert', 'smtp.tls_key'],
  ['smtp.tls_key', 'smtp.tls_cert'],
  ['ledger.cluster', 'ledger.url'],
];

/** Where one is, the other cannot be. */
const exclusions: readonly [string, string][] = [
  ['ledger.keep_events_bytes', 'ledger.cluster'],
  ['ledger.keep_deliveries_bytes', 'ledger.cluster'],
];

/** Options that make sense together only, or never. */
function contradictions(given: ReadonlyMap<string, Given>): ConfigProblem[] {
  const isSet = (key: string) => (given.get(key)?.raw ?? '') !== '';
  const problem = (key: string, text: string): ConfigProblem[] => {
    const entry = given.get(key);
    return entry === undefined ? [] : [{ source: entry.source, name: entry.name, text }];
  };
  return [
    ...pairs.flatMap(([key, needed]) =>
      isSet(key) && !isSet(needed) ? problem(key, `needs ${needed} as well`) : [],
    ),
    ...exclusions.flatMap(([key, other]) =>
      isSet(key) && isSet(other) ? problem(key, `cannot be kept with ${other}; a time can`) : [],
    ),
  ];
}

function configOf(
  values: ReadonlyMap<string, unknown>,
  dialectOptions: readonly Option<unknown>[],
): Omit<Config, 'shaping'> {
  const { hostname, dataDir, smtp, ...rest } = fill(schema, values) as SchemaValues;
  const absolute = (path: string | null) => (path === null ? null : resolve(path));
  return {
    ...rest,
    hostname: hostname ?? ownName(),
    dataDir: resolve(dataDir),
    smtp: { ...smtp, tlsCert: absolute(smtp.tlsCert), tlsKey: absolute(smtp.tlsKey) },
    dialects: new Map(dialectOptions.map(({ key }) => [key, values.get(key)])),
  };
}

/** The tree of the schema with values in place of options. */
function fill(branch: object, values: ReadonlyMap<string, unknown>): unknown {
  return Object.fromEntries(
    Object.entries(branch).map(([name, node]: [string, object]) => [
      name,
      isOption(node) ? values.get(node.key) : fill(node, values),
    ]),
  );
}

/** A machine may have a name that no peer would take, such as `my_laptop`. */
function ownName(): string {
  const name = machineName().toLowerCase();
  return isHostName(name) ? name : 'localhost';
}
