/**
 * Who may know whom: the table of docs/architecture.md as data. `scripts/check-imports.ts` enforces it.
 *
 * A module is a folder under `src/`; each protocol and each dialect is one of its own. From outside, a
 * module is entered through its door, the file with the module's own name.
 */

/** Any file of these may be imported: they are vocabularies, not services. */
export const libraries = ['base', 'protocol', 'events'];

/** The composition roots and the command line may import the door of every module. */
export const roots = ['main', 'cli'];

/** Own modules that each module may import. `protocol` stands for every protocol, `dialects/*` for each dialect. */
export const directions: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ['base', 'protocol'],
  events: ['base', 'protocol'],
  config: ['base'],
  dns: ['base', 'protocol', 'events'],
  'smtp-client': ['base', 'protocol', 'events'],
  store: ['base'],
  tenants: ['base', 'protocol', 'events', 'store'],
  queue: ['base', 'protocol', 'events', 'store'],
  spool: ['base', 'protocol', 'events', 'store'],
  ledger: ['base', 'events'],
  backup: ['base', 'store', 'ledger'],
  upkeep: ['base', 'store', 'tenants', 'queue', 'ledger'],
  relay: ['base', 'protocol', 'events', 'store', 'tenants', 'spool', 'queue', 'dns', 'smtp-client'],
  imports: ['base', 'protocol', 'events', 'store', 'queue', 'relay'],
  'smtp-server': ['base', 'protocol', 'events', 'tenants', 'relay', 'ledger'],
  http: ['base', 'protocol', 'events', 'tenants', 'relay', 'ledger'],
  'console-api': ['base', 'protocol', 'events', 'tenants', 'relay', 'ledger', 'upkeep', 'http'],
  tracking: ['base', 'protocol', 'events', 'tenants', 'relay', 'ledger', 'http'],
  webhooks: ['base', 'protocol', 'events', 'tenants', 'relay', 'ledger'],
  'dialects/*': ['dialects', 'http', 'imports', 'relay', 'ledger', 'tenants', 'events', 'protocol', 'base'],
  /** The files beside the dialects: the contract of all, and the list of all. */
  dialects: ['dialects/*', 'http', 'imports', 'relay', 'ledger', 'tenants', 'events', 'protocol', 'base'],
};

/** Files besides the door that outsiders may import, each for a reason. */
export const sideDoors: Readonly<Record<string, readonly string[]>> = {
  /** The contract that every dialect fills. */
  dialects: ['dialect.ts'],
  /** What the apps of the other modules are built from; the server itself is started by the office. */
  http: ['endpoint.ts', 'fault.ts', 'problem.ts', 'query.ts', 'read-body.ts', 'server.ts'],
  /**
   * The one who fills the ledger: those who ask it must not reach him. And what a condition means: whoever
   * imports the door for that would load the engine.
   */
  ledger: ['writer.ts', 'status-condition.ts'],
  /** The form that every format of logs fills. */
  imports: ['record.ts'],
  /** What came back, or was logged elsewhere, is read and judged without a relay. */
  relay: ['receive-report.ts', 'provider.ts', 'report-text.ts', 'report-verdict.ts'],
  /** The contract the listener asks for, and its fulfilment by relay and tenants. */
  'smtp-server': ['handler.ts', 'relay-handler.ts'],
};

/** `protocol/` is pure (invariant I6): nothing that reads, writes, listens or waits. */
export const impureBuiltIns = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'net',
  'process',
  'readline',
  'sqlite',
  'timers',
  'tls',
  'worker_threads',
];

export interface WordRule {
  pattern: RegExp;
  /** Folders under `src/` where the word may stand. */
  allowedIn: readonly string[];
  instead: string;
}

export const wordRules: readonly WordRule[] = [
  { pattern: /\bprocess\.env\b/g, allowedIn: ['config'], instead: 'take the value from the configuration' },
  {
    pattern: /\bDate\.now\b|\bnew Date\b|\bTemporal\.Now\b|\bperformance\.now\b/g,
    allowedIn: ['base'],
    instead: 'take a Clock (src/base/clock.ts)',
  },
  {
    pattern: /(?<![.\w])set(?:Timeout|Interval)\s*\(/g,
    allowedIn: ['base'],
    instead: 'take a Clock (src/base/clock.ts)',
  },
  {
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int)\b|\bgetRandomValues\b/g,
    allowedIn: ['base'],
    instead: 'use src/base/random.ts',
  },
];
