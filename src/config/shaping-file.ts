/**
 * Reads shaping tables: the one Waybill comes with (`shaping.toml`), and a file of the operator that changes it. Every
 * problem of a file is reported. The words are those of `relay/shaping.ts`.
 */
import { fileURLToPath } from 'node:url';
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { type FileEntries, isTable, readTree } from './file.ts';
import type { ConfigProblem } from './problem.ts';

export interface Rate {
  count: number;
  perMs: number;
}

export interface Shaping {
  connections: number | null;
  mailsPerConnection: number;
  recipientsPerMail: number;
  rates: readonly Rate[];
}

export interface ShapingRule {
  name: string;
  mx: readonly string[];
  domains: readonly string[];
  separate: boolean;
  limits: Partial<Shaping>;
  origin: string;
}

export interface ShapingTable {
  default: Shaping;
  rules: readonly ShapingRule[];
}

const builtInFile = fileURLToPath(new URL('./shaping.toml', import.meta.url));

/** Without a path, the table that Waybill comes with. */
export function readShaping(path: string | null): { table: ShapingTable; problems: ConfigProblem[] } {
  const builtIn = readTable(builtInFile, '');
  assert(builtIn.problems.length === 0, `the built-in shaping table is sound: ${builtIn.problems[0]?.text}`);
  if (path === null) return { table: over(builtIn.table, noTable), problems: [] };
  const own = readTable(path, path);
  return { table: over(builtIn.table, own.table), problems: own.problems };
}

interface PartialTable {
  default: Partial<Shaping>;
  rules: ShapingRule[];
}

const noTable: PartialTable = { default: {}, rules: [] };

const unbounded: Shaping = {
  connections: null,
  mailsPerConnection: 1000,
  recipientsPerMail: 1000,
  rates: [],
};

/** Rules of the same name become one, at their old place; others are asked first. */
function over(below: PartialTable, above: PartialTable): ShapingTable {
  const byName = new Map(above.rules.map((rule) => [rule.name, rule]));
  const known = new Set(below.rules.map(({ name }) => name));
  const changed = below.rules.map((rule) => merged(rule, byName.get(rule.name)));
  const added = above.rules.filter(({ name }) => !known.has(name));
  return {
    default: { ...unbounded, ...below.default, ...above.default },
    rules: [...added, ...changed],
  };
}

function merged(below: ShapingRule, above: ShapingRule | undefined): ShapingRule {
  if (!above) return below;
  return {
    ...above,
    mx: above.mx.length > 0 ? above.mx : below.mx,
    domains: above.domains.length > 0 ? above.domains : below.domains,
    separate: above.separate || below.separate,
    limits: { ...below.limits, ...above.limits },
  };
}

type Report = (name: string, text: string) => undefined;

function readTable(path: string, origin: string): { table: PartialTable; problems: ConfigProblem[] } {
  const found: FileEntries = { entries: new Map(), problems: [] };
  const tree = readTree(path, found);
  const report: Report = (name, text) => {
    found.problems.push({ source: 'file', name: `${path}: ${name}`, text });
    return undefined;
  };
  const table = tree === null ? noTable : tableIn(tree, origin, report);
  return { table, problems: found.problems };
}

function tableIn(tree: object, origin: string, report: Report): PartialTable {
  const { default: defaults = {}, site = {}, ...others } = tree as Record<string, unknown>;
  for (const name of Object.keys(others)) report(name, 'expected a table [default] or [site.NAME]');
  if (!isTable(defaults) || !isTable(site)) {
    report('default, site', 'expected tables');
    return noTable;
  }
  const names = Object.entries(site);
  if (names.length > limits.shapingRules) report('site', `expected at most ${limits.shapingRules} sites`);
  return {
    default: limitsIn(defaults, 'default', report),
    rules: names
      .slice(0, limits.shapingRules)
      .flatMap(([name, node]) => ruleIn(name, { node, origin, report })),
  };
}

const ruleMembers = ['mx', 'domains', 'separate'];

function ruleIn(
  name: string,
  { node, origin, report }: { node: unknown; origin: string; report: Report },
): ShapingRule[] {
  const key = `site.${name}`;
  if (!isTable(node)) report(key, 'expected a table');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name) || name === 'rehearsal' || name === 'next-hop')
    report(
      key,
      'expected a name of lower-case letters, digits and hyphens other than rehearsal and next-hop',
    );
  if (!isTable(node)) return [];
  const { mx, domains, separate = false, ...rest } = node as Record<string, unknown>;
  if (typeof separate !== 'boolean') report(`${key}.separate`, 'expected true or false');
  return [
    {
      name,
      mx: namesIn(mx, `${key}.mx`, report),
      domains: namesIn(domains, `${key}.domains`, report),
      separate: separate === true,
      limits: limitsIn(rest, key, report),
      origin,
    },
  ];
}

function namesIn(value: unknown, key: string, report: Report): string[] {
  if (value === undefined) return [];
  const sound =
    Array.isArray(value) &&
    value.length <= limits.shapingNames &&
    value.every((name) => typeof name === 'string' && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name));
  if (sound) return (value as string[]).map((name) => name.toLowerCase());
  report(key, 'expected a list of names such as ["example.com"]');
  return [];
}

const readers: { [K in keyof Shaping as string]: (value: unknown) => Partial<Shaping> | string } = {
  connections: (value) => wholeOf(value, 1000, (connections) => ({ connections })),
  mails_per_connection: (value) => wholeOf(value, 1000, (mailsPerConnection) => ({ mailsPerConnection })),
  recipients_per_mail: (value) => wholeOf(value, 1000, (recipientsPerMail) => ({ recipientsPerMail })),
  rates: ratesOf,
};

function limitsIn(node: object, key: string, report: Report): Partial<Shaping> {
  const found = Object.entries(node).map(([name, value]) => {
    const read = readers[name];
    const expected = [...Object.keys(readers), ...(key === 'default' ? [] : ruleMembers)].join(', ');
    const got = read ? read(value) : `no member has this name; expected ${expected}`;
    if (typeof got !== 'string') return got;
    report(`${key}.${name}`, got);
    return {};
  });
  return Object.assign({}, ...found) as Partial<Shaping>;
}

function wholeOf(value: unknown, most: number, named: (count: number) => Partial<Shaping>) {
  const sound = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
  return sound ? named(value) : `expected a whole number from 1 to ${most}`;
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, day: 86_400_000 };

function ratesOf(value: unknown): Partial<Shaping> | string {
  const expected = 'expected a list of rates such as ["10/s", "1000/h"]; units: s, min, h, day';
  if (!Array.isArray(value) || value.length > Object.keys(unitsMs).length) return expected;
  const rates = value.map((text) => {
    const [, count = '0', unit = ''] = /^([1-9]\d{0,8})\/(s|min|h|day)$/.exec(String(text)) ?? [];
    return { count: Number(count), perMs: unitsMs[unit] ?? 0 };
  });
  return rates.every(({ count, perMs }) => count > 0 && perMs > 0) ? { rates } : expected;
}
