/**
 * The shaping table: how much is sent to a site, as data (`src/config/shaping.toml`, and a file of the operator). Pure.
 * Here is which rule holds for a domain, and what its limits are.
 */

export interface Rate {
  count: number;
  perMs: number;
}

export interface Shaping {
  /** Attempts under way at a time; null: what the configuration says of every destination. */
  connections: number | null;
  mailsPerConnection: number;
  recipientsPerMail: number;
  /** All of them hold. */
  rates: readonly Rate[];
}

export interface ShapingRule {
  name: string;
  /** Names that the names of all MX hosts end with. */
  mx: readonly string[];
  /** Of forward-paths. */
  domains: readonly string[];
  /** Domains with other MX hosts are sites of their own, with the same limits. */
  separate: boolean;
  limits: Partial<Shaping>;
  /** The file it came from; '' for the table that Waybill comes with. */
  origin: string;
}

export interface ShapingTable {
  default: Shaping;
  /** The first that matches counts. */
  rules: readonly ShapingRule[];
}

/** The rule for a domain whose MX hosts are known; null: the default. */
export function ruleFor(
  { rules }: ShapingTable,
  domain: string,
  hosts: readonly string[],
): ShapingRule | null {
  const byName = rules.find(({ domains }) => domains.includes(domain));
  const byHosts = rules.find(
    ({ mx }) => hosts.length > 0 && hosts.every((host) => mx.some((end) => isBelow(host, end))),
  );
  return byName ?? byHosts ?? null;
}

function isBelow(host: string, end: string): boolean {
  return host === end || host.endsWith(`.${end}`);
}

export function shapingOf(table: ShapingTable, rule: ShapingRule | null): Shaping {
  return { ...table.default, ...rule?.limits };
}

/** Domains with the same hosts have the same key: that of their rule, or the hosts themselves. */
export function siteKey(rule: ShapingRule | null, domain: string, hosts: readonly string[]): string {
  if (rule && !rule.separate) return rule.name;
  const names = [...new Set(hosts)].sort();
  return names.length === 0 ? domain : names.join(',');
}

/** Without any rule: for a relay that was given no table. */
export const plainTable: ShapingTable = {
  default: { connections: null, mailsPerConnection: 1000, recipientsPerMail: 1000, rates: [] },
  rules: [],
};
